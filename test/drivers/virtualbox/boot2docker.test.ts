/** Machines of boot2docker: those of 0.16.2's records, from a CD that is given, and imported ones. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import { assertRefused, configOf } from "../driver-scene.ts";
import { addForeignVm, openScene, recordOf016, type Scene } from "./scene.ts";

const cd = Buffer.concat([isoImage("b2d", { version: "19.03.12" }), Buffer.alloc(2048)]);

/** A machine as 0.16.2 made it, whose record knows it by its name alone. */
async function madeBy016(scene: Scene, more: object = {}): Promise<Driver> {
  const { vbox } = scene.world;
  const { machineDir } = scene.context;
  writeFileSync(path.join(machineDir, "boot2docker.iso"), cd);
  vbox.state.interfaces.push({ name: "vboxnet0", address: "192.168.99.1", netmask: "255.255.255.0" });
  // By its id: by name the first machine of that name would be changed, which is another's.
  const uuid = "72651520-b852-46df-84ae-9ce41f282fa1";
  const attach = (port: number, type: string, file: string) => [
    ...["storageattach", uuid, "--storagectl", "SATA", "--port", String(port), "--device", "0", "--type", type],
    ...["--medium", path.join(machineDir, file)],
  ];
  const calls = [
    ["createvm", "--basefolder", machineDir, "--name", "web", "--uuid", uuid, "--register"],
    [
      "modifyvm",
      "web",
      "--cpus",
      "1",
      "--memory",
      "1024",
      "--boot1",
      "dvd",
      "--nic1",
      "nat",
      "--natpf1",
      "ssh,tcp,127.0.0.1,32683,,22",
    ],
    ["modifyvm", uuid, "--nic2", "hostonly", "--hostonlyadapter2", "vboxnet0", "--macaddress2", "080027AABB01"],
    ["storagectl", uuid, "--name", "SATA", "--add", "sata", "--hostiocache", "on"],
    attach(0, "dvddrive", "boot2docker.iso"),
    ["convertfromraw", "stdin", path.join(machineDir, "disk.vmdk"), "20971520000", "--format", "VMDK"],
    attach(1, "hdd", "disk.vmdk"),
  ];
  for (const call of calls) {
    const { status, stderr } = await vbox.run(call, Buffer.from("a disk"));
    assert.equal(status, 0, stderr);
  }
  return scene.world.module.open(scene.context, JSON.stringify(recordOf016({ SSHPort: 32_683, ...more })));
}

describe("a record of 0.16.2", () => {
  test("leads to the machine in its folder, beside another of the name, for a whole life", async () => {
    await using scene = await openScene({}, { createId: undefined });
    const theirs = await addForeignVm(scene.world, "web");
    const driver = await madeBy016(scene);
    const own = scene.world.vbox.state.vms.find(({ uuid }) => uuid !== theirs);
    assert.ok(own !== undefined);
    assert.equal(await driver.getState(scene.signal), "Stopped");
    await driver.start(scene.signal);
    assert.equal(own.state, "running");
    own.properties["/VirtualBox/GuestInfo/Net/1/V4/IP"] = "192.168.99.105";
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getUrl(), "tcp://192.168.99.105:2376");
    assert.deepEqual(
      [await driver.getSshHostname(), await driver.getSshPort(), await driver.getSshUsername()],
      ["127.0.0.1", 32_683, "docker"],
    );
    assert.equal(await driver.hostKeys?.(), "none");
    await scene.context.clock.sleep(5_000);
    await driver.stop(scene.signal);
    assert.deepEqual(await driver.findResources?.(scene.signal), [{ kind: "instance", id: own.uuid }]);
    await driver.remove(scene.signal);
    assert.deepEqual(
      scene.world.vbox.state.vms.map(({ uuid }) => uuid),
      [theirs],
    );
    assert.deepEqual(scene.world.vbox.state.media, []);
    for (const file of ["disk.vmdk", "boot2docker.iso", "web"])
      assert.ok(!existsSync(path.join(scene.context.machineDir, file)), file);
    assert.deepEqual(
      scene.world.vbox.state.interfaces.map(({ name }) => name),
      ["vboxnet0"],
      "0.16.2's interface is no longer anybody's to remove",
    );
  });

  test("whose machine is gone matches no other of the name", async () => {
    await using scene = await openScene({}, { createId: undefined });
    const theirs = await addForeignVm(scene.world, "web");
    const driver = scene.world.module.open(scene.context, JSON.stringify(recordOf016()));
    assert.equal(await driver.getState(scene.signal), "");
    await assertRefused(driver.start(scene.signal), "provider-not-found", /machine does not exist/u);
    await driver.remove(scene.signal);
    assert.deepEqual(
      scene.world.vbox.state.vms.map(({ uuid }) => uuid),
      [theirs],
    );
  });

  test("reads ours: the two objects are never null, and the port leads to SSH", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    const config = await configOf(driver);
    const keys = Object.keys(recordOf016());
    assert.deepEqual(Object.keys(config).slice(0, keys.length), keys);
    assert.deepEqual([config["VBoxManager"], config["HostInterfaces"]], [{}, {}]);
    assert.equal(config["SSHPort"], scene.world.vbox.state.vms[0]?.cards[0].forwards[0]?.hostPort);
    for (const key of keys) assert.equal(typeof config[key], typeof recordOf016()[key], key);
  });
});

describe("a CD that is given", () => {
  test("is what the machine starts from, with a disk that it is to format", async () => {
    await using scene = await openScene();
    const given = path.join(scene.world.folder, "b2d.iso");
    writeFileSync(given, cd);
    const driver = await scene.created({ "virtualbox-image": "default", "virtualbox-boot2docker-url": `file://${given}` });
    const [vm] = scene.world.vbox.state.vms;
    const file = (name: string): string => path.join(scene.context.machineDir, name);
    assert.deepEqual(
      vm?.controllers[0]?.ports.map(({ port, kind, medium }) => [port, kind, medium]),
      [
        [0, "dvddrive", file("boot2docker.iso")],
        [1, "hdd", file("disk.vdi")],
      ],
    );
    assert.deepEqual([vm?.settings["boot1"], vm?.cards[0].type, vm?.cards[1].type], ["dvd", "82540EM", "82540EM"]);
    const disk = readFileSync(file("disk.vdi"), "latin1");
    assert.ok(disk.startsWith("boot2docker, please format-me"));
    assert.ok(disk.includes(readFileSync(file("id_rsa.pub"), "utf8").trim()));
    assert.equal(scene.world.vbox.state.headers[file("disk.vdi")]?.sizeMiB, 20_000);
    assert.equal(await driver.hostKeys?.(), "none");
    await driver.remove(scene.signal);
    assert.deepEqual([scene.world.vbox.state.vms, scene.world.vbox.state.media], [[], []]);
  });

  test("is not for ARM, and takes no user data", async () => {
    await using scene = await openScene({ computer: { arch: "arm64" } });
    const flags = { "virtualbox-image": "default", "virtualbox-boot2docker-url": "b.iso" };
    await assertRefused(scene.checked(flags), "driver-options", /boot2docker is for x86-64/u);
    await assertRefused(
      scene.configured({ ...flags, "virtualbox-ssh-user": "me" }),
      "driver-options",
      /boot2docker takes neither/u,
    );
  });
});

describe("importing", () => {
  const flags = { "virtualbox-image": "default", "virtualbox-import-boot2docker-vm": "boot2docker-vm" };

  async function withSource(scene: Scene): Promise<string> {
    const { vbox, folder } = scene.world;
    await addForeignVm(scene.world, "boot2docker-vm");
    writeFileSync(path.join(folder, "source.iso"), cd);
    await vbox.run(["convertfromraw", "stdin", path.join(folder, "source.vmdk"), "20971520000"], Buffer.from("its disk"));
    await vbox.run(["modifyvm", "boot2docker-vm", "--cpus", "4", "--memory", "3000"]);
    await vbox.run(["storagectl", "boot2docker-vm", "--name", "SATA", "--add", "sata"]);
    for (const [port, type, file] of [
      ["0", "dvddrive", "source.iso"],
      ["1", "hdd", "source.vmdk"],
    ] as const) {
      const at = ["--storagectl", "SATA", "--port", port, "--device", "0", "--type", type];
      const { status, stderr } = await vbox.run(["storageattach", "boot2docker-vm", ...at, "--medium", path.join(folder, file)]);
      assert.equal(status, 0, stderr);
    }
    const keys = path.join(folder, "home/.ssh");
    mkdirSync(keys, { recursive: true });
    writeFileSync(path.join(keys, "id_boot2docker"), "the key");
    return path.join(folder, "source.vmdk");
  }

  test("copies disk, CD and key, takes the sizes over, and leaves the source as it is", async () => {
    await using scene = await openScene();
    const source = await withSource(scene);
    const driver = await scene.created(flags);
    const own = scene.world.vbox.state.vms.find(({ name }) => name === "web");
    assert.deepEqual([own?.settings["cpus"], own?.settings["memory"]], ["4", "3000"]);
    assert.equal(readFileSync(path.join(scene.context.machineDir, "disk.vdi"), "utf8"), "its disk");
    assert.equal(readFileSync(await driver.getSshKeyPath(), "utf8"), "the key");
    await driver.remove(scene.signal);
    assert.ok(existsSync(source));
    assert.deepEqual(
      scene.world.vbox.state.vms.map(({ name }) => name),
      ["boot2docker-vm"],
    );
    assert.deepEqual(scene.world.vbox.state.media, [], "the copy is no longer listed");
  });

  test("is refused for a machine that runs, that is not there, or whose key is lost", async () => {
    await using scene = await openScene();
    await assertRefused(scene.checked(flags), "driver-options", /No virtual machine is called boot2docker-vm/u);
    await withSource(scene);
    const [vm] = scene.world.vbox.state.vms;
    assert.ok(vm !== undefined);
    vm.state = "running";
    await assertRefused(scene.checked(flags), "driver-options", /boot2docker-vm is not switched off/u);
    assert.equal(vm.state, "running");
    vm.state = "poweroff";
    await scene.checked(flags);
    vm.controllers = [];
    await assertRefused(scene.checked(flags), "driver-options", /no CD and disk where boot2docker has them/u);
  });
});
