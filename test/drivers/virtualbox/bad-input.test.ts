/** What can be wrong before, during and after: each a sentence with a way out, and nothing of others touched. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { assertRefused, configOf } from "../driver-scene.ts";
import { addForeignVm, openScene } from "./scene.ts";

describe("flags", () => {
  const refused: Readonly<Record<string, readonly [Readonly<Record<string, FlagValue>>, RegExp]>> = {
    "memory for no system": [{ "virtualbox-memory": 64 }, /--virtualbox-memory 64 is too small: 512/u],
    "a card that VirtualBox has not": [{ "virtualbox-nat-nictype": "Foo" }, /is not one of: Am79C970A/u],
    "a window of no kind": [{ "virtualbox-ui-type": "bogus" }, /is not one of: gui/u],
    "a network's own address": [{ "virtualbox-hostonly-cidr": "192.168.59.0/24" }, /must be specified with a host address/u],
    "a network without room": [{ "virtualbox-hostonly-cidr": "192.168.59.1/32" }, /too small a network/u],
    "no network": [{ "virtualbox-hostonly-cidr": "192.168.59" }, /is not ADDRESS\/LENGTH/u],
    "a fixed address elsewhere": [{ "virtualbox-hostonly-address": "10.0.0.7" }, /not an address for a machine in 192/u],
    "no DHCP and no address": [{ "virtualbox-hostonly-no-dhcp": true }, /without DHCP the machine has no address/u],
    "a share with a space": [{ "virtualbox-share-folder": "/srv:my files" }, /is not DIR:NAME/u],
    "a CD and an image": [{ "virtualbox-boot2docker-url": "b.iso" }, /exclude each other/u],
    "a URL without a checksum": [{ "virtualbox-image": "https://a.invalid/b.qcow2" }, /needs its checksum/u],
  };
  for (const [what, [flags, sentence]] of Object.entries(refused)) {
    test(`${what} is refused`, async () => {
      await using scene = await openScene();
      await assert.rejects(scene.configured(flags), sentence);
      assert.deepEqual(scene.world.vbox.calls, []);
    });
  }
});

describe("before anything is made", () => {
  test("VirtualBox is missing: how to get it", async () => {
    await using scene = await openScene();
    scene.world.runner.find = async () => undefined;
    const error = await assertRefused(scene.checked(), "program-missing", /VBoxManage is not installed/u);
    assert.match(error.hint ?? "", /apt-get install/u);
  });

  for (const version of ["5.2.44r139111", "6.0.24", "WARNING: odd"]) {
    test(`VirtualBox ${version} is too old, in 0.16.2's words`, async () => {
      await using scene = await openScene({ fake: { version } });
      const error = await assertRefused(
        scene.checked(),
        "program-missing",
        /^We support Virtualbox starting with version 6\.1\. Your/u,
      );
      assert.ok(error.message.includes(JSON.stringify(version)));
    });
  }

  test("a warning of a distribution's wrapper before the version is no version", async () => {
    const warning =
      "WARNING: The character device /dev/vboxdrv does not exist.\n\t Please install the virtualbox-dkms package\n\n";
    await using scene = await openScene({ fake: { warning } });
    const driver = await scene.created();
    assert.notEqual(await driver.getIp(), "");
  });

  test("the kernel module is missing; with Secure Boot it must be signed too", async () => {
    await using scene = await openScene();
    rmSync(scene.world.surroundings.moduleDevice);
    const plain = await assertRefused(scene.checked(), "driver-unsupported", /kernel module is not loaded/u);
    assert.doesNotMatch(plain.hint ?? "", /Secure Boot/u);
    mkdirSync(scene.world.surroundings.firmwareVariables);
    writeFileSync(path.join(scene.world.surroundings.firmwareVariables, "SecureBoot-8be4df61"), Buffer.from([6, 0, 0, 0, 1]));
    const signed = await assertRefused(scene.checked(), "driver-unsupported", /kernel module is not loaded/u);
    assert.match(signed.hint ?? "", /vboxconfig.* Secure Boot is on.*mokutil/u);
  });

  test("the processor does not virtualize, in 0.16.2's words; the check can be left out", async () => {
    await using scene = await openScene({ fake: { virtualizes: false } });
    await assertRefused(scene.checked(), "driver-unsupported", /^This computer doesn't have VT-X\/AMD-v enabled/u);
    await scene.checked({ "virtualbox-no-vtx-check": true });
  });

  test("beside Hyper-V it warns, and 0.16.2's -1 is the number of processors", async () => {
    await using scene = await openScene({ fake: { os: "windows" }, computer: { os: "windows" } });
    scene.world.runner.others["powershell.exe"] = () => ({ stdout: Buffer.from("True\r\n") });
    const driver = await scene.checked({ "virtualbox-cpu-count": -1 });
    assert.equal((await configOf(driver))["CPU"], 2);
    assert.ok(scene.lines().some((line) => line.includes("is running Hyper-V")));
  });

  test("a network that networks.conf does not allow: the line to add; one that is there is used", async () => {
    await using scene = await openScene();
    const flags = { "virtualbox-hostonly-cidr": "192.168.99.1/24" };
    const error = await assertRefused(scene.checked(flags), "driver-options", /allows 192\.168\.56\.0\/21/u);
    assert.match(error.hint ?? "", /"\* 192\.168\.99\.0\/24"/u);
    writeFileSync(scene.world.surroundings.networksConf, "# ours\n* 10.0.0.0/8 192.168.99.0/255.255.255.0\n* fe80::/10\n");
    await scene.checked(flags);
    writeFileSync(scene.world.surroundings.networksConf, "* 10.0.0.0/8\n");
    scene.world.vbox.state.interfaces.push({ name: "vboxnet0", address: "192.168.99.1", netmask: "255.255.255.0" });
    await scene.checked(flags);
  });

  test("a folder, an image, a file or memory that is not there", async () => {
    await using scene = await openScene({ computer: { memoryMiB: 2048 } });
    const lost: readonly (readonly [Readonly<Record<string, FlagValue>>, RegExp])[] = [
      [{ "virtualbox-share-folder": "/no/such:work" }, /folder to share does not exist/u],
      [{ "virtualbox-image": "/no/such.qcow2" }, /image \/no\/such\.qcow2 does not exist/u],
      [{ "virtualbox-cloud-config": "/no/such.yaml" }, /does not exist: \/no\/such\.yaml/u],
      [{ "virtualbox-memory": 4096 }, /more than this computer has: 2048/u],
    ];
    for (const [flags, sentence] of lost) await assert.rejects(scene.checked(flags), sentence);
    assert.deepEqual(scene.world.vbox.state.vms, []);
  });

  test("an image that is larger than the disk, or no disk", async () => {
    await using scene = await openScene();
    const large = path.join(scene.world.folder, "large.img");
    writeFileSync(large, "");
    writeFileSync(large, readFileSync(String(scene.world.flags["virtualbox-image"])));
    truncateSync(large, 2_000 * 1024 * 1024);
    const small = await scene.checked({ "virtualbox-image": large, "virtualbox-disk-size": 1_000 });
    await assertRefused(small.create(scene.signal), "driver-options", /too small for its image/u);
    await small.remove(scene.signal);
    assert.deepEqual(scene.world.resources(), []);
  });
});

describe("while a machine is made", () => {
  for (const command of ["convertfromraw", "modifyvm"]) {
    test(`the disk is full at ${command}: said, and rm removes what there is`, async () => {
      await using scene = await openScene({ fake: { fullDiskAt: [command] } });
      const driver = await scene.checked();
      await assertRefused(
        driver.create(scene.signal),
        "disk-full",
        /^There is no room for the virtual machine: .*VERR_DISK_FULL/u,
      );
      await (await scene.reopened(driver)).remove(scene.signal);
      assert.deepEqual(scene.world.resources(), []);
      assert.ok(!existsSync(path.join(scene.context.machineDir, "disk.vdi")));
    });
  }

  const failures: readonly (readonly [string, RegExp, RegExp])[] = [
    ["VERR_VMX_IN_VMX_ROOT_MODE", /another hypervisor holds/u, /modprobe -r kvm_intel/u],
    ["VERR_SVM_HOST_SVME_NOT_ENABLED", /not switched the processor's virtualization on/u, /enable_virt_at_load=1/u],
    ["VERR_VMX_MSR_ALL_VMX_DISABLED", /VT-X\/AMD-v enabled\. Enabling it in the BIOS/u, /nested virtualization/u],
    ["VERR_NEM_VM_CREATE", /Hyper-V holds/u, /hyperv driver/u],
    ["supR3HardenedErrorV: rc=-5640", /protection of its process/u, /Antivirus/u],
    ["VERR_NO_MEMORY", /not enough memory/u, /--virtualbox-memory/u],
    ["Odd end", /its log ends with: .*Odd end/u, /log of the virtual machine/u],
  ];
  for (const [log, sentence, hint] of failures) {
    test(`it does not start: ${log}`, async () => {
      const words = "The virtual machine 'web' has terminated unexpectedly during startup with exit code 1 (0x1)";
      await using scene = await openScene({ fake: { refuses: { words, log } } });
      const driver = await scene.checked();
      const error = await assertRefused(driver.create(scene.signal), "driver-failed", /^Unable to start the VM: /u);
      assert.match(error.message, sentence);
      assert.match(error.hint ?? "", hint);
      await driver.remove(scene.signal);
      assert.deepEqual(scene.world.resources(), []);
    });
  }

  test("an address that never appears is asked for again, until the core has enough", async () => {
    await using scene = await openScene({ fake: { bootMs: Number.POSITIVE_INFINITY } });
    const driver = await scene.created();
    assert.equal(await driver.getState(scene.signal), "Running");
    assert.equal(await driver.getIp(), "");
    assert.equal(await driver.getUrl(), "");
  });

  test("its id is another's: a copy that was registered elsewhere is left alone", async () => {
    await using scene = await openScene();
    const driver = await scene.checked();
    const uuid = String((await configOf(driver))["VmUuid"]);
    const theirs = path.join(scene.world.folder, "theirs");
    await scene.world.vbox.run(["createvm", "--name", "copy", "--basefolder", theirs, "--uuid", uuid, "--register"]);
    await assertRefused(driver.create(scene.signal), "provider-exists", /Another virtual machine has the id/u);
    await assertRefused(driver.remove(scene.signal), "provider-exists", /lies elsewhere now/u);
    assert.deepEqual(await driver.findResources?.(scene.signal), []);
    assert.equal(scene.world.vbox.state.vms.length, 1);
  });

  test("a machine of its name is another's: both live, and rm takes ours", async () => {
    await using scene = await openScene();
    const theirs = await addForeignVm(scene.world, "web");
    const driver = await scene.created();
    assert.equal(scene.world.vbox.state.vms.length, 2);
    await driver.remove(scene.signal);
    assert.deepEqual(
      scene.world.vbox.state.vms.map(({ uuid }) => uuid),
      [theirs],
    );
  });
});

describe("behind our back", () => {
  test("its settings are deleted: an error that is told, and rm takes the entry", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await driver.kill(scene.signal);
    rmSync(scene.world.vbox.state.vms[0]?.settingsFile ?? "");
    const later = await scene.reopened(driver);
    assert.equal(await later.getState(scene.signal), "Error");
    assert.match(later.stateProblem ?? "", /cannot read the settings of "web"/u);
    for (const verb of ["start", "stop", "kill", "restart"] as const)
      await assertRefused(later[verb](scene.signal), "provider-permission", /cannot read the settings/u);
    await later.remove(scene.signal);
    assert.deepEqual(scene.world.vbox.state.vms, []);
  });

  test("it is unregistered: it does not exist, in 0.16.2's words, and who looks as whom is told", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    scene.world.vbox.state.vms = [];
    assert.equal(await driver.getState(scene.signal), "");
    const error = await assertRefused(driver.start(scene.signal), "provider-not-found", /^machine does not exist: /u);
    assert.match(error.hint ?? "", /as the user who made it/u);
  });

  test("its disk is deleted: it does not start, and why", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await driver.kill(scene.signal);
    await scene.context.clock.sleep(5_000);
    rmSync(path.join(scene.context.machineDir, "disk.vdi"));
    await assertRefused(driver.start(scene.signal), "driver-failed", /Unable to start the VM: .*VERR_FILE_NOT_FOUND/u);
  });

  test("its interface is gone: another is made, and the machine put into it", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await driver.kill(scene.signal);
    await scene.context.clock.sleep(5_000);
    const { state } = scene.world.vbox;
    state.interfaces = [{ name: "vboxnet0", address: "192.168.61.1", netmask: "255.255.255.0" }];
    state.extra = {};
    await driver.start(scene.signal);
    // The name it had is another's now, and it is in that one's network: there is an interface of that name.
    assert.equal(await driver.getState(scene.signal), "Running");
    await driver.kill(scene.signal);
    await scene.context.clock.sleep(5_000);
    state.interfaces = [{ name: "vboxnet7", address: "192.168.61.1", netmask: "255.255.255.0" }];
    await driver.start(scene.signal);
    assert.equal((await configOf(driver))["HostOnlyName"], "vboxnet0");
    assert.deepEqual(
      state.interfaces.map(({ name, address }) => `${name} ${address}`),
      ["vboxnet7 192.168.61.1", "vboxnet0 192.168.59.1"],
    );
  });

  test("a disk of others was attached: it survives rm", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await driver.kill(scene.signal);
    await scene.context.clock.sleep(5_000);
    const theirs = path.join(scene.world.folder, "data.vdi");
    await scene.world.vbox.run(["convertfromraw", "stdin", theirs, "1048576"], Buffer.from("data"));
    const [vm] = scene.world.vbox.state.vms;
    const port = ["--storagectl", "SATA", "--port", "2", "--device", "0", "--type", "hdd", "--medium", theirs];
    assert.equal((await scene.world.vbox.run(["storageattach", vm?.uuid ?? "", ...port])).status, 0);
    await driver.remove(scene.signal);
    assert.ok(existsSync(theirs));
    assert.deepEqual(scene.world.vbox.state.vms, []);
  });

  test("a disk of others in the machine's folder, which goes, holds up rm until it is moved", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    const { vbox } = scene.world;
    const [vm] = vbox.state.vms;
    // Where VirtualBox's window puts it.
    const theirs = path.join(path.dirname(vm?.settingsFile ?? ""), "data.vdi");
    await vbox.run(["convertfromraw", "stdin", theirs, "1048576"], Buffer.from("data"));
    const port = ["--storagectl", "SATA", "--port", "2", "--device", "0"];
    await driver.kill(scene.signal);
    await scene.context.clock.sleep(5_000);
    await vbox.run(["storageattach", vm?.uuid ?? "", ...port, "--type", "hdd", "--medium", theirs]);
    await assertRefused(driver.remove(scene.signal), "driver-failed", /in the folder of "web": .*data\.vdi$/u);
    assert.ok(existsSync(theirs));
    assert.equal(vbox.state.vms.length, 1);
    await vbox.run(["storageattach", vm?.uuid ?? "", ...port, "--medium", "none"]);
    renameSync(theirs, path.join(scene.world.folder, "data.vdi"));
    await driver.remove(scene.signal);
    assert.deepEqual(vbox.state.vms, []);
  });
});
