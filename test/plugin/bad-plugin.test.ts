/** Plugins that misbehave: each ends in a named error within its bound, and leaves no process behind. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import type { Driver } from "../../src/driver-kit/driver.ts";
import { isMachineError, MachineError } from "../../src/errors/machine-error.ts";
import type { PluginBounds } from "../../src/plugin/plugin-bounds.ts";
import { findPluginModule, loadPluginModule } from "../../src/plugin/plugin-module.ts";
import { systemClock } from "../../src/system/clock.ts";
import { isAlive, pluginFixture, runtimeWith, type PluginFixture } from "./plugin-fixture.ts";
import type { Misbehaviour } from "./scripted-plugin.ts";

const never = new AbortController().signal;
const scriptUrl = new URL("scripted-plugin.ts", import.meta.url).href;

interface BadPlugin extends AsyncDisposable {
  readonly fixture: PluginFixture;
  readonly driver: Driver;
  readonly started: ChildProcess[];
  readonly program: string;
}

async function badPlugin(how: Misbehaviour, bounds: Partial<PluginBounds> = {}): Promise<BadPlugin> {
  const fixture = await pluginFixture();
  const program = await fixture.addScript(
    "bad",
    `import(${JSON.stringify(scriptUrl)}).then((m) => m.misbehaviours[${JSON.stringify(how)}]());\n`,
  );
  const started: ChildProcess[] = [];
  fixture.onStart((child) => void started.push(child));
  const module = await findPluginModule("bad", fixture.computer, runtimeWith(bounds));
  const driver = fixture.opened(module.open(fixture.context, '{"MachineName":"web"}'));
  return { fixture, driver, started, program, [Symbol.asyncDispose]: async () => await fixture[Symbol.asyncDispose]() };
}

/** Makes a call that fails, and sees that no program is left after `close`. */
async function failureOf(plugin: BadPlugin, call: (driver: Driver) => Promise<unknown>): Promise<MachineError> {
  const failure = await call(plugin.driver).then(
    () => assert.fail("the call succeeded"),
    (error: unknown) => error,
  );
  await plugin.driver.close?.();
  for (const { pid } of plugin.started) assert.equal(pid !== undefined && isAlive(pid), false, "a program is left");
  assert(isMachineError(failure), String(failure));
  return failure;
}

const getIp = (driver: Driver): Promise<string> => driver.getIp();

/** What a call of `getIp` must end with. */
const failures: readonly [Misbehaviour, RegExp, Partial<PluginBounds>?][] = [
  ["prints nothing", /did not print its address within 300 ms$/u, { launchMs: 300 }],
  ["prints something else first", /printed something other than its address first: "Welcome to this plugin!"/u],
  ["listens elsewhere", /printed something other than its address first: "192\.0\.2\.1:2376"/u],
  ["listens nowhere", /did not accept a connection at 127\.0\.0\.1:1$/u],
  ["ends early", /ended before it was ready \(exit status 3\)\nIts last lines were:\n {2}cannot read my settings\n {2}bye$/u],
  [
    "breaks down as Go programs do",
    /ended \(exit status 2\) during GetIP\nIts last lines were:\n {2}panic: the quota is used up\n/u,
  ],
  ["speaks another protocol", /broke the protocol: unexpected HTTP response: SSH-2\.0-OpenSSH_9\.2/u],
  ["speaks another version", /^Driver binary uses an incompatible API version \(2\)$/u],
  ["never answers", /did not answer GetVersion within 400 ms/u, { handshakeMs: 400 }],
  ["announces a huge message", /broke the protocol: gob: a message of 9223372036854775807 bytes/u],
  ["sends noise", /broke the protocol: gob: /u],
  ["answers with another type", /broke the protocol: reading body gob: int received where string was expected/u],
  ["closes in the middle of an answer", /closed the connection during GetIP/u],
];

for (const [how, message, bounds] of failures) {
  test(`a plugin that ${how}`, async () => {
    await using plugin = await badPlugin(how, bounds);
    const failure = await failureOf(plugin, getIp);
    assert.equal(failure.code, "plugin-failed");
    assert.match(failure.message, message);
    if (how !== "speaks another version") assert(failure.message.includes(plugin.program));
  });
}

test("a plugin that floods its standard output answers all the same, and little of it is shown", async () => {
  await using plugin = await badPlugin("floods its standard output");
  assert.equal(await plugin.driver.getIp(), "192.0.2.1");
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 20);
  for (let question = 0; question < 40; question += 1) {
    assert.equal(await plugin.driver.getIp(), "192.0.2.1");
    await systemClock.sleep(25);
  }
  clearInterval(timer);
  await plugin.driver.close?.();
  assert.ok(turns > 20, `${turns} turns of the event loop`);
  const lines = plugin.fixture.logged;
  assert.ok(lines.length < 50_000, `${lines.length} lines`);
  assert.ok(lines.some((line) => /prints more than can be shown; some of its lines are left out/u.test(line)));
});

test("a plugin that never tells its state", async () => {
  await using plugin = await badPlugin("never tells its state", { questionMs: 200 });
  assert.match((await failureOf(plugin, (driver) => driver.getState(never))).message, /did not answer GetState within 200 ms/u);
});

test("a question can be given up", async () => {
  await using plugin = await badPlugin("never tells its state");
  const asked = plugin.driver.getState(AbortSignal.timeout(300));
  await assert.rejects(asked, { name: "TimeoutError" });
  await plugin.driver.close?.();
});

test("a question that ends with the command's own time says so", async () => {
  await using plugin = await badPlugin("never tells its state");
  const expired = new AbortController();
  const asked = plugin.driver.getState(expired.signal);
  expired.abort(new MachineError("timeout", "The command did not finish within 1 s"));
  await assert.rejects(asked, { message: "The command did not finish within 1 s" });
  await plugin.driver.close?.();
});

test("a plugin that stops answering heartbeats during a long call", async () => {
  await using plugin = await badPlugin("stops answering heartbeats", { heartbeatIntervalMs: 20, heartbeatAnswerMs: 200 });
  const failure = await failureOf(plugin, (driver) => driver.create(never));
  assert.match(failure.message, /answered no heartbeat for 200 ms and was ended/u);
});

test("a plugin that has flags of an unknown kind", async () => {
  await using plugin = await badPlugin("has flags of an unknown kind");
  const { fixture } = plugin;
  const loading = loadPluginModule("bad", { ...fixture, clock: systemClock, report: fixture.context.report }, runtimeWith());
  await assert.rejects(
    loading,
    /broke the protocol: reading body gob: name not registered for interface: "\*mcnflag\.DurationFlag"/u,
  );
});

test("a plugin that gives a configuration that is not JSON", async () => {
  await using plugin = await badPlugin("gives a configuration that is not JSON");
  assert.match((await failureOf(plugin, (driver) => driver.create(never))).message, /gave a configuration that is not JSON/u);
});

test("a plugin's failed pre-create check is its own text", async () => {
  await using plugin = await badPlugin("fails its pre-create check");
  const failure = await failureOf(plugin, (driver) => driver.preCreateCheck(never));
  assert.deepEqual([failure.code, failure.message], ["driver-failed", "no quota left"]);
});

test("a plugin made before 0.5.1 is called by its old name", async () => {
  await using plugin = await badPlugin("has the old service name");
  assert.equal(await plugin.driver.getIp(), "192.0.2.1");
  await plugin.driver.close?.();
});

test("a flood of log lines, and one without end, hold nothing up", async () => {
  await using plugin = await badPlugin("floods its log");
  assert.equal(await plugin.driver.getIp(), "192.0.2.1");
  await plugin.fixture.waitForLog("y".repeat(200_000));
  assert.equal(plugin.fixture.logged.filter((line) => line.startsWith("debug (web) line ")).length, 20_000);
  await plugin.driver.close?.();
});

test("a plugin that does not end is killed by its pid", async () => {
  await using plugin = await badPlugin("does not end", { closeMs: 100 });
  assert.equal(await plugin.driver.getIp(), "192.0.2.1");
  const pid = plugin.started[0]?.pid ?? 0;
  assert.equal(isAlive(pid), true);
  await plugin.driver.close?.();
  assert.equal(isAlive(pid), false);
});

test("a file that cannot be started", async () => {
  await using plugin = await badPlugin("prints nothing");
  await writeFile(plugin.program, "#!/nonexistent/interpreter\n");
  assert.match(
    (await failureOf(plugin, getIp)).message,
    /^Cannot start the driver plugin .*interpreter that its first line names, does not exist$/u,
  );
  await writeFile(plugin.program, "\u0000\u0001not a program");
  assert.match((await failureOf(plugin, getIp)).message, /ended before it was ready|not a program for this system/u);
});

test("a plugin that disappears from PATH between two commands is a stand-in", async () => {
  await using plugin = await badPlugin("prints nothing");
  await chmod(plugin.program, 0o644);
  const module = await findPluginModule("bad", plugin.fixture.computer);
  const driver = module.open(plugin.fixture.context, '{"MachineName":"web","Big":9007199254740993}');
  assert.equal(driver.driverName, "not-found");
  assert.equal(await driver.configText(), '{"MachineName":"web","Big":9007199254740993}');
  for (const call of [driver.getState(never), driver.getUrl(), driver.remove(never)]) {
    await assert.rejects(call, (error) => {
      return (
        isMachineError(error, "driver-not-found") &&
        error.message === 'Driver "bad" not found. Do you have the plugin binary accessible in your PATH?'
      );
    });
  }
  const { fixture } = plugin;
  await assert.rejects(loadPluginModule("bad", { ...fixture, clock: systemClock, report: fixture.context.report }), {
    message: 'Driver "bad" not found. Do you have the plugin binary "docker-machine-driver-bad" accessible in your PATH?',
  });
});

test("the token and the driver's name are given to the plugin alone", async () => {
  await using fixture = await pluginFixture();
  const report = path.join(fixture.folder, "env.json");
  await fixture.addScript(
    "env",
    `require("fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify([process.argv.length, process.env.MACHINE_PLUGIN_TOKEN, process.env.MACHINE_PLUGIN_DRIVER_NAME]));`,
  );
  const driver = (await findPluginModule("env", fixture.computer)).open(fixture.context, "{}");
  await assert.rejects(driver.getIp(), /ended before it was ready \(exit status 0\)/u);
  const { readFile } = await import("node:fs/promises");
  assert.deepEqual(JSON.parse(await readFile(report, "utf8")), [2, "42", "env"]);
  assert.equal(process.env["MACHINE_PLUGIN_TOKEN"], undefined);
});
