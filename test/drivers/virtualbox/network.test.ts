/** Host-only networks: found, made, marked, shared by machines, taken away with the last; those of others as they are. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { networkConfig } from "../../../src/driver-kit/guest/nocloud.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { FakeSshExecutor } from "../../../src/testing/fake-ssh-executor.ts";
import type { SshResult } from "../../../src/ssh/executor.ts";
import { testDriverContext } from "../../../src/testing/driver-context.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { readCd } from "../../support/iso-reader.ts";
import * as path from "node:path";
import { assertRefused, configOf } from "../driver-scene.ts";
import { openScene, type Scene } from "./scene.ts";

const theirs = { name: "vboxnet0", address: "192.168.57.1", netmask: "255.255.255.0" };
const fitting = { name: "vboxnet0", address: "192.168.59.1", netmask: "255.255.255.0" };

function serve(scene: Scene, change: object = {}): void {
  Object.assign(scene.world.vbox.state.dhcp[0] ?? {}, {
    lower: "192.168.59.100",
    upper: "192.168.59.254",
    enabled: true,
    ...change,
  });
}

function told({ world }: Scene): readonly string[] {
  return world.vbox.state.interfaces.map(({ name, address }) => `${name} ${address}`);
}

function changes({ world }: Scene): readonly string[] {
  return world.vbox.calls
    .filter(([command, action]) => command === "hostonlyif" || (command === "dhcpserver" && action !== "findlease"))
    .map((call) => call.slice(0, 2).join(" "));
}

describe("an interface", () => {
  test("is made where none fits, beside those of others, and goes with the machine", async () => {
    await using scene = await openScene();
    scene.world.vbox.state.interfaces.push({ ...theirs });
    const driver = await scene.created();
    assert.deepEqual(told(scene), ["vboxnet0 192.168.57.1", "vboxnet1 192.168.59.1"]);
    assert.equal(await driver.getIp(), "192.168.59.100");
    assert.deepEqual(changes(scene), ["hostonlyif create", "hostonlyif ipconfig", "dhcpserver add"]);
    await driver.remove(scene.signal);
    assert.deepEqual(told(scene), ["vboxnet0 192.168.57.1"]);
    assert.deepEqual(scene.world.vbox.state.extra, {});
    assert.deepEqual(
      scene.world.vbox.state.dhcp.map(({ networkName, lower }) => `${networkName} ${lower}`),
      ["HostInterfaceNetworking-vboxnet0 192.168.56.101"],
      "VirtualBox's own server is as it was",
    );
  });

  test("has the DHCP server that VirtualBox keeps for its name, which is put back with the last machine", async () => {
    await using scene = await openScene();
    const before = structuredClone(scene.world.vbox.state.dhcp);
    const driver = await scene.created();
    assert.equal(await driver.getIp(), "192.168.59.100");
    assert.equal(scene.world.vbox.state.dhcp[0]?.lower, "192.168.59.100");
    await driver.remove(scene.signal);
    assert.deepEqual(scene.world.vbox.state.dhcp, before);
    assert.deepEqual(scene.world.vbox.state.extra, {});
  });

  test("of others that fits is used as it is, and stays", async () => {
    await using scene = await openScene();
    scene.world.vbox.state.interfaces.push({ ...fitting });
    serve(scene);
    const driver = await scene.created();
    assert.deepEqual(changes(scene), []);
    await driver.remove(scene.signal);
    assert.deepEqual(told(scene), ["vboxnet0 192.168.59.1"]);
    assert.deepEqual(changes(scene), []);
  });

  test("of others without a DHCP server is given none: another way out is told, and a fixed address is one", async () => {
    await using scene = await openScene();
    scene.world.vbox.state.interfaces.push({ ...fitting });
    for (const change of [{ enabled: false }, { lower: "10.0.0.1" }]) {
      serve(scene, change);
      const driver = await scene.checked();
      await assertRefused(driver.create(scene.signal), "driver-failed", /vboxnet0 is not docker-machine's, and no DHCP server/u);
      await driver.remove(scene.signal);
    }
    const fixed = await scene.created({ "virtualbox-hostonly-address": "192.168.59.9" });
    assert.equal(await fixed.getIp(), "192.168.59.9");
    assert.deepEqual(changes(scene), []);
  });

  test("is shared by machines, and goes with the last, whoever made it", async () => {
    await using scene = await openScene();
    const first = await scene.created();
    await using other = await testDriverContext("other", { ...scene.world.context, createId: "test-other" });
    const second = scene.world.module.open(other.context, undefined);
    await second.setConfigFromFlags(optionsOf(scene.world.module, scene.world.flags));
    await second.preCreateCheck(scene.signal);
    await second.create(scene.signal);
    await first.remove(scene.signal);
    assert.deepEqual(told(scene), ["vboxnet0 192.168.59.1"]);
    assert.deepEqual(await first.findResources?.(scene.signal), []);
    await second.remove(scene.signal);
    assert.deepEqual(told(scene), []);
  });

  test("that is another's by now, though of the name that ours had, stays", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    scene.world.vbox.state.interfaces = [{ name: "vboxnet0", address: "192.168.61.1", netmask: "255.255.255.0" }];
    await driver.remove(scene.signal);
    assert.deepEqual(told(scene), ["vboxnet0 192.168.61.1"]);
  });

  test("of which there are two of one name or address is refused in 0.16.2's words", async () => {
    await using scene = await openScene();
    scene.world.vbox.state.interfaces.push({ ...theirs }, { ...theirs, name: "vboxnet1" });
    const driver = await scene.checked();
    await assertRefused(
      driver.create(scene.signal),
      "driver-failed",
      /multiple host-only adapters with the same IP "192\.168\.57\.1"\. Please/u,
    );
  });

  test("in a network that this computer has elsewhere is refused in 0.16.2's words", async () => {
    const networks = () => [{ name: "eth1", address: "192.168.59.77", netmask: "255.255.255.0" }];
    await using scene = await openScene({ surroundings: { networks } });
    const driver = await scene.checked();
    await assertRefused(
      driver.create(scene.signal),
      "driver-options",
      /^host-only cidr conflicts with the network address of a host interface/u,
    );
    assert.deepEqual(told(scene), []);
  });

  test("on Windows has a long name", async () => {
    await using scene = await openScene({ fake: { os: "windows" }, computer: { os: "windows" } });
    scene.world.runner.others["powershell.exe"] = () => ({ stdout: Buffer.from("False\r\n") });
    await scene.created();
    assert.deepEqual(told(scene), ["VirtualBox Host-Only Ethernet Adapter 192.168.59.1"]);
  });
});

test("a Mac has a network in its place", async () => {
  await using scene = await openScene({ fake: { os: "darwin" }, computer: { os: "darwin" } });
  const driver = await scene.created({ "virtualbox-hostonly-address": "192.168.59.7" });
  assert.deepEqual(
    scene.world.vbox.state.networks.map(({ name, lower }) => `${name} ${lower}`),
    ["docker-machine-192.168.59.0 192.168.59.1"],
  );
  assert.equal(scene.world.vbox.state.vms[0]?.cards[1].kind, "hostonlynet");
  await driver.remove(scene.signal);
  assert.deepEqual(scene.world.vbox.state.networks, []);
});

/** Tells of its cards. */
class Guest extends FakeSshExecutor {
  cards = "";

  override async run(command: string): Promise<SshResult> {
    assert.match(command, /\/sys\/class\/net/u);
    return { status: 0, stdout: Buffer.from(this.cards), stderr: Buffer.alloc(0) };
  }
}

describe("the address", () => {
  const answer = (mac: string): string =>
    `${mac.toLowerCase().match(/../gu)?.join(":")}\n3: enp0s8    inet 192.168.59.55/24 scope global\n`;

  test("is asked of the machine itself where no DHCP server of VirtualBox's knows it", async () => {
    const ssh = new Guest();
    await using scene = await openScene({ fake: { bootMs: Number.POSITIVE_INFINITY } }, { openSsh: async () => ssh });
    const driver = await scene.created();
    assert.equal(await driver.getIp(), "");
    ssh.cards = answer(String((await configOf(driver))["HostOnlyMac"]));
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getIp(), "192.168.59.55");
  });

  test("is not believed to a machine with another key", async () => {
    const openSsh = async (): Promise<never> => {
      throw new MachineError("host-key-mismatch", "another key");
    };
    await using scene = await openScene({ fake: { bootMs: Number.POSITIVE_INFINITY } }, { openSsh });
    await assert.rejects(scene.created(), /another key/u);
  });
});

test("the seed names each card by its hardware address, and a fixed address where one was given", async () => {
  await using scene = await openScene();
  const driver = await scene.created({ "virtualbox-hostonly-address": "192.168.59.9" });
  const { NatMac, HostOnlyMac } = await configOf(driver);
  const seed = readCd(path.join(scene.context.machineDir, "seed.iso"));
  assert.equal(seed?.label, "cidata");
  assert.deepEqual(
    JSON.parse(seed?.files["network-config"]?.toString("utf8") ?? ""),
    networkConfig([
      { macAddress: String(NatMac), role: "primary" },
      { macAddress: String(HostOnlyMac), role: "hostonly", address: "192.168.59.9/24" },
    ]),
  );
  const cards = scene.world.vbox.state.vms[0]?.cards.map(({ mac, type }) => `${mac} ${type}`);
  assert.deepEqual(cards, [`${String(NatMac)} virtio`, `${String(HostOnlyMac)} virtio`]);
});
