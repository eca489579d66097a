/**
 * A whole life of a machine of the driver `docker`, on the lab's engine: once built in, once served as a plugin to our
 * own command line, as any other tool would run it.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { goPeer } from "../plugin/go-peer.ts";
import { assertFinds } from "./findings.ts";
import { output, Program, programs } from "./program.ts";

const unavailable = await labUnavailableReason();
const peer = await goPeer();

describe("machines as containers", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("a whole life, built in", async () => {
    await using program = await Program.open();
    await liveWholeLife(program, lab, "docker", {});
  });

  test("a whole life, served as a plugin to ourselves", async () => {
    await using program = await Program.open();
    const bin = path.join(program.folder, "bin");
    const plugin = path.join(bin, "docker-machine-driver-boxed");
    await mkdir(bin);
    // A name of its own: the program's own drivers are never looked for outside.
    await writeFile(plugin, `#!/bin/sh\nMACHINE_PLUGIN_DRIVER_NAME=docker exec ${programs.executable[0]}\n`);
    await chmod(plugin, 0o755);
    await liveWholeLife(program, lab, "boxed", { PATH: `${bin}:${process.env["PATH"]}` });
    await assertNoProcess(plugin);
  });

  test("two machines made through a Go tool are two, and each is removed alone", { skip: peer.skip }, async () => {
    await using program = await Program.open();
    const plugin = await servedPlugin(program);
    const engine = { DOCKER_HOST: lab.engineAddress };
    const names = ["one", "two"].map((each) => `tool-${each}-${randomBytes(2).toString("hex")}`);
    const configs: string[] = [];
    const life = async (calls: readonly object[]): Promise<unknown[]> => await toolCalls(plugin, calls, engine);
    try {
      for (const name of names) {
        await mkdir(path.join(program.folder, "tool/machines", name), { recursive: true });
        const fresh = { MachineName: name, StorePath: path.join(program.folder, "tool"), SSHUser: "", SSHPort: 0 };
        const answers = await life([
          { Call: "SetConfigRaw", Arg: fresh },
          {
            Call: "SetConfigFromFlags",
            Arg: { "docker-host": lab.engineAddress, "docker-image": "build", "docker-reach": "auto" },
          },
          { Call: "PreCreateCheck" },
          { Call: "Create" },
          { Call: "GetConfigRaw" },
          { Call: "Close" },
        ]);
        assert.deepEqual(answers.slice(0, 4), [{}, {}, {}, {}]);
        configs.push(String(answers[4]));
      }
      assert.deepEqual(
        (await Promise.all(names.map(async (name) => await containersOf(name, engine)))).map(({ length }) => length),
        [1, 1],
      );
      await removeThroughTool(configs[0]);
      assert.deepEqual(await containersOf(names[0] ?? "", engine), []);
      assert.equal((await containersOf(names[1] ?? "", engine)).length, 1);
    } finally {
      for (const config of configs) await removeThroughTool(config);
    }

    async function removeThroughTool(config = ""): Promise<void> {
      const answers = await life([
        { Call: "SetConfigRaw", Arg: JSON.parse(config) as unknown },
        { Call: "Remove" },
        { Call: "Close" },
      ]);
      assert.deepEqual(answers.slice(0, 2), [{}, {}]);
    }
  });
});

/** Our executable as the plugin of another tool. */
async function servedPlugin(program: Program): Promise<string> {
  const plugin = path.join(program.folder, "docker-machine-driver-boxed");
  await writeFile(plugin, `#!/bin/sh\nMACHINE_PLUGIN_DRIVER_NAME=docker exec ${programs.executable[0]}\n`);
  await chmod(plugin, 0o755);
  return plugin;
}

/** Makes calls with the Go peer as the tool. */
async function toolCalls(plugin: string, calls: readonly object[], env: Readonly<Record<string, string>>): Promise<unknown[]> {
  const computer = thisComputer();
  const result = await new SystemProcessRunner(computer).run(peer.program, [plugin], {
    stdin: calls.map((call) => JSON.stringify(call)).join("\n"),
    env: { ...computer.env, ...env },
    timeoutMs: 600_000,
  });
  assert.equal(result.status, 0, result.stderr.toString());
  return result.stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

async function liveWholeLife(program: Program, lab: Lab, driver: string, extra: Readonly<Record<string, string>>): Promise<void> {
  const env = { ...extra, DOCKER_HOST: lab.engineAddress };
  const onEngine = { DOCKER_HOST: lab.engineAddress };
  const name = `life-${driver}-${randomBytes(2).toString("hex")}`;
  await program.ok(["create", "-d", driver, name], { env });
  try {
    await assertUsable(program, name, env);
    await program.ok(["stop", name], { env });
    assert.equal(await program.ok(["status", name], { env }), "Stopped\n");
    await assertFinds(program, ["provider"], [name], { env });
    await program.ok(["start", name], { env });
    await assertFinds(program, [], [name], { env });
    await assertUsable(program, name, env);
    await program.ok(["restart", name], { env });
    await program.ok(["kill", name], { env });
    assert.equal(await program.ok(["status", name], { env }), "Stopped\n");
    const again = await program.run(["kill", name], { env });
    assert.deepEqual([again.status, again.stderr], [1, `Machine "${name}" is already stopped.\n`]);
    await output("docker", ["rm", "--force", ...(await containersOf(name, onEngine))], { env: onEngine });
    await assertFinds(program, ["provider"], [name], { env });
  } finally {
    await program.ok(["rm", "-y", name], { env });
  }
  assert.deepEqual(await containersOf(name, onEngine), []);
}

async function assertUsable(program: Program, name: string, env: Readonly<Record<string, string>>): Promise<void> {
  const exports = await program.ok(["env", name], { env });
  const machine = Object.fromEntries(
    [...exports.matchAll(/^export (\w+)="(.*)"$/gmu)].map(([, key = "", value = ""]) => [key, value]),
  );
  await output("docker", ["import", "-", "tiny"], { env: machine, stdin: await tinyImage() });
  assert.equal(await output("docker", ["run", "--rm", "tiny", "echo", "it-works"], { env: machine }), "it-works\n");
  assert.equal(await program.ok(["ssh", name, "hostname"], { env }), `${name}\n`);
  const file = path.join(program.folder, "letter");
  await writeFile(file, "from here\n");
  await program.ok(["scp", "-q", file, `${name}:/tmp/letter`], { env });
  assert.equal(await program.ok(["ssh", name, "cat /tmp/letter"], { env }), "from here\n");
}

/** Names of the containers of a machine, running or not. */
async function containersOf(name: string, env: Readonly<Record<string, string>>): Promise<string[]> {
  const listed = await output("docker", ["ps", "--all", "--format", "{{.Names}}"], { env });
  return listed.split("\n").filter((line) => line.includes(name));
}

async function assertNoProcess(plugin: string): Promise<void> {
  const running = await output("ps", ["-eo", "args"]);
  assert.ok(!running.includes(plugin), "a plugin process was left behind");
}
