/**
 * P2 and P3: whatever instant a command is killed at, every instance of ours stands in a record or is listed by gc, a
 * repeated create makes no second one, and nobody else's instance is touched.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import type { Leftover } from "../../src/machine/gc.ts";
import { FakeCloud } from "./fake-cloud/server.ts";
import { safetyPorts } from "./safety-ports.ts";

const program = path.join(import.meta.dirname, "run-use-case.ts");
const rounds = Number(process.env["SAFETY_ROUNDS"] ?? 12);

interface Ran {
  readonly killed: boolean;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Rig implements AsyncDisposable {
  readonly cloud: FakeCloud;
  readonly storePath: string;
  readonly foreign: string;

  constructor(cloud: FakeCloud, storePath: string) {
    this.cloud = cloud;
    this.storePath = storePath;
    this.foreign = cloud.addForeign();
  }

  static async open(): Promise<Rig> {
    return new Rig(await FakeCloud.start(), await mkdtemp(path.join(tmpdir(), "docker-machine-safety-")));
  }

  /** Runs one use case; kills it at the n-th instant, after some milliseconds, or once a request is under way. */
  async run(command: string, kill: { readonly at?: number; readonly afterMs?: number; readonly pending?: boolean } = {}): Promise<Ran> {
    const env = { ...process.env, KILL_AT: String(kill.at ?? 0), NODE_TEST_CONTEXT: undefined };
    const child = spawn(process.execPath, [program, this.storePath, this.cloud.url, command, "web"], { env: env as NodeJS.ProcessEnv });
    const timer = kill.afterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), kill.afterMs);
    const poll = setInterval(() => kill.pending === true && this.cloud.pending > 0 && child.kill("SIGKILL"), 2);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const [status, signal] = await new Promise<[number | null, string | null]>((resolve) => child.once("close", (...end) => resolve(end)));
    clearTimeout(timer);
    clearInterval(poll);
    return { killed: signal === "SIGKILL", status, stdout: stdout(), stderr: stderr() };
  }

  /** Instances of ours at the cloud, once every request under way was carried out. */
  async ours(): Promise<string[]> {
    while (this.cloud.pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, this.cloud.vices.hiddenMs));
    return [...this.cloud.instances.keys()].filter((id) => id !== this.foreign);
  }

  /** P2: instances = records ∪ what gc lists; the foreign one is in neither. */
  async assertAllFound(): Promise<void> {
    const ours = await this.ours();
    const listed = (await this.#gc()).flatMap(({ instances }) => instances);
    const recorded = await this.#recorded();
    for (const id of ours) assert.ok(recorded.includes(id) || listed.includes(id), `${id} is in no record and not listed by gc`);
    assert.ok(!listed.includes(this.foreign), "gc lists an instance that is not ours");
    assert.ok(this.cloud.instances.has(this.foreign), "an instance that is not ours is gone");
  }

  async #gc(): Promise<Leftover[]> {
    const { stdout, stderr, status } = await this.run("gc");
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout.split("\n")[0] ?? "") as Leftover[];
  }

  async #recorded(): Promise<string[]> {
    const { store } = safetyPorts(this.storePath);
    const records = await Promise.all((await store.list()).map(async (name) => await store.load(name)));
    return records.map((record) => (JSON.parse(record.driverConfigText) as { InstanceId: string }).InstanceId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloud[Symbol.asyncDispose]();
    await rm(this.storePath, { recursive: true, force: true });
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

async function instantsOf(command: "create" | "rm"): Promise<number> {
  await using rig = await Rig.open();
  if (command === "rm") assert.equal((await rig.run("create")).status, 0);
  const ran = await rig.run(command);
  assert.equal(ran.status, 0, ran.stderr);
  return (JSON.parse(ran.stdout.trim().split("\n").at(-1) ?? "") as { instants: number }).instants;
}

async function assertRecovers(rig: Rig): Promise<void> {
  await rig.assertAllFound();
  const again = await rig.run("create");
  assert.equal(again.status === 0 || /already exists/u.test(again.stderr), true, again.stderr);
  assert.equal((await rig.ours()).length, 1, "a repeated create made a second instance, or none");
  const removed = await rig.run("rm");
  assert.equal(removed.status, 0, removed.stderr);
  await rig.assertAllFound();
  assert.deepEqual(await rig.ours(), []);
}

test("create, killed at each instant", async () => {
  const instants = await instantsOf("create");
  assert.ok(instants >= 6, `only ${instants} instants`);
  for (let at = 1; at <= instants; at += 1) {
    await using rig = await Rig.open();
    assert.equal((await rig.run("create", { at })).killed, true, `instant ${at} of ${instants} was not reached`);
    await assertRecovers(rig);
  }
});

test("rm, killed at each instant", async () => {
  const instants = await instantsOf("rm");
  for (let at = 1; at <= instants; at += 1) {
    await using rig = await Rig.open();
    assert.equal((await rig.run("create")).status, 0);
    assert.equal((await rig.run("rm", { at })).killed, true, `instant ${at} of ${instants} was not reached`);
    await assertRecovers(rig);
  }
});

test("create, killed at random, at a cloud that is slow, forgets to answer and shows things late", async () => {
  for (let round = 0; round < rounds; round += 1) {
    await using rig = await Rig.open();
    rig.cloud.vices = { latencyMs: 60, lostReplies: 0.2, hiddenMs: 100 };
    await rig.run("create", { afterMs: 80 + randomInt(400) });
    await assertRecovers(rig);
  }
});

test("an instance that appears after its machine was removed is still found", async () => {
  await using rig = await Rig.open();
  // The request is on its way, the client dies, the user removes the machine, and then the cloud carries it out.
  const release = rig.cloud.holdNextCreate();
  assert.equal((await rig.run("create", { pending: true })).killed, true);
  assert.equal((await rig.run("rm")).status, 0);
  release();
  await rig.assertAllFound();
  assert.equal((await rig.ours()).length, 1);
});
