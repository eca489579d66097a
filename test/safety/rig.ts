/** A fake cloud, a store, and processes on both that can be killed at any instant. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createMachine } from "../../src/machine/create.ts";
import { findLeftovers, type Leftover } from "../../src/machine/gc.ts";
import type { MachineContext } from "../../src/machine/machine-context.ts";
import { removeMachine } from "../../src/machine/remove.ts";
import { Vault } from "../../src/machine/secrets/vault.ts";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { isLongRun, runtimes } from "../../src/system/testing/runtimes.ts";
import { FakeProvider } from "../../src/testing/fake-provider.ts";
import type { FakeResource } from "../../src/testing/fake-resources.ts";
import { virtuous } from "../../src/testing/vices.ts";
import { safetyContext } from "./safety-context.ts";

/** Whether to run in the counts that the promises are stated with. */
export const isFullRun = isLongRun || process.env["SAFETY_ROUNDS"] !== undefined;

/** Kills at random moments, in all; SAFETY_ROUNDS chooses another number. */
export function roundsOf(short: number, full: number): number {
  return Number(process.env["SAFETY_ROUNDS"] ?? (isLongRun ? full : short));
}

export interface Kill {
  /** At the n-th instant. */
  readonly at?: number | undefined;
  /** So many milliseconds after it began. */
  readonly afterMs?: number | undefined;
  /** As soon as the cloud is asked for an instance. */
  readonly pending?: boolean | undefined;
  /** Interrupted instead as soon as the cloud is asked for an instance, and once more when it is then asked for a list. */
  readonly interrupts?: 1 | 2 | undefined;
  /** Called once, as soon as the cloud is asked for an instance, with what runs. */
  readonly whenPending?: ((child: ChildProcess) => void) | undefined;
  /** What it finds in its environment besides the usual. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** When this is aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface Ran {
  readonly killed: boolean;
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From "ready" to its end. */
  readonly tookMs: number;
}

/** The use cases in one file for Bun, made once in a test file. */
export function buildProgram(): string {
  const bun = runtimes.find(({ name }) => name === "bun");
  assert.ok(bun, "Bun is part of the toolchain: sh scripts/setup.sh");
  const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-safety-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const built = spawnSync(bun.program, [path.join(import.meta.dirname, "killable/build.ts"), folder], { encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  return path.join(folder, "run-use-case.js");
}

export class Rig implements AsyncDisposable {
  readonly cloud: FakeProvider;
  readonly #program: string;
  readonly #folder = mkdtempSync(path.join(tmpdir(), "docker-machine-safety-"));
  readonly #keptPath = path.join(this.#folder, "kept");
  readonly storePath: string;
  /** What someone else runs in the same account. */
  foreign = "";
  #kept: readonly FakeResource[] = [];

  private constructor(cloud: FakeProvider, program: string, storeParent: string | undefined) {
    this.cloud = cloud;
    this.#program = program;
    this.storePath = path.join(storeParent ?? this.#folder, "store");
  }

  /** @param storeParent a folder for the store, where the rig is not to make one */
  static async open(program: string, storeParent?: string): Promise<Rig> {
    const rig = new Rig(await FakeProvider.start(), program, storeParent);
    rig.reset();
    return rig;
  }

  get context(): MachineContext {
    return safetyContext(this.storePath);
  }

  /** An empty cloud but for someone else's instance, and the store as it was kept, or none. */
  reset(): void {
    this.cloud.vices = virtuous;
    this.cloud.resources.all.clear();
    this.foreign = this.cloud.addForeign();
    for (const instance of this.#kept) this.cloud.resources.all.set(instance.id, { ...instance });
    rmSync(this.storePath, { recursive: true, force: true });
    if (existsSync(this.#keptPath)) cpSync(this.#keptPath, this.storePath, { recursive: true });
  }

  /** From now on `reset` leads back to this. */
  keep(): void {
    cpSync(this.storePath, this.#keptPath, { recursive: true });
    this.#kept = [...this.cloud.resources.all.values()]
      .filter(({ id }) => id !== this.foreign)
      .map((instance) => ({ ...instance }));
  }

  /** @param storePath somebody else's store, who uses the same cloud */
  async run(command: string, args: readonly string[] = [], kill: Kill = {}, storePath = this.storePath): Promise<Ran> {
    const env = { ...process.env, ...kill.env, KILL_AT: String(kill.at ?? 0), NODE_TEST_CONTEXT: undefined } as NodeJS.ProcessEnv;
    const bun = runtimes.find(({ name }) => name === "bun")?.program ?? "";
    const child = spawn(bun, [this.#program, storePath, this.cloud.url, command, ...args], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    kill.signal?.addEventListener("abort", () => child.kill("SIGKILL"));
    let startedMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    child.stdout.once("data", () => {
      startedMs = performance.now();
      if (kill.afterMs !== undefined) timer = setTimeout(() => child.kill("SIGKILL"), kill.afterMs);
    });
    let isPending = false;
    this.cloud.onRequest = (method) => {
      if (method === "POST" && !isPending) {
        isPending = true;
        kill.whenPending?.(child);
      }
      if (method === "POST" && kill.pending === true) child.kill("SIGKILL");
      if (method === "POST" && kill.interrupts !== undefined) child.kill("SIGINT");
      if (method === "GET" && kill.interrupts === 2) child.kill("SIGINT");
    };
    const [status, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.once("close", (...end) => resolve(end)),
    );
    clearTimeout(timer);
    this.cloud.onRequest = () => {};
    const output = stdout().replace(/^ready\n/u, "");
    return { killed: signal === "SIGKILL", status, stdout: output, stderr: stderr(), tookMs: performance.now() - startedMs };
  }

  /** How many instants a command has from here to its end, which must be a good one. Leads back to where it was kept. */
  async instantsOf(command: string, args: readonly string[] = []): Promise<number> {
    const ran = await this.run(command, args);
    assert.equal(ran.status, 0, ran.stderr);
    this.reset();
    return (JSON.parse(ran.stdout) as { instants: number }).instants;
  }

  /** @param env what the command finds in its environment besides the usual */
  async create(name: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const options = driverOptions({
      "fakecloud-endpoint": this.cloud.url,
      "fakecloud-token": "first-token",
      "tls-key-type": "ecdsa",
    });
    const context = safetyContext(this.storePath, { env: { ...process.env, ...env } });
    await createMachine(context, { name, driverName: "fakecloud", options }, AbortSignal.timeout(60_000));
  }

  async remove(name: string): Promise<void> {
    await removeMachine(this.context, { name, force: false, restore: false }, AbortSignal.timeout(60_000));
  }

  async findLeftovers(): Promise<Leftover[]> {
    return await findLeftovers(this.context, AbortSignal.timeout(60_000));
  }

  /** Resolves once a process holds the machine's lock. */
  async untilHeld(name: string): Promise<void> {
    const note = path.join(this.storePath, "locks", `machine-${name}.lock.holder`);
    while (!existsSync(note)) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Instances of ours at the cloud, once every request under way was carried out. */
  async ours(): Promise<string[]> {
    await this.cloud.settled();
    return [...this.cloud.resources.all.keys()].filter((id) => id !== this.foreign);
  }

  /** Every machine loads, and all its configuration is there. */
  async assertAllLoad(): Promise<string[]> {
    const { store } = this.context;
    const names = await store.list();
    for (const name of names) {
      const { driverConfigText } = await store.load(name);
      assert.equal((JSON.parse(driverConfigText) as { Endpoint: string }).Endpoint, this.cloud.url);
    }
    return names.toSorted();
  }

  /** The machine's token, as a driver that is opened on it would get it. */
  async tokenOf(name: string): Promise<string> {
    const { store } = this.context;
    const vault = await Vault.load(this.context, store.machineDir(name));
    return (JSON.parse(vault.reveal((await store.load(name)).driverConfigText)) as { Token: string }).Token;
  }

  /** P2: instances = records and what gc lists; the foreign one is in neither. */
  async assertAllFound(): Promise<void> {
    const ours = await this.ours();
    const listed = (await this.findLeftovers()).flatMap(({ instances }) => instances);
    const { store } = this.context;
    const records = await Promise.all((await store.list()).map(async (name) => await store.load(name)));
    const recorded = records.map((record) => (JSON.parse(record.driverConfigText) as { InstanceId: string }).InstanceId);
    for (const id of ours) assert.ok(recorded.includes(id) || listed.includes(id), `${id} is in no record and not listed by gc`);
    assert.ok(!listed.includes(this.foreign), "gc lists an instance that is not ours");
    assert.ok(this.cloud.resources.all.has(this.foreign), "an instance that is not ours is gone");
  }

  /** What should not be there after a command: temporary files, and locks of machines that are not there. */
  strays(): string[] {
    const machines = readdirSync(path.join(this.storePath, "machines"));
    const lockedBy = (file: string): string | undefined => /machine-(.*)\.lock$/u.exec(file)?.[1];
    const isStray = (file: string): boolean => {
      const machine = lockedBy(file);
      return /\.tmp-|\.holder$/u.test(file) || (machine !== undefined && !machines.includes(machine));
    };
    return readdirSync(this.storePath, { recursive: true, encoding: "utf8" }).filter(isStray);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cloud[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}
