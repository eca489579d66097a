/** What becomes of each way to make a machine: the VM as vSphere has it, what its guest is told, and what goes when it goes. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import { tarArchive } from "../../../src/driver-kit/guest/tar.ts";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { assertRefused, configOf } from "../driver-scene.ts";
import { bootableImage, digestOf, openScene, resourcesOf, type Scene } from "./scene.ts";
import { readSeed } from "./seed-reading.ts";
import { password, vcsimMissing, type LabVm } from "./vcsim.ts";

interface UserData {
  readonly users: readonly { readonly name?: string; readonly ssh_authorized_keys?: readonly string[] }[];
  readonly packages?: readonly string[];
  readonly ssh_keys: Readonly<Record<string, string>>;
}

async function seedOf({ vcenter }: Scene, name = "web") {
  const seed = readSeed(await vcenter.state(), await vcenter.vm(name));
  assert.ok(seed !== undefined, "there is no seed");
  const userData = JSON.parse(seed.userData.slice(seed.userData.indexOf("\n"))) as UserData;
  return { ...seed, userData, metaData: JSON.parse(seed.metaData) as Readonly<Record<string, string>> };
}

function kindsOf(vm: LabVm, pattern: RegExp) {
  return vm.devices.filter(({ kind }) => pattern.test(kind));
}

async function located(scene: Scene, driver: Driver): Promise<string> {
  await driver.locate?.(scene.signal);
  return await driver.getIp();
}

describe("a machine on vSphere", { skip: vcsimMissing }, () => {
  test("comes from an image, which is brought there once and cloned", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.created({ "vmwarevsphere-cpu-count": 3, "vmwarevsphere-network": ["VM Network", "DC0_DVPG0"] });
    const vm = await vcenter.vm("web");
    assert.equal(digestOf(vcenter.disks[0] ?? Buffer.alloc(0)), digestOf(await readFile(await bootableImage())));
    assert.deepEqual([vm.cpus, vm.memoryMB, vm.state, vm.template], [3, 1024, "poweredOn", false]);
    assert.deepEqual(
      kindsOf(vm, /Disk/u).map(({ capacityKB }) => capacityKB),
      [64 * 1024],
    );
    const cards = kindsOf(vm, /Vmxnet3/u);
    assert.deepEqual([kindsOf(vm, /E1000/u).length, cards.length], [0, 2]);
    assert.equal(cards[0]?.network, "VM Network");
    assert.match(cards[1]?.network ?? "", /^dvportgroup-/u);
    assert.equal(vm.extraConfig["guestinfo.docker-machine.create-id"], "test-web");

    const { userData, metaData, networkConfig } = await seedOf(scene);
    assert.deepEqual(
      [metaData["local-hostname"], userData.users.map(({ name }) => name), userData.packages],
      ["web", ["docker"], ["open-vm-tools"]],
    );
    const told = JSON.parse(networkConfig ?? "{}") as { ethernets: Record<string, { match: { macaddress: string } }> };
    assert.deepEqual(
      Object.values(told.ethernets).map(({ match }) => match.macaddress),
      cards.map(({ mac }) => mac),
    );
    const hostKeys = await driver.hostKeys?.();
    assert.deepEqual(
      hostKeys,
      [userData.ssh_keys["ed25519_public"], userData.ssh_keys["ecdsa_public"]].map((key) =>
        key?.split(" ").slice(0, 2).join(" "),
      ),
    );
    assert.equal(await located(scene, driver), vcenter.addressOf(vm.ref));

    const templates = (await vcenter.state()).vms.filter(({ template }) => template);
    assert.equal(templates.length, 1);
    await driver.remove(signal);
    // A second machine finds the template.
    const before = vcenter.calls("ImportVApp");
    await (await scene.created()).remove(signal);
    assert.equal(vcenter.calls("ImportVApp"), before);
    const left = (await vcenter.state()).vms.filter(({ template }) => template);
    assert.deepEqual(left, templates, "the template is everybody's");
    assert.deepEqual(
      (await resourcesOf(vcenter)).filter(({ kind }) => kind !== "instance"),
      [],
    );
  });

  test("is a clone of a template or a VM, whose cards make way and whose disk grows", async () => {
    await using scene = await openScene();
    const { vcenter } = scene;
    await vcenter.lab("vm", { name: "golden", datastore: "LocalDS_1", template: true });
    await scene.created({
      "vmwarevsphere-clone-from": "golden",
      "vmwarevsphere-disk-size": 3072,
      "vmwarevsphere-cfgparam": ["a.b=c=d"],
    });
    const vm = await vcenter.vm("web");
    assert.deepEqual(
      kindsOf(vm, /Disk/u).map(({ capacityKB }) => capacityKB),
      [3072 * 1024],
    );
    assert.deepEqual([kindsOf(vm, /E1000/u).length, kindsOf(vm, /Vmxnet3/u).length], [0, 1]);
    assert.equal(vm.extraConfig["a.b"], "c=d");
    assert.equal((await seedOf(scene)).userData.packages, undefined);
    assert.match(vm.vmPathName, /^\[LocalDS_0\]/u);
    assert.equal(vcenter.calls("ImportVApp"), 0);
  });

  test("is told what it is in its settings where that is wanted, and both kinds of seed are taken back", async () => {
    for (const kind of ["iso", "guestinfo"] as const) {
      await using scene = await openScene();
      const { vcenter, signal } = scene;
      const flags = { "vmwarevsphere-clone-from": "DC0_H0_VM0", "vmwarevsphere-seed": kind };
      const driver = await scene.reopened(await scene.created(flags));
      assert.equal((await seedOf(scene)).from, kind === "iso" ? "disc" : "settings");
      assert.equal(driver.hostKeysExposed, true);
      for (let time = 1; time <= 2; time += 1) await driver.withdrawSecrets?.(signal);
      const state = await vcenter.state();
      const vm = await vcenter.vm("web");
      assert.equal(readSeed(state, vm), undefined);
      assert.deepEqual(
        state.files.filter((file) => /seed\.iso$/u.test(file)),
        [],
      );
      assert.equal(vm.state, "poweredOn");
      await driver.restart(signal);
      await driver.remove(signal);
      await assert.rejects(vcenter.vm("web"));
    }
  });

  test("sends its disk to the host that has the datastore, which proves itself as vCenter says, and gets no session", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const host = await vcenter.openDiskHost();
    const { thumbprint } = host;
    host.thumbprint = vcenter.thumbprintSha1;
    const driver = await scene.checked();
    await assertRefused(driver.create(signal), "provider-untrusted", /does not prove who it is/u);
    assert.deepEqual(vcenter.disks, []);
    host.thumbprint = thumbprint;
    await (await scene.reopened(driver)).create(signal);
    assert.equal(vcenter.disks.length, 1);
  });

  test("is made on an ESXi host by itself, without a template", async () => {
    await using scene = await openScene({ model: "esx" });
    const { vcenter, signal } = scene;
    const driver = await scene.created();
    const vm = await vcenter.vm("web");
    assert.equal(vm.state, "poweredOn");
    assert.equal(vcenter.calls("CloneVM_Task"), 0);
    assert.deepEqual((await seedOf(scene)).userData.packages, ["open-vm-tools"]);
    assert.equal(await located(scene, driver), vcenter.addressOf(vm.ref));
    await driver.remove(signal);
    assert.deepEqual(
      (await vcenter.state()).vms.map(({ name }) => name.replace(/_VM\d$/u, "")),
      ["ha-host"],
    );
  });

  test("boots a CD as 0.16.2's did, with a disk that asks to be formatted", async () => {
    await using scene = await openScene();
    const { vcenter, signal, context } = scene;
    const iso = path.join(context.storePath, "b2d.iso");
    await writeFile(iso, isoImage("b2d", { version: "1" }));
    const driver = await scene.created({ "vmwarevsphere-image": "default", "vmwarevsphere-boot2docker-url": iso });
    const vm = await vcenter.vm("web");
    const [disc] = kindsOf(vm, /Cdrom/u).filter(({ file }) => file !== "");
    assert.match(disc?.file ?? "", /^\[LocalDS_0\] .*boot2docker\.iso$/u);
    const head = tarArchive([{ path: "boot2docker, please format-me", mode: 0o644, content: "boot2docker, please format-me" }]);
    assert.deepEqual(vcenter.disks[0]?.subarray(0, 512), Buffer.from(head).subarray(0, 512));
    assert.deepEqual([await driver.hostKeys?.(), driver.hostKeysExposed, vm.state], ["none", false, "poweredOn"]);
    await driver.remove(signal);
    assert.deepEqual(
      (await vcenter.state()).files.filter((file) => file.includes("boot2docker")),
      [],
    );
  });

  test("goes where a cluster of datastores recommends", async () => {
    await using scene = await openScene();
    const pod = await scene.vcenter.lab<string>("pod", { datastore: "LocalDS_1" });
    await scene.created({
      "vmwarevsphere-datastore": "",
      "vmwarevsphere-datastore-cluster": pod,
      "vmwarevsphere-clone-from": "DC0_H0_VM0",
    });
    assert.match((await scene.vcenter.vm("web")).vmPathName, /^\[LocalDS_1\]/u);
  });

  test("is found wherever it was moved and whatever it is called, and another of its name is not it", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.created({ "vmwarevsphere-clone-from": "DC0_H0_VM0" });
    const { ref, instanceUuid } = await vcenter.vm("web");
    await vcenter.lab("rename", { vm: ref, name: "renamed-by-others" });
    await vcenter.lab("vm", { name: "web", datastore: "LocalDS_0" });
    const later = await scene.reopened(driver);
    assert.equal(await later.getState(signal), "Running");
    assert.deepEqual(await later.findResources?.(signal), [
      { kind: "instance", id: instanceUuid },
      { kind: "seed", id: "[LocalDS_0] web/docker-machine-seed.iso" },
    ]);
    await later.remove(signal);
    const names = (await vcenter.state()).vms.map(({ name }) => name);
    assert.deepEqual([names.includes("renamed-by-others"), names.includes("web")], [false, true]);
  });

  test("is suspended and goes on; restarts where the tools do not run; is switched off where it does not listen", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    const driver = await scene.created({
      "vmwarevsphere-clone-from": "DC0_H0_VM0",
      "vmwarevsphere-graceful-shutdown-timeout": 7,
    });
    await driver.suspend?.(signal);
    assert.equal(await driver.getState(signal), "Saved");
    await driver.start(signal);
    assert.equal(await driver.getState(signal), "Running");
    vcenter.hasTools = false;
    await driver.restart(signal);
    assert.equal(vcenter.calls("ResetVM_Task"), 1);
    await driver.stop(signal);
    assert.match(scene.lines().at(-1) ?? "", /cannot be asked to shut down; it is switched off/u);
    assert.equal(await driver.getState(signal), "Stopped");
    Object.assign(vcenter, { hasTools: true, isDeaf: true });
    await driver.start(signal);
    const startedMs = scene.clock.monotonicMs();
    await driver.stop(signal);
    assert.ok(scene.clock.monotonicMs() - startedMs >= 7_000);
    assert.match(scene.lines().at(-1) ?? "", /did not shut down within 7 s; it is switched off/u);
    assert.equal(await driver.getState(signal), "Stopped");
  });

  test("takes its address from the first network's card, not from bridges inside of the guest", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    Object.assign(vcenter, { hasDhcp: false, strayAddresses: ["fe80::1", "169.254.3.4"] });
    const driver = await scene.created({
      "vmwarevsphere-clone-from": "DC0_H0_VM0",
      "vmwarevsphere-network": ["VM Network", "VM Network"],
    });
    const { ref } = await vcenter.vm("web");
    assert.equal(await located(scene, driver), "198.51.100.10", "the second card has one");
    Object.assign(vcenter, { hasDhcp: true });
    await vcenter.tell(ref);
    assert.equal(await located(scene, driver), vcenter.addressOf(ref));
    vcenter.hasTools = false;
    await vcenter.tell(ref);
    assert.equal(await located(scene, driver), "");
    await driver.kill(signal);
  });

  test("that never gets an address says what is missing, once", async () => {
    for (const [world, words] of [
      [{ hasTools: false }, /^No IP of "web" despite waiting for one: VMware Tools do not run in the guest/u],
      [{ hasDhcp: false }, /check DHCP status/u],
    ] as const) {
      await using scene = await openScene();
      Object.assign(scene.vcenter, world);
      const driver = await scene.created({ "vmwarevsphere-clone-from": "DC0_H0_VM0" });
      for (let count = 0; count < 30; count += 1) {
        assert.equal(await located(scene, driver), "");
        await scene.clock.sleep(5_000);
      }
      assert.deepEqual(
        scene
          .lines()
          .map((line) => words.test(line))
          .filter(Boolean),
        [true],
      );
    }
  });

  test("is made in an inventory that is told in parts", async () => {
    await using scene = await openScene();
    const { vcenter, signal } = scene;
    for (const name of ["a", "b", "c"]) await vcenter.lab("vm", { name, datastore: "LocalDS_0" });
    vcenter.pageSize = 1;
    await (await scene.created({ "vmwarevsphere-clone-from": "c" })).remove(signal);
    assert.ok(vcenter.calls("ContinueRetrievePropertiesEx") >= 3);
  });

  test("keeps its password out of its record, and its session ends with the command", async () => {
    await using scene = await openScene();
    const driver = await scene.checked();
    await driver.close?.();
    assert.equal(scene.vcenter.calls("Logout"), 1);
    const config = await configOf(driver);
    assert.equal(config["Password"], password, "the core conceals what the flag gave");
    assert.deepEqual(
      [config["Network"], config["CPUS"], config["DatacenterPath"], config["DatastoreName"]],
      ["VM Network", 2, "DC0", "LocalDS_0"],
    );
  });
});
