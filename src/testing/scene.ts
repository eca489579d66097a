/** A store, a provider and a host that are all in this process: what use cases are tested around. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { assemble } from "../assembly/assemble.ts";
import { driverOptions, type FlagValue } from "../driver-kit/create-flag.ts";
import type { DriverCapabilities } from "../driver-kit/driver.ts";
import { FakeEngine } from "../engine/fake-engine.ts";
import { isMachineError, type MachineError } from "../errors/machine-error.ts";
import type { ProgressEvent } from "../log/event.ts";
import { thisComputer } from "../system/computer.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { fakeDriverModule, FakeWorld, type FakeVerb } from "./fake-driver.ts";
import { debianFacts, FakeSshExecutor } from "./fake-ssh-executor.ts";
import { createMachine } from "../machine/create.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import { removeMachine } from "../machine/remove.ts";
import { defaultTimeouts } from "../machine/timeouts.ts";

/** A signal that nothing aborts. */
export const never: AbortSignal = new AbortController().signal;

/** A store, a provider and a host of their own. */
export class Scene {
  readonly world = new FakeWorld();
  readonly ssh = new FakeSshExecutor();
  readonly events: ProgressEvent[] = [];
  readonly folder = temporaryFolder();
  readonly context: MachineContext;
  /** Once it came up. */
  engine: FakeEngine | undefined;

  constructor(change: Partial<DriverCapabilities> = {}) {
    const module = fakeDriverModule(this.world, change);
    this.context = {
      ...assemble({
        computer: thisComputer(),
        storePath: this.folder,
        reportFor: () => (event) => void this.events.push(event),
        timeouts: { ...defaultTimeouts, runningMs: 200, sshMs: 200, driverMs: 500, rollbackMs: 2_000, engineMs: 2_000 },
      }),
      findDriver: async () => module,
      openSsh: async () => this.ssh,
    };
  }

  async create(name = "web", given: Readonly<Record<string, FlagValue>> = {}, signal: AbortSignal = never): Promise<void> {
    const values = { "fake-size": "small", "tls-key-type": "ecdsa", "engine-source": "auto", ...given };
    await createMachine(this.context, { name, driverName: "fake", options: driverOptions(values) }, signal);
  }

  async remove(name = "web", force = false): Promise<void> {
    await removeMachine(this.context, { name, force, restore: false }, never);
  }

  /** The driver's stored configuration. */
  async config(name = "web"): Promise<Record<string, unknown>> {
    return JSON.parse((await this.context.store.load(name)).driverConfigText) as Record<string, unknown>;
  }

  async names(): Promise<readonly string[]> {
    return await this.context.store.list();
  }

  hasJournal(name = "web"): boolean {
    return existsSync(path.join(this.context.store.machineDir(name), "journal.ndjson"));
  }

  said(level: string): string {
    return this.events.flatMap((event) => (event.type === "log" && event.level === level ? [event.text] : [])).join("\n");
  }

  /** From now on this verb fails. */
  fail(verb: FakeVerb, error: unknown = new Error(`${verb} broke`)): void {
    this.world.before.set(verb, () => {
      throw error;
    });
  }

  pinned(name = "web"): string {
    return readFileSync(path.join(this.context.store.machineDir(name), "known_hosts"), "utf8");
  }

  /** From now on the engine of the machine `web` comes up when its host is configured, at a port of this computer. */
  withEngine(): this {
    this.world.engineUrl = "tcp://127.0.0.1:2376";
    this.ssh.says.set("configure", [
      async () => {
        this.engine ??= await this.startEngine();
        this.world.engineUrl = this.engine.url;
        return { facts: debianFacts };
      },
    ]);
    return this;
  }

  /** An engine with the certificate of the machine `web`. @param port a free one unless told */
  async startEngine(port?: number): Promise<FakeEngine> {
    const read = (file: string): string => readFileSync(path.join(this.context.store.machineDir("web"), file), "utf8");
    const texts = { certificate: read("server.pem"), key: read("server-key.pem"), clientCa: read("ca.pem") };
    return await FakeEngine.start({ ...texts, port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.engine?.[Symbol.asyncDispose]();
  }
}

/** The error that work ends with; it must be one of ours. */
export async function failure(work: Promise<unknown>): Promise<MachineError> {
  return await work.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => (isMachineError(error) ? error : assert.fail(String(error))),
  );
}
