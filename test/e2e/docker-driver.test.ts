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
import { output, Program, programs } from "./program.ts";

const unavailable = await labUnavailableReason();

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
});

async function liveWholeLife(program: Program, lab: Lab, driver: string, extra: Readonly<Record<string, string>>): Promise<void> {
  const env = { ...extra, DOCKER_HOST: lab.engineAddress };
  const onEngine = { DOCKER_HOST: lab.engineAddress };
  const name = `life-${driver}-${randomBytes(2).toString("hex")}`;
  await program.ok(["create", "-d", driver, name], { env });
  try {
    await assertUsable(program, name, env);
    await program.ok(["stop", name], { env });
    assert.equal(await program.ok(["status", name], { env }), "Stopped\n");
    await program.ok(["start", name], { env });
    await assertUsable(program, name, env);
    await program.ok(["restart", name], { env });
    await program.ok(["kill", name], { env });
    assert.equal(await program.ok(["status", name], { env }), "Stopped\n");
    const again = await program.run(["kill", name], { env });
    assert.deepEqual([again.status, again.stderr], [1, `Machine "${name}" is already stopped.\n`]);
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
