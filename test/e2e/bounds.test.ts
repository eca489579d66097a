/**
 * Nothing hangs: silence, drops of bytes and resets at SSH, at the engine and in a driver's plugin, met by whole
 * commands. Each ends within the bound that its message names.
 */
import assert from "node:assert/strict";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { badPlugin, pluginRecord } from "../cli/command-line.ts";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import type { Misbehaviour } from "../lab/unruly-proxy.ts";
import type { Misbehaviour as PluginMisbehaviour } from "../plugin/scripted-plugin.ts";
import { startBlackHole, startTcpServer, type RunningServer } from "../ssh/misbehaving-servers.ts";
import { failureIn } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { Program, type ProgramResult } from "./program.ts";
import { createRelayedMachine } from "./relayed-machine.ts";
import { machineFolders } from "./store-contents.ts";

const unavailable = (await labUnavailableReason()) ?? false;
const notLinux = process.platform !== "linux" && "needs Linux";

const backends = { OpenSSH: {}, native: { MACHINE_NATIVE_SSH: "1" } } as const;

type Environment = Readonly<Record<string, string>>;

/** A busy computer starts and ends programs slowly; what hangs takes longer than this. */
const slackMs = 30_000;

/** Runs a command that must be back within its bound, in seconds. */
async function within(bound: number, program: Program, words: readonly string[], env: Environment): Promise<ProgramResult> {
  const result = await program.run(words, { env, timeoutMs: bound * 1000 + slackMs });
  assert.notEqual(result.status, null, `${words.join(" ")} did not end within ${bound} s\n${result.stdout}\n${result.stderr}`);
  return result;
}

/** The sentence of a command that fails within its bound. */
async function failsWithin(bound: number, program: Program, words: readonly string[], env: Environment): Promise<string> {
  return failureIn(await within(bound, program, words, env), words).sentence;
}

describe("first contact", { skip: notLinux }, () => {
  const servers: Readonly<Record<string, () => Promise<RunningServer>>> = {
    "packets that vanish": startBlackHole,
    "a server that says nothing": () => startTcpServer(() => {}),
    "a greeting that comes letter by letter": () =>
      startTcpServer((socket) => {
        const timer = setInterval(() => socket.write("S"), 50);
        socket.once("close", () => clearInterval(timer));
      }),
    "a reset": () => startTcpServer((socket) => void setImmediate(() => socket.resetAndDestroy())),
  };
  test("create gives up when its time for SSH is over, and leaves no machine", async () => {
    await using program = await Program.open();
    const key = path.join(program.folder, "id");
    await writeFile(key, generateKeyPair("test").privateKey, { mode: 0o600 });
    const bounds = { MACHINE_TIMEOUT_SSH: "3s", MACHINE_TIMEOUT_SSH_CONNECT: "2s" };
    const creates = Object.entries(servers).flatMap(([name, start]) =>
      Object.entries(backends).map(async ([backend, env]) => {
        await using server = await start();
        const host = { address: "127.0.0.1", sshPort: server.port, sshUser: "root", privateKeyPath: key } as LabHost;
        const sentence = await failsWithin(3, program, createArguments(host, `m${server.port}`), { ...env, ...bounds });
        assert.match(sentence, /^SSH did not become available within 3 s\. Last error: ./mu, `${name}, ${backend}`);
        const whole = ["--timeout", "2s", ...createArguments(host, `m${server.port}`)];
        assert.match(
          await failsWithin(2, program, whole, env),
          /^The command did not finish within 2 s$/mu,
          `${name}, ${backend}`,
        );
      }),
    );
    await Promise.all(creates);
    assert.deepEqual(await machineFolders(program.store), []);
  });
});

describe("a machine whose ways go bad", { skip: unavailable }, () => {
  const bounds = {
    MACHINE_TIMEOUT_ENGINE: "2s",
    MACHINE_TIMEOUT_ENGINE_REQUEST: "1s",
    MACHINE_TIMEOUT_PROBE: "3s",
  };
  const troubles: readonly Misbehaviour[] = [
    { kind: "black-hole" },
    { kind: "trickle", everyMs: 100 },
    { kind: "cut", afterBytes: 500 },
  ];
  /** What is silent ends by our bound, which is named; what is cut may end earlier. */
  const isSilent = ({ kind }: Misbehaviour): boolean => kind === "black-hole" || kind === "trickle";

  test("every command ends", async (t) => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using program = await Program.open();
    await using machine = await createRelayedMachine(program, host);

    for (const trouble of troubles) {
      await t.test(`engine: ${trouble.kind}`, async () => {
        machine.engine.behave(trouble);
        const reason = isSilent(trouble) ? String.raw`i/o timeout during the TLS handshake \(\S+ s\)` : "EOF";
        const ask = async (...words: string[]): Promise<string> => await failsWithin(1, program, words, bounds);
        const [env, config, version, provision, listed, state] = await Promise.all([
          ask("env", "web"),
          ask("config", "web"),
          ask("version", "web"),
          failsWithin(3 + 2, program, ["provision", "web"], bounds),
          within(1, program, ["ls"], bounds),
          within(1, program, ["status", "web"], bounds),
          within(1, program, ["url", "web"], bounds),
        ]);
        for (const sentence of [env, config]) assert.match(sentence, new RegExp(`validating certificates .*${reason}`, "u"));
        assert.match(version, /^Unable to query docker version/u);
        assert.match(
          provision,
          new RegExp(`^The engine of "web" was set up but could not be reached from here within 2 s: .*${reason}`, "mu"),
        );
        assert.match(listed.stdout, /^web +- +generic +Running .* Unable to query docker version|^web .*provision/mu);
        assert.equal(state.stdout, "Running\n");
        const patient = { ...bounds, MACHINE_TIMEOUT_ENGINE_REQUEST: "20s" };
        const short = await within(1, program, ["ls", "--timeout", "1"], patient);
        if (isSilent(trouble)) assert.match(short.stdout, /^web +generic +Timeout /mu);
      });
      machine.engine.behave({ kind: "none" });
    }
    await program.ok(["provision", "web"]);

    for (const trouble of troubles) {
      await t.test(`SSH: ${trouble.kind}`, async () => {
        machine.ssh.behave(trouble);
        const commands = [
          ["ssh", "web", "id"],
          ["scp", "web:/etc/hostname", "x"],
          ["provision", "web"],
          ["rm", "-y", "--restore", "web"],
        ];
        const tries = Object.entries(backends).flatMap(([backend, own]) =>
          commands.map(async (words) => {
            // Two of them wait for the lock that another holds.
            const sentence = await failsWithin(1 + 4, program, words, { ...own, MACHINE_TIMEOUT_SSH_CONNECT: "1s" });
            assert.match(
              sentence,
              isSilent(trouble) ? /within 1 s$/mu : /closed|reset|within 1 s$/mu,
              `${backend}: ${words.join(" ")}`,
            );
          }),
        );
        await Promise.all(tries);
        assert.match(await program.ok(["ls"]), /^web .* Running /mu);
        assert.deepEqual(await machineFolders(program.store), ["web"]);
      });
      machine.ssh.behave({ kind: "none" });
    }

    await t.test("packets that vanish in the middle of a command", async () => {
      await program.ok(["provision", "web"]);
      const session = program.start(["--timeout", "4s", "ssh", "web", "echo here; sleep 100"], { timeoutMs: 4000 + slackMs });
      await session.said(/here/u);
      await host.cutCable();
      const { status, stderr } = await session.ended;
      assert.deepEqual([status, /^The command did not finish within 4 s$/mu.test(stderr)], [1, true], stderr);
      await host.mendCable();
    });

    await t.test("an engine that stands still on a host that answers", async () => {
      await host.sh("kill -STOP $(cat /run/docker.pid)");
      assert.match(await failsWithin(1, program, ["env", "web"], bounds), /i\/o timeout during the TLS handshake \(1 s\)/u);
      assert.match(await failsWithin(3, program, ["provision", "web"], bounds), /^A command on .* did not end within 3 s$/mu);
      // What it does not say in time is taken as unknown, and with nothing running in it it may be started anew.
      await program.ok(["provision", "web"], { env: { MACHINE_TIMEOUT_QUERY: "1s" } });
      await program.ok(["env", "web"]);
    });
  });
});

describe("a plugin", () => {
  interface Trouble {
    readonly how: PluginMisbehaviour;
    readonly bounds: Readonly<Record<string, string>>;
    readonly sentence: RegExp;
    /** Commands that need no more of the plugin than it gives. */
    readonly succeed?: readonly string[];
  }
  const seconds = { MACHINE_TIMEOUT_PLUGIN_END: "500ms" };
  const troubles: Readonly<Record<string, Trouble>> = {
    mute: {
      how: "prints nothing",
      bounds: { ...seconds, MACHINE_TIMEOUT_PLUGIN_START: "1s" },
      sentence: /did not print its address within 1 s$/mu,
    },
    deaf: {
      how: "never answers",
      bounds: { ...seconds, MACHINE_TIMEOUT_PLUGIN_CONNECT: "1s" },
      sentence: /did not answer GetVersion within 1 s$/mu,
    },
    vague: {
      how: "never tells its state",
      bounds: { ...seconds, MACHINE_TIMEOUT_PLUGIN_ANSWER: "1s", MACHINE_TIMEOUT_RUNNING: "2s" },
      sentence: /did not answer GetState within 1 s|did not become \w+ within 2 s/mu,
      succeed: ["ip", "rm"],
    },
    idle: {
      how: "never does what it is told",
      bounds: { ...seconds, MACHINE_TIMEOUT_DRIVER: "1s" },
      sentence: /^(?:Error removing host "idle-rm": )?The driver of "\S+" did not (?:\w+) the instance within 1 s$/mu,
      succeed: ["status", "ip"],
    },
  };
  const commands = ["create", "status", "ip", "stop", "rm"];

  for (const [name, { how, bounds, sentence, succeed = [] }] of Object.entries(troubles)) {
    test(`that ${how}: every command ends`, async () => {
      await using program = await Program.open();
      const env = await addPlugin(program, name, how);
      const run = async (words: readonly string[], command = words[0] ?? ""): Promise<void> => {
        if (succeed.includes(command))
          return assert.equal((await within(1, program, words, { ...env, ...bounds })).status, 0, words.join(" "));
        // Work that does not heed its bound has five seconds of grace.
        assert.match(await failsWithin(2 + 5, program, words, { ...env, ...bounds }), sentence, words.join(" "));
      };
      await Promise.all(commands.map(async (command) => await run(wordsOf(command, name))));
    });

    test(`that ${how}: --timeout ends every command`, async () => {
      await using program = await Program.open();
      const env = await addPlugin(program, name, how);
      await Promise.all(
        commands
          .filter((command) => !succeed.includes(command) && command !== "create")
          .map(async (command) => {
            const ended = await failsWithin(1 + 5, program, ["--timeout", "1s", ...wordsOf(command, name)], env);
            assert.match(ended, /The command did not finish within 1 s$/mu, command);
          }),
      );
    });
  }

  test("ls of them all ends within its own bound", async () => {
    await using program = await Program.open();
    let env: Environment = {};
    for (const [name, { how }] of Object.entries(troubles)) env = await addPlugin(program, name, how);
    const { stdout } = await within(1, program, ["ls", "--timeout", "1"], env);
    for (const name of ["mute", "deaf", "vague"]) assert.match(stdout, new RegExp(`^${name} +${name} +Timeout`, "mu"));
    const all = await within(1, program, ["--timeout", "1s", "ls"], env);
    assert.match(all.stderr, /The command did not finish within 1 s$/mu);
  });
});

/** One machine for each command, so that none waits for another. */
function wordsOf(command: string, driver: string): string[] {
  if (command === "create") return ["create", "-d", driver, "made"];
  return [command, ...(command === "rm" ? ["-y"] : []), `${driver}-${command}`];
}

/** Installs a plugin that misbehaves, with machines of its own in the store. Gives what leads to it. */
async function addPlugin(program: Program, driver: string, how: PluginMisbehaviour): Promise<Environment> {
  const folder = path.join(program.folder, "plugins");
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `docker-machine-driver-${driver}`);
  await writeFile(file, `#!${process.execPath}\n${badPlugin(how)}`);
  await chmod(file, 0o755);
  for (const command of ["", "-status", "-ip", "-stop", "-rm"]) {
    const machine = path.join(program.store, "machines", driver + command);
    await mkdir(machine, { recursive: true, mode: 0o700 });
    const record = pluginRecord(driver + command, driver, 1).replaceAll("STORE", program.store);
    await writeFile(path.join(machine, "config.json"), record, { mode: 0o600 });
  }
  return { PATH: `${folder}${path.delimiter}${process.env["PATH"] ?? ""}` };
}
