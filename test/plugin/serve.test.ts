/** Our drivers as plugins: to a Go tool, to ourselves, and when the other side goes away. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { RpcClient } from "../../src/gocompat/netrpc/client.ts";
import type { RpcMethod } from "../../src/gocompat/netrpc/messages.ts";
import { Redactor } from "../../src/log/redact.ts";
import { findPluginModule, loadPluginModule } from "../../src/plugin/plugin-module.ts";
import { methods, type ArgumentOf, type MethodName, type ReplyOf } from "../../src/plugin/protocol.ts";
import { serveDriver, type ServeOptions } from "../../src/plugin/serve.ts";
import { systemClock } from "../../src/system/clock.ts";
import { FakeClock } from "../../src/system/fake-clock.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { HttpClient } from "../../src/system/http-request.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { goPeer } from "./go-peer.ts";
import { isAlive, pluginFixture, runtimeWith } from "./plugin-fixture.ts";
import { sampleModule } from "./sample-driver.ts";

const program = fileURLToPath(new URL("served-plugin.ts", import.meta.url));
const peer = await goPeer();
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;
const never = new AbortController().signal;
const newMachine = {
  IPAddress: "",
  MachineName: "web",
  SSHUser: "",
  SSHPort: 0,
  SSHKeyPath: "",
  StorePath: "/tmp/store",
  SwarmMaster: false,
  SwarmHost: "",
  SwarmDiscovery: "",
};

/** Makes calls with the Go peer as the tool; gives what each answered and what the plugin logged. */
async function goToolCalls(
  steps: readonly { readonly Call: string; readonly Arg?: unknown }[],
): Promise<{ answers: unknown[]; log: string }> {
  const processes = new SystemProcessRunner(thisComputer());
  const result = await processes.run(peer.program, [process.execPath, program], {
    stdin: steps.map((step) => JSON.stringify(step)).join("\n"),
    timeoutMs: 30_000,
  });
  assert.equal(result.status, 0, result.stderr.toString());
  const answers = result.stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  return { answers, log: result.stderr.toString() };
}

test("a Go tool leads a machine of our driver through its life", { skip: peer.skip }, async () => {
  const flags = {
    driver: "sample",
    "sample-text": "plain",
    "sample-num": 7,
    "sample-yes": true,
    "sample-list": ["x"],
    "swarm-host": "tcp://0.0.0.0:3376",
  };
  const { answers, log } = await goToolCalls([
    { Call: "GetVersion" },
    { Call: "SetConfigRaw", Arg: newMachine },
    { Call: "GetMachineName" },
    { Call: "DriverName" },
    { Call: "GetCreateFlags" },
    { Call: "SetConfigFromFlags", Arg: flags },
    { Call: "PreCreateCheck" },
    { Call: "Create" },
    { Call: "Heartbeat" },
    { Call: "GetState" },
    { Call: "GetURL" },
    { Call: "GetIPv6" },
    { Call: "GetSSHPort" },
    { Call: "GetSSHUsername" },
    { Call: "Stop" },
    { Call: "GetURL" },
    { Call: "Restart" },
    { Call: "Upgrade" },
    { Call: "GetConfigRaw" },
    { Call: "Close" },
  ]);
  assert.deepEqual(answers.slice(0, 4), [1, {}, "web", "sample"]);
  assert.deepEqual(answers[4], [
    { Name: "sample-text", Usage: "a text", EnvVar: "SAMPLE_TEXT", Value: "plain" },
    { Name: "sample-num", Usage: "a number", EnvVar: "", Value: -129 },
    { Name: "sample-yes", Usage: "a switch", EnvVar: "" },
    { Name: "sample-list", Usage: "a list", EnvVar: "", Value: ["a", "b"] },
    { Name: "sample-token", Usage: "a secret", EnvVar: "", Value: "" },
  ]);
  assert.deepEqual(answers.slice(5, 15), [{}, {}, {}, {}, 1, "tcp://192.0.2.5:2376", "", 22, "ubuntu", {}]);
  assert.deepEqual(answers.slice(15, 18), [
    { error: "Host is not running" },
    { error: "samples are not restarted" },
    { error: "rpc: can't find method RPCServerDriver.Upgrade" },
  ]);
  const config = { ...newMachine, IPAddress: "192.0.2.5", SSHUser: "ubuntu", SwarmHost: "tcp://0.0.0.0:3376" };
  const { CreateId, ...stored } = JSON.parse(String(answers[18])) as Record<string, unknown>;
  assert.deepEqual(stored, { ...config, Text: "plain", Num: 7, Yes: true, List: ["x"], State: 4 });
  assert.match(String(CreateId), uuid);
  assert.match(log, /^making it\n/mu);
  assert.match(log, /^in two lines\n/mu);
  assert.match(log, /^token for children: undefined$/mu);
  assert.match(log, /Closing plugin on server side\n/u);
});

test("each machine's create has an id of its own, which the tool keeps with the configuration", { skip: peer.skip }, async () => {
  const configOf = async (given: object): Promise<Record<string, unknown>> => {
    const calls = [{ Call: "SetConfigRaw", Arg: given }, { Call: "GetConfigRaw" }, { Call: "Close" }];
    return JSON.parse(String((await goToolCalls(calls)).answers[1])) as Record<string, unknown>;
  };
  const [web, db] = await Promise.all([configOf(newMachine), configOf({ ...newMachine, MachineName: "db" })]);
  assert.match(String(web["CreateId"]), uuid);
  assert.notEqual(web["CreateId"], db["CreateId"]);
  assert.equal((await configOf({ ...web, IPAddress: "192.0.2.5" }))["CreateId"], web["CreateId"]);
  const { CreateId: _, ...older } = web;
  assert.equal(
    "CreateId" in (await configOf({ ...older, IPAddress: "192.0.2.5" })),
    false,
    "an older machine is given no id later",
  );
});

test("only its create flags are asked of a fresh process", { skip: peer.skip }, async () => {
  const { answers } = await goToolCalls([{ Call: "GetCreateFlags" }, { Call: "Close" }]);
  assert.equal((answers[0] as unknown[]).length, 5);
});

test("errors travel with their way out, and a bug with its stack", { skip: peer.skip }, async () => {
  const create = async (text: string): Promise<unknown[]> => {
    const calls = [
      { Call: "SetConfigRaw", Arg: newMachine },
      { Call: "SetConfigFromFlags", Arg: { "sample-text": text } },
      { Call: "Create" },
      { Call: "Close" },
    ];
    return (await goToolCalls(calls)).answers;
  };
  const [[, refused], [, , bug]] = await Promise.all([create("bad"), create("bug")]);
  assert.deepEqual(refused, { error: "--sample-text is bad\nChoose another." });
  assert.match(
    (bug as { error: string }).error,
    /^Panic in the driver: undefined is not a machine\nTypeError: .*\n.*sample-driver\.ts/u,
  );
});

test("a very long line is cut, or a Go tool would stop reading", { skip: peer.skip }, async () => {
  const { log } = await goToolCalls([
    { Call: "SetConfigRaw", Arg: newMachine },
    { Call: "SetConfigFromFlags", Arg: { "sample-text": "long line" } },
    { Call: "Create" },
    { Call: "Close" },
  ]);
  const lengths = log.split("\n").map((line) => line.length);
  assert(Math.max(...lengths) < 65_536);
  assert.equal(log.match(/x/gu)?.length, 200_000);
});

test("we run our own plugin as any other", async () => {
  await using fixture = await pluginFixture();
  await fixture.addScript("sample", `import(${JSON.stringify(program)});\n`);
  const module = await loadPluginModule(
    "sample",
    { ...fixture, clock: systemClock, report: fixture.context.report },
    runtimeWith(),
  );
  assert.deepEqual(
    module.flags.map(({ name, kind }) => [name, kind]),
    sampleModule.flags.map(({ name, kind }) => [name, kind]),
  );
  const driver = fixture.opened(
    (await findPluginModule("sample", fixture.computer, runtimeWith())).open(fixture.context, undefined),
  );
  await driver.setConfigFromFlags(
    driverOptions({ "sample-text": "slow", "sample-num": 1, "sample-yes": true, "sample-list": [], "sample-token": "hush-hush" }),
  );
  const [, state] = await Promise.all([driver.create(never), driver.getState(never)]);
  assert.equal(state, "");
  assert.equal(await driver.getUrl(), "tcp://192.0.2.5:2376");
  await assert.rejects(driver.restart(never), (error) => isMachineError(error, "driver-failed"));
  await driver.remove(never);
  assert.match(await driver.configText(), /^\{"IPAddress":"192\.0\.2\.5","MachineName":"web"/u);
  await driver.close?.();
  await fixture.waitForLog("with [redacted] details");
});

test("started by hand it says what it is", async () => {
  const result = await new SystemProcessRunner(thisComputer()).run(process.execPath, [program]);
  assert.equal(result.status, 1);
  assert.equal(
    result.stderr.toString(),
    "This is a Docker Machine plugin binary.\nPlugin binaries are not intended to be invoked directly.\n" +
      "Please use this plugin through the main 'docker-machine' binary.\n(API version: 1)\n",
  );
  assert.equal(result.stdout.length, 0);
});

test("the tool goes away while the plugin logs: it goes on, and ends at Close", async () => {
  const processes = new SystemProcessRunner(thisComputer());
  const child = processes.spawn(process.execPath, [program], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MACHINE_PLUGIN_TOKEN: "42" },
  });
  const address = await new Promise<string>((resolve) =>
    child.stdout?.once("data", (chunk: Buffer) => resolve(chunk.toString())),
  );
  child.stdout?.destroy();
  child.stderr?.destroy();
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const client = await clientOf(Number(address.split(":")[1]));
  await client.call("SetConfigRaw", Buffer.from(JSON.stringify(newMachine)));
  await client.call("Create", {});
  assert.equal(await client.call("GetState", {}), 1);
  await client.call("Close", {}).catch(() => {});
  assert.equal(await ended, 0);
  assert.equal(isAlive(child.pid ?? 0), false);
});

async function clientOf(port: number) {
  const socket = connect({ port, host: "127.0.0.1" });
  const rpc = new RpcClient({ send: (bytes) => socket.write(bytes), onProtocolError: () => socket.destroy() });
  socket.on("data", (chunk) => rpc.receive(chunk));
  socket.on("error", () => {});
  socket.on("close", () => rpc.end());
  return {
    call: <Name extends MethodName>(
      name: Name,
      argument: ArgumentOf<Name>,
      service = "RPCServerDriver",
    ): Promise<ReplyOf<Name>> =>
      rpc.call(`${service}.${name}`, methods[name] as unknown as RpcMethod<ArgumentOf<Name>, ReplyOf<Name>>, argument),
    close: () => socket.destroy(),
  };
}

/** Serves the sample driver within this process, in a time of its own. */
async function serveHere() {
  const clock = new FakeClock();
  const computer = { ...thisComputer(), env: { MACHINE_PLUGIN_TOKEN: "42" } };
  const out: string[] = [];
  const first = Promise.withResolvers<string>();
  const stop = new AbortController();
  const options: ServeOptions = {
    computer,
    processes: new SystemProcessRunner(computer),
    clock,
    redactor: new Redactor(),
    signal: stop.signal,
    writeOut: (text) => {
      out.push(text);
      first.resolve(text);
    },
    writeErr: (text) => void out.push(text),
    openSsh: () => Promise.reject(new Error("no SSH")),
    http: new HttpClient({ env: {}, clock: systemClock }),
    operationMs: 10_000,
    ensureSshKey: () => Promise.reject(new Error("no keys")),
  };
  const status = { value: undefined as number | undefined };
  const ended = serveDriver(sampleModule, options).then((value) => (status.value = value));
  const client = await clientOf(Number((await first.promise).split(":")[1]));
  await client.call("GetVersion", {});
  return { clock, client, status, ended, stop, out };
}

test("it ends with status 1 ten seconds after the last heartbeat, and other calls do not count", async () => {
  const { clock, client, status } = await serveHere();
  await clock.advance(9_900);
  await client.call("Heartbeat", {});
  await clock.advance(9_900);
  await client.call("GetIP", {});
  assert.equal(status.value, undefined);
  await clock.advance(400);
  assert.equal(status.value, 1);
  client.close();
});

test("a heartbeat that waited while the process was held up still counts", async () => {
  const { clock, client, status, stop, ended } = await serveHere();
  // The tool has sent it; we come to read it only after the timers that are long due.
  const beat = client.call("Heartbeat", {});
  await clock.advance(10_050);
  await beat;
  await clock.advance(9_000);
  assert.equal(status.value, undefined);
  stop.abort();
  assert.equal(await ended, 0);
  client.close();
});

test("tools older than 0.5.1 find it under its old name", async () => {
  const { client, ended } = await serveHere();
  assert.equal(await client.call("GetVersion", {}, "RpcServerDriver"), 1);
  await client.call("Close", {}, "RpcServerDriver").catch(() => {});
  assert.equal(await ended, 0);
  client.close();
});
