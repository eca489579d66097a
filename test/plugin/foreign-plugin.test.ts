/** A driver plugin made with Go's own libraries, run by us. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Driver } from "../../src/driver-kit/driver.ts";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { findPluginModule, loadPluginModule } from "../../src/plugin/plugin-module.ts";
import { systemClock } from "../../src/system/clock.ts";
import { goPeer } from "./go-peer.ts";
import { pluginFixture, runtimeWith, type PluginFixture } from "./plugin-fixture.ts";

const peer = await goPeer();
const { skip } = peer;
const never = new AbortController().signal;

async function withPeer(): Promise<PluginFixture> {
  const fixture = await pluginFixture();
  await fixture.addProgram("gopeer", peer.program);
  return fixture;
}

async function openPeer(fixture: PluginFixture, config?: string, runtime = runtimeWith()): Promise<Driver> {
  return fixture.opened((await findPluginModule("gopeer", fixture.computer, runtime)).open(fixture.context, config));
}

const flagValues = {
  "gopeer-text": "plain",
  "gopeer-num": 7,
  "gopeer-yes": true,
  "gopeer-list": ["x", "y"],
  "gopeer-token": "hush-hush",
};

test("create flags of all kinds arrive", { skip }, async () => {
  await using fixture = await withPeer();
  const module = await loadPluginModule(
    "gopeer",
    { ...fixture, clock: systemClock, report: fixture.context.report },
    runtimeWith(),
  );
  assert.deepEqual(module.flags, [
    { kind: "string", name: "gopeer-text", usage: "a text", envVar: "GOPEER_TEXT", value: "héllo" },
    { kind: "int", name: "gopeer-num", usage: "a number", envVar: "GOPEER_NUM", value: -129 },
    { kind: "bool", name: "gopeer-yes", usage: "a switch", envVar: "GOPEER_YES" },
    { kind: "strings", name: "gopeer-list", usage: "a list", value: ["a", "b"] },
    { kind: "string", name: "gopeer-fail", usage: "name of the call that fails", value: "" },
  ]);
});

test("a machine's whole life", { skip }, async () => {
  await using fixture = await withPeer();
  const driver = await openPeer(fixture);
  await driver.setConfigFromFlags(driverOptions(flagValues));
  await driver.preCreateCheck(never);
  await driver.create(never);
  assert.equal(await driver.getState(never), "Running");
  assert.equal(await driver.getUrl(), "tcp://192.0.2.7:2376");
  assert.deepEqual(
    [await driver.getIp(), await driver.getSshHostname(), await driver.getSshPort(), await driver.getSshUsername()],
    ["192.0.2.7", "192.0.2.7", 2222, "docker"],
  );
  assert.equal(await driver.getSshKeyPath(), `${fixture.folder}/key`);
  await driver.stop(never);
  assert.equal(await driver.getState(never), "Stopped");
  await assert.rejects(
    driver.getUrl(),
    (error) => isMachineError(error, "machine-not-running") && error.message === "Host is not running",
  );
  await driver.start(never);
  await driver.restart(never);
  await driver.kill(never);
  await driver.remove(never);
  const config = await driver.configText();
  assert.match(config, /"Big":9007199254740993,/u);
  assert.match(config, /"Num":7,"State":0,"Yes":true,"List":\["x","y"\]/u);
  await driver.close?.();
  assert.equal(await driver.configText(), config);
  assert.deepEqual(fixture.secrets, ["hush-hush"]);
  assert(fixture.logged.includes("info (web) info line from Create"));
  assert(fixture.logged.includes("debug (web) debug line from Create"));
});

test(
  "the stored configuration is handed over as it stands, and not even read from a program without need",
  { skip },
  async () => {
    await using fixture = await withPeer();
    const stored = '{\n    "Big": 9007199254740995,\n    "MachineName": "web",\n    "State": 1,\n    "Unknown": 1.0\n}';
    const driver = await openPeer(fixture, stored);
    assert.equal(await driver.configText(), stored);
    assert.equal(await driver.getState(never), "Running");
    assert.match(await driver.configText(), /"Big":9007199254740995/u);
    await driver.close?.();
  },
);

test("a driver's error is its text, and what it changed before it counts", { skip }, async () => {
  await using fixture = await withPeer();
  const driver = await openPeer(fixture);
  await driver.setConfigFromFlags(driverOptions({ ...flagValues, "gopeer-text": "Create" }));
  await assert.rejects(driver.create(never), (error) => {
    return isMachineError(error, "driver-failed") && error.message === "Create failed as asked\nsecond line";
  });
  await driver.close?.();
  assert.match(await driver.configText(), /"IPAddress":"192\.0\.2\.7"/u);
});

test("a plugin that ends during a call is named with its exit status and last lines", { skip }, async () => {
  await using fixture = await withPeer();
  const driver = await openPeer(fixture);
  await driver.setConfigFromFlags(driverOptions({ ...flagValues, "gopeer-text": "exit in Start" }));
  await assert.rejects(driver.start(never), (error) => {
    assert(isMachineError(error, "plugin-failed"));
    assert.match(error.message, /docker-machine-driver-gopeer ended \(exit status 7\) during Start\nIts last lines were:\n {2}/u);
    assert.match(error.message, /info line from Start/u);
    return true;
  });
  // The next call starts another on the configuration last known.
  assert.equal(await driver.getIp(), "");
  await driver.close?.();
});

test("a panic is shown with its stack", { skip }, async () => {
  await using fixture = await withPeer();
  const driver = await openPeer(fixture);
  await driver.setConfigFromFlags(driverOptions({ ...flagValues, "gopeer-text": "panic in Stop" }));
  await assert.rejects(driver.stop(never), /ended \(exit status 2\) during Stop[\s\S]*panic: as asked/u);
  await driver.close?.();
});

test("an interrupted create saves what the plugin has made so far, and remove finds it", { skip }, async () => {
  const saves: (() => Promise<string>)[] = [];
  await using fixture = await pluginFixture(async () => (await saves[0]?.()) ?? "");
  await fixture.addProgram("gopeer", peer.program);
  const driver = await openPeer(fixture);
  saves.push(async () => await driver.configText());
  await driver.setConfigFromFlags(driverOptions({ ...flagValues, "gopeer-text": "slow Create" }));
  const interrupt = new AbortController();
  const created = driver.create(interrupt.signal);
  await fixture.waitForLog("info line from Create");
  interrupt.abort(new Error("interrupted"));
  await assert.rejects(created, /interrupted/u);
  assert.match(fixture.saved[0] ?? "", /"IPAddress":"192\.0\.2\.9"/u);
  await driver.remove(never);
  assert.match(await driver.configText(), /"IPAddress":"192\.0\.2\.9"/u);
  await driver.close?.();
});

test("heartbeats overtake a long call and keep the plugin alive", { skip }, async () => {
  await using fixture = await withPeer();
  const driver = await openPeer(fixture, undefined, runtimeWith({ heartbeatIntervalMs: 20 }));
  await driver.setConfigFromFlags(driverOptions({ ...flagValues, "gopeer-text": "slow Start" }));
  const order: string[] = [];
  const started = driver.start(never).then(() => order.push("started"));
  await fixture.waitForLog("info line from Start");
  await driver.getIp().then(() => order.push("asked"));
  await started;
  assert.deepEqual(order, ["asked", "started"]);
  const beats = fixture.logged.filter((line) => line.endsWith(" beat")).length;
  assert(beats >= 3, `${beats} heartbeats`);
  await driver.close?.();
});

test("an IPv6 address is asked for, and is none where the plugin does not know the question", { skip }, async () => {
  await using fixture = await withPeer();
  const driver = await openPeer(fixture);
  assert("getIpv6" in driver && typeof driver.getIpv6 === "function");
  assert.equal(await driver.getIpv6(), "");
  await driver.close?.();
});

test("many machines of one driver run on a bounded number of processes", { skip }, async () => {
  await using fixture = await withPeer();
  const runtime = runtimeWith({}, 3);
  let running = 0;
  let most = 0;
  fixture.onStart((child) => {
    most = Math.max(most, ++running);
    child.once("exit", () => running--);
  });
  const module = await findPluginModule("gopeer", fixture.computer, runtime);
  const states = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const driver = module.open(fixture.context, JSON.stringify({ State: index % 5 }));
      try {
        return await driver.getState(never);
      } finally {
        await driver.close?.();
      }
    }),
  );
  assert.deepEqual(states.slice(0, 5), ["", "Running", "Paused", "Saved", "Stopped"]);
  assert.equal(most, 3);
  assert.equal(running, 0);
});
