/** The driver on the product's own VBoxManage: all that needs no running machine. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import { parseDhcpServers, parseExtraData } from "../../../src/drivers/virtualbox/listings.ts";
import { command } from "../../lab/command.ts";
import { nothing, RealScene } from "./real-scene.ts";
import { provideVBoxManage } from "./real-vboxmanage.ts";
import { assertRefused, configOf } from "../driver-scene.ts";

const provided = await provideVBoxManage();
const skip = "reason" in provided ? provided.reason : false;

async function open(): Promise<RealScene> {
  assert.ok("tree" in provided);
  return await RealScene.open(provided.tree);
}

describe("the real VBoxManage", { skip }, () => {
  test("makes the machine that was asked for, with its disk, its seed, its ports and cards", async () => {
    await using scene = await open();
    const { context } = scene;
    await scene.vbox.setInterface("192.168.59.1/24");
    await scene.vbox.run(
      "dhcpserver",
      "modify",
      "--netname",
      "HostInterfaceNetworking-vboxnet0",
      "--ip",
      "192.168.59.2",
      "--netmask",
      "255.255.255.0",
      "--lowerip",
      "192.168.59.100",
      "--upperip",
      "192.168.59.254",
      "--enable",
    );
    const driver = await scene.made({
      "virtualbox-cpu-count": 2,
      "virtualbox-memory": 2048,
      "virtualbox-disk-size": 30_000,
      "virtualbox-no-share": false,
      "virtualbox-share-folder": `${scene.vbox.folder}:work`,
    });
    const config = await configOf(driver);
    const info = await scene.info(driver);
    assert.deepEqual(
      { ...info, logFolder: undefined },
      {
        uuid: config["VmUuid"],
        name: "web",
        settingsFile: path.join(context.machineDir, "vbox/web/web.vbox"),
        logFolder: undefined,
        state: "poweroff",
        cpus: 2,
        memory: 2048,
        attachments: [
          { controller: "SATA", port: 0, device: 0, medium: path.join(context.machineDir, "disk.vdi") },
          { controller: "SATA", port: 1, device: 0, medium: path.join(context.machineDir, "seed.iso") },
        ],
        forwards: [{ name: "ssh", hostPort: config["SSHPort"], guestPort: 22 }],
        hostOnlyName: "vboxnet0",
        hostOnlyMac: config["HostOnlyMac"],
      },
    );
    const medium = await scene.vbox.run("showmediuminfo", "disk", path.join(context.machineDir, "disk.vdi"));
    assert.match(medium, /^Capacity: +30000 MBytes$/mu);
    assert.match(medium, new RegExp(`^UUID: +${String(config["DiskUuid"])}$`, "mu"));
    const seed = readFileSync(path.join(context.machineDir, "seed.iso"), "latin1");
    for (const mac of [config["NatMac"], config["HostOnlyMac"]])
      assert.ok(
        seed.includes(String(mac).toLowerCase().match(/../gu)?.join(":") ?? "no"),
        "the seed's network-config names each card",
      );
    assert.ok(seed.includes("vboxsf"));
    const long = await scene.vbox.run("showvminfo", String(config["VmUuid"]));
    assert.match(long, /Name: 'work', Host path: /u);
    await driver.remove(scene.signal);
    assert.deepEqual(await scene.remains(), nothing);
    assert.ok(!existsSync(path.join(context.machineDir, "disk.vdi")));
  });

  test("goes on with a machine that was cut off at any step, and gives its id to no second one", async () => {
    await using scene = await open();
    const nat = { "virtualbox-network": "nat" };
    const driver = await scene.made(nat);
    const { uuid } = await scene.info(driver);
    const again = await scene.reopened(driver);
    await scene.assertNotStarted(again);
    assert.equal(await scene.vbox.run("list", "vms"), `"web" {${uuid}}`);
    assert.deepEqual(await again.findResources?.(scene.signal), [{ kind: "instance", id: uuid }]);
    // As after a kill before the record said that the machine is whole: it is made anew under the same id.
    const former = await scene.reopened(driver, { Created: false });
    await scene.assertNotStarted(former);
    assert.equal(await scene.vbox.run("list", "vms"), `"web" {${uuid}}`);
    // As after a kill in createvm: settings that nobody knows.
    await scene.vbox.run("unregistervm", uuid);
    assert.ok(existsSync(path.join(scene.context.machineDir, "vbox/web/web.vbox")));
    const third = await scene.reopened(driver, { Created: false });
    await scene.assertNotStarted(third);
    await third.remove(scene.signal);
    await third.remove(scene.signal);
    assert.deepEqual(await scene.remains(), nothing);
  });

  test("leaves alone a machine of the same name, a disk of others that was attached, and others' DHCP servers", async () => {
    await using scene = await open();
    const theirs = path.join(scene.vbox.folder, "theirs");
    await scene.vbox.run("createvm", "--name", "web", "--basefolder", theirs, "--ostype", "Debian_64", "--register");
    await scene.vbox.run("createmedium", "disk", "--filename", path.join(theirs, "data.vdi"), "--size", "10");
    const before = await scene.vbox.run("list", "dhcpservers");
    const driver = await scene.made({ "virtualbox-network": "nat" });
    const { uuid } = await scene.info(driver);
    await scene.vbox.run(
      "storageattach",
      uuid,
      "--storagectl",
      "SATA",
      "--port",
      "1",
      "--device",
      "0",
      "--type",
      "hdd",
      "--medium",
      path.join(theirs, "data.vdi"),
    );
    await (await scene.reopened(driver)).remove(scene.signal);
    assert.match(await scene.vbox.run("list", "vms"), /^"web" \{[0-9a-f-]+\}\n?$/u);
    assert.ok(existsSync(path.join(theirs, "web/web.vbox")) && existsSync(path.join(theirs, "data.vdi")));
    assert.match(await scene.vbox.run("list", "hdds"), /data\.vdi/u);
    assert.equal(await scene.vbox.run("list", "dhcpservers"), before);
  });

  test("does not touch the id of a copy that was registered elsewhere", async () => {
    await using scene = await open();
    const driver = await scene.checked({ "virtualbox-network": "nat" });
    const uuid = String((await configOf(driver))["VmUuid"]);
    await scene.vbox.run(
      "createvm",
      "--name",
      "copy",
      "--basefolder",
      path.join(scene.vbox.folder, "theirs"),
      "--uuid",
      uuid,
      "--ostype",
      "Debian_64",
      "--register",
    );
    await assertRefused(driver.create(scene.signal), "provider-exists", /Another virtual machine has the id/u);
    await assertRefused(driver.remove(scene.signal), "provider-exists", /lies elsewhere now, in .*copy\.vbox/u);
    await assertRefused(scene.checked(), "provider-exists", /Another virtual machine has the id/u);
    assert.equal((await scene.vbox.run("list", "vms")).trim(), `"copy" {${uuid}}`);
  });

  test("whose settings are deleted behind our back: told, and removed", async () => {
    await using scene = await open();
    const driver = await scene.made({ "virtualbox-network": "nat" });
    const { uuid, settingsFile } = await scene.info(driver);
    rmSync(settingsFile);
    // It reads them when it starts.
    await scene.vbox.restart();
    const later = await scene.reopened(driver);
    assert.equal(await later.getState(scene.signal), "Error");
    assert.match(later.stateProblem ?? "", /cannot read the settings of "web"/u);
    await assertRefused(later.start(scene.signal), "provider-permission", /cannot read the settings/u);
    assert.deepEqual(await later.findResources?.(scene.signal), [{ kind: "instance", id: uuid }]);
    await later.remove(scene.signal);
    assert.deepEqual((await scene.remains()).slice(0, 1), [""]);
    assert.equal(await later.getState(scene.signal), "");
    await assertRefused(later.start(scene.signal), "provider-not-found", /^machine does not exist/u);
  });

  test("allows no network that networks.conf does not, and the line to add is told", async () => {
    await using scene = await open();
    await scene.vbox.run("setextradata", "global", "docker-machine/hostonly/vboxnet0", "new 192.168.99.1/24");
    await assertRefused(
      scene.checked({ "virtualbox-hostonly-cidr": "192.168.99.1/24" }),
      "driver-options",
      /allows 192\.168\.56\.0\/21/u,
    );
    // The file that was read may be another than VirtualBox reads: its own refusal is explained as well.
    await scene.vbox.setInterface("");
    const driver = await scene.configured({ "virtualbox-hostonly-cidr": "192.168.99.1/24" });
    const error = await assertRefused(
      driver.create(scene.signal),
      "provider-permission",
      /does not allow the network 192\.168\.99\.1\/24/u,
    );
    assert.match(error.hint ?? "", /\* 192\.168\.99\.0\/24/u);
  });

  test("gives an interface of ours its address and its DHCP server, and says what is missing where none can be made", async () => {
    await using scene = await open();
    await scene.vbox.setInterface("");
    await scene.vbox.run("setextradata", "global", "docker-machine/hostonly/vboxnet0", "new 192.168.59.1/24");
    const driver = await scene.made();
    assert.match(await scene.vbox.run("list", "hostonlyifs"), /^IPAddress: +192\.168\.59\.1$/mu);
    const [server] = parseDhcpServers(await scene.vbox.run("list", "dhcpservers"));
    assert.deepEqual(server, {
      ...{ networkName: "HostInterfaceNetworking-vboxnet0", address: "192.168.59.2", netmask: "255.255.255.0" },
      ...{ lower: "192.168.59.100", upper: "192.168.59.254", isEnabled: true },
    });
    const marks = parseExtraData(await scene.vbox.run("getextradata", "global", "enumerate"));
    assert.equal(marks.get("docker-machine/hostonly/vboxnet0"), "192.168.59.1/24");
    const former = "192.168.56.100 255.255.255.0 192.168.56.101 192.168.56.254 on";
    assert.equal(marks.get("docker-machine/dhcp/HostInterfaceNetworking-vboxnet0"), former);
    // The lease of its card, as VirtualBox's DHCP server writes it.
    const { HostOnlyMac: mac } = await configOf(driver);
    const leases = path.join(scene.vbox.env["VBOX_USER_HOME"] ?? "", "HostInterfaceNetworking-vboxnet0-Dhcpd.leases");
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getIp(), "");
    const lease = `<Lease mac="${String(mac).toLowerCase().match(/../gu)?.join(":")}" network="0.0.0.0" state="acked"><Address value="192.168.59.117"/><Time issued="${Math.floor(Date.now() / 1000)}" expiration="600"/></Lease>`;
    writeFileSync(leases, `<?xml version="1.0"?>\n<Leases version="1.0">${lease}</Leases>\n`);
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getUrl(), "tcp://192.168.59.117:2376");
    const other = await scene.checked({ "virtualbox-hostonly-cidr": "192.168.60.1/24" });
    await assertRefused(other.create(scene.signal), "provider-unsupported", /kernel module is not loaded/u);
  });

  test("with a full disk it says so, and rm takes away what is there", async () => {
    await using scene = await open();
    const { machineDir } = scene.context;
    await command("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", machineDir]);
    try {
      const driver = await scene.configured({ "virtualbox-network": "nat" });
      await assertRefused(driver.create(scene.signal), "disk-full", /no room for the virtual machine: .*VERR_DISK_FULL/u);
      await driver.remove(scene.signal);
      assert.deepEqual(await scene.remains(), nothing);
    } finally {
      await command("umount", [machineDir]);
    }
  });

  test("makes a machine for ARM as on a Mac with Apple's processor", async () => {
    await using scene = await open();
    const arm = await scene.another("arm", { arch: "arm64" });
    await assertRefused(arm.create(scene.signal), "provider-unsupported", /cannot run a machine of that architecture/u);
    const long = await scene.vbox.run("showvminfo", String((await configOf(arm))["VmUuid"]), "--machinereadable");
    assert.match(long, /^platformArchitecture="ARM"$/mu);
    assert.match(long, /^firmware="EFI64"$/mu);
    await arm.remove(scene.signal);
    assert.deepEqual(await scene.remains(), nothing);
  });

  test("understands names and paths of all alphabets", async () => {
    await using scene = await open();
    const folder = path.join(scene.vbox.folder, "grün");
    mkdirSync(folder);
    const driver = await scene.made({
      "virtualbox-network": "nat",
      "virtualbox-no-share": false,
      "virtualbox-share-folder": `${folder}:work`,
    });
    assert.ok((await scene.vbox.run("showvminfo", (await scene.info(driver)).uuid)).includes(`Host path: '${folder}'`));
  });

  test("makes eight machines side by side", async () => {
    await using scene = await open();
    const names = Array.from({ length: 8 }, (_, index) => `m${index}`);
    const drivers = await Promise.all(names.map(async (name) => await scene.another(name)));
    await Promise.all(drivers.map(async (driver) => await scene.assertNotStarted(driver)));
    const listed = (await scene.vbox.run("list", "vms")).split("\n");
    assert.equal(listed.length, 8);
    await Promise.all(drivers.map(async (driver) => await driver.remove(scene.signal)));
    assert.deepEqual(await scene.remains(), nothing);
  });
});
