/** A machine's life with the stand-in as a program: what Hyper-V is told, and what stays in the machine's folder. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { isoImage } from "../../../src/driver-kit/guest/iso.ts";
import { untilUp } from "../../../src/testing/coming-up.ts";
import { scriptsOf } from "./fake-powershell.ts";
import { configOf, hurried } from "../driver-scene.ts";
import { newProgramWorld, openScene, type Scene } from "./scene.ts";

const mib = 1024 * 1024;

function filesOf({ context }: Scene): readonly string[] {
  return readdirSync(context.machineDir).toSorted();
}

test("a machine is made with all that was wished, by one script that starts it", async () => {
  await using scene = await openScene({ addressMs: 0 }, {}, newProgramWorld);
  const { hyperv, signal } = scene;
  const driver = await scene.created({
    "hyperv-virtual-switch": "LAN",
    "hyperv-memory": 2_048,
    "hyperv-memory-max": 4_096,
    "hyperv-cpu-count": 2,
    "hyperv-disk-size": 30_000,
    "hyperv-vlan-id": 7,
    "hyperv-static-macaddress": "00:15:5d:aa:bb:cc",
  });
  const vm = scene.own();
  const config = await configOf(driver);
  assert.equal(config["VmId"], vm.Id);
  const { Id: _id, startedMs: _started, seed, Notes, ConfigurationLocation, disks, drives, ...rest } = vm;
  assert.deepEqual(rest, {
    Name: "web",
    Generation: 2,
    State: "Running",
    Status: "Operating normally",
    switchName: "LAN",
    memory: { startup: 2_048 * mib, isDynamic: true, minimum: 512 * mib, maximum: 4_096 * mib },
    cpus: 2,
    mac: "00155DAABBCC",
    vlan: 7,
    secureBoot: "On",
    template: "MicrosoftUEFICertificateAuthority",
    autoCheckpoints: false,
    automatic: { start: "Nothing", stop: "ShutDown" },
    bootDevice: "VHD",
  });
  const { machineDir } = scene.context;
  assert.equal(Notes, 'The machine "web" of docker-machine.\ndocker-machine:test-web');
  assert.deepEqual(
    [ConfigurationLocation, ...disks, ...drives],
    [path.join(machineDir, "web"), path.join(machineDir, "disk.vhdx"), path.join(machineDir, "seed.iso")],
  );
  assert.equal(JSON.parse(seed?.metaData ?? "")["local-hostname"], "web");
  const { users, ssh_keys: hostKeys } = JSON.parse((seed?.userData ?? "").split("\n").slice(1).join("\n")) as {
    readonly users: readonly { readonly name: string; readonly ssh_authorized_keys: readonly string[] }[];
    readonly ssh_keys: Readonly<Record<string, string>>;
  };
  assert.deepEqual(
    users.map(({ name }) => name),
    ["docker"],
  );
  const known = await driver.hostKeys?.();
  assert.ok(Array.isArray(known) && hostKeys["ed25519_public"]?.startsWith(String(known[0])));
  assert.equal(driver.hostKeysExposed, false);
  assert.deepEqual(filesOf(scene), ["disk.vhdx", "id_ed25519", "id_ed25519.pub", "seed.iso", "web"]);
  await untilUp(driver, { ms: 30_000, clock: scene.context.clock, signal });
  assert.equal(await driver.getIp(), hyperv.addressOf(vm.Id));
  assert.equal(await driver.getUrl(), `tcp://${await driver.getIp()}:2376`);
  assert.deepEqual([await driver.getSshUsername(), await driver.getSshPort()], ["docker", 22]);
  // Check of Hyper-V and of the switch; leftovers; the machine; state; which one, and its address.
  assert.equal(scriptsOf(hyperv.folder).length, 7);
  await driver.remove(signal);
  assert.deepEqual(hyperv.state.vms, []);
  assert.deepEqual(filesOf(scene), ["id_ed25519", "id_ed25519.pub"]);
});

test("no value stands in a script, whatever it is", async () => {
  const switchName = `L'A"N $(Remove-Item C:) \`u{1f600} ü`;
  await using scene = await openScene();
  const { hyperv } = scene;
  const { switches, vms } = hyperv.state;
  hyperv.save({
    switches: [...switches, { Id: "1b6d7c5e-3a4f-4a53-9d0c-6d2f7a1b8c9d", Name: switchName, SwitchType: "External" }],
    vms,
  });
  const driver = await scene.created({ "hyperv-virtual-switch": switchName });
  assert.equal(scene.own().switchName, switchName);
  for (const script of scriptsOf(hyperv.folder)) assert.doesNotMatch(script, /Remove-Item|ü|web|test-web/u);
  await driver.remove(scene.signal);
});

test("memory, generation, secure boot and checkpoints are as wished, and as this Windows can", async () => {
  await using plain = await openScene();
  await plain.created({ "hyperv-disable-dynamic-memory": true, "hyperv-secure-boot": "off" });
  assert.deepEqual(plain.own().memory, { startup: 1_024 * mib, isDynamic: false });
  assert.equal(plain.own().secureBoot, "Off");
  assert.match(plain.own().mac, /^00155D[0-9A-F]{6}$/u);
  await using old = await openScene({ isOld: true });
  await old.created({ "hyperv-generation": 1 });
  const { Generation, bootDevice, drives, vlan } = old.own();
  assert.deepEqual([Generation, bootDevice, vlan], [1, "IDE", undefined]);
  assert.deepEqual(drives, [path.join(old.context.machineDir, "seed.iso")]);
});

test("the switch is the Default Switch, whatever it is called, else the first external one; 0.16.2's choice in its mode", async () => {
  await using standard = await openScene();
  assert.equal((await configOf(await standard.checked()))["VSwitch"], "Standardswitch");
  const { computer } = standard.context;
  await using compat = await openScene({}, { computer: { ...computer, env: { ...computer.env, MACHINE_COMPAT: "0.16" } } });
  assert.equal((await configOf(await compat.checked()))["VSwitch"], "LAN");
  await using external = await openScene();
  const { switches, vms } = external.hyperv.state;
  external.hyperv.save({ switches: switches.filter(({ SwitchType }) => SwitchType === "External"), vms });
  assert.equal((await configOf(await external.checked()))["VSwitch"], "LAN");
  await using inner = await openScene();
  const more = inner.hyperv.state;
  inner.hyperv.save({ ...more, switches: [{ Id: "2b6d7c5e-3a4f-4a53-9d0c-6d2f7a1b8c9d", Name: "lab", SwitchType: "Internal" }] });
  await inner.checked({ "hyperv-virtual-switch": "lab" });
  assert.ok(inner.lines().some((line) => /"lab" is internal: .* only if something on it gives them/u.test(line)));
});

test("the address is what the guest tells, else what the network shows; link-local and unanswered ones are none", async () => {
  for (const behaviour of [{ hasKvp: true }, {}, { hasNames: true }, { hasKvp: true, wrapsLists: true }]) {
    await using scene = await openScene(behaviour);
    const { clock } = scene.context;
    const driver = await scene.created();
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getIp(), "");
    await clock.sleep(5_000);
    await driver.locate?.(scene.signal);
    assert.equal(await driver.getIp(), scene.hyperv.addressOf(scene.own().Id));
    // Windows gives its own switch another network after each restart.
    const before = await driver.getIp();
    await driver.kill(scene.signal);
    await clock.sleep(60_000);
    await driver.start(scene.signal);
    await clock.sleep(5_000);
    await driver.locate?.(scene.signal);
    assert.notEqual(await driver.getIp(), before);
  }
});

test("each state has its verbs", async () => {
  await using scene = await openScene();
  const { hyperv, signal } = scene;
  const driver = await scene.created();
  const { Id } = scene.own();
  const put = (state: string): void => hyperv.change(Id, (vm) => void (vm.State = state));
  for (const [state, seen, verb, then] of [
    ["Paused", "Paused", "start", "Running"],
    ["Paused", "Paused", "stop", "Stopped"],
    ["Saved", "Saved", "start", "Running"],
    ["Saved", "Saved", "stop", "Stopped"],
    ["Saved", "Saved", "kill", "Stopped"],
    ["FastSaving", "Saved", "", "Saved"],
    ["Starting", "Starting", "start", "Starting"],
    ["Reset", "Starting", "", "Starting"],
    ["Stopping", "Stopping", "", "Stopping"],
    ["RunningCritical", "Error", "", "Error"],
    ["Running", "Running", "restart", "Running"],
    ["Off", "Stopped", "kill", "Stopped"],
  ] as const) {
    put(state);
    assert.equal(await driver.getState(signal), seen, state);
    assert.equal(driver.stateProblem !== undefined, seen === "Error", state);
    if (verb !== "") await driver[verb](signal);
    assert.equal(await driver.getState(signal), then, `${state} ${verb}`);
  }
});

test("a guest that does not hear is switched off, after a bound where Hyper-V waits for it", async () => {
  await using refused = await openScene({ shutdown: "refused" });
  const deaf = await refused.created();
  await deaf.stop(refused.signal);
  assert.equal(refused.own().State, "Off");
  assert.ok(refused.lines().some((line) => /^"web" did not shut down \(.*\) and is switched off\.$/u.test(line)));

  const world = newProgramWorld({ shutdown: "hangs" });
  const processes = hurried(world.context.processes, 120_000, 1_000);
  await using hanging = await openScene({}, { processes }, () => world);
  const driver = await hanging.created();
  await driver.stop(hanging.signal);
  assert.equal(hanging.own().State, "Off");
  assert.ok(hanging.lines().some((line) => /did not end within 1000 ms\) and is switched off/u.test(line)));
});

test("boot2docker starts from its CD in a machine of generation 1, with a disk that it formats", async () => {
  await using scene = await openScene();
  const iso = path.join(scene.context.storePath, "b2d.iso");
  writeFileSync(iso, isoImage("b2d", { version: "19.03.12" }));
  const driver = await scene.created({ "hyperv-boot2docker-url": `file://${iso}`, "hyperv-image": "default" });
  const { Generation, bootDevice, disks, drives, secureBoot, seed } = scene.own();
  const { machineDir } = scene.context;
  assert.deepEqual([Generation, bootDevice, secureBoot, seed], [1, "CD", "On", undefined]);
  assert.deepEqual([...disks, ...drives], [path.join(machineDir, "disk.vhd"), path.join(machineDir, "boot2docker.iso")]);
  assert.equal(await driver.hostKeys?.(), "none");
  await driver.remove(scene.signal);
  assert.ok(!existsSync(path.join(machineDir, "boot2docker.iso")));
});
