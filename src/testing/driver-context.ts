/** A driver's context for tests: a machine folder of its own, recorded events and saves, everything else real. */
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { DriverContext } from "../driver-kit/driver.ts";
import type { ProgressEvent } from "../log/event.ts";
import { systemClock } from "../system/clock.ts";
import { thisComputer } from "../system/computer.ts";
import { HttpClient } from "../system/http-request.ts";
import { SystemProcessRunner } from "../system/process.ts";

export interface TestContext extends AsyncDisposable {
  readonly context: DriverContext;
  readonly events: readonly ProgressEvent[];
  /** How often the driver made its configuration durable. */
  readonly saves: () => number;
  /** Called at each save, for tests that look at the configuration at that moment. */
  onSave(listener: () => Promise<void>): void;
}

export async function testDriverContext(machineName: string, overrides: Partial<DriverContext> = {}): Promise<TestContext> {
  const storePath = await mkdtemp(path.join(tmpdir(), "docker-machine-driver-"));
  const machineDir = path.join(storePath, "machines", machineName);
  const cacheDir = path.join(storePath, "cache");
  await mkdir(machineDir, { recursive: true, mode: 0o700 });
  await mkdir(cacheDir, { mode: 0o700 });
  const computer = thisComputer();
  const events: ProgressEvent[] = [];
  const listeners: (() => Promise<void>)[] = [];
  let saves = 0;
  const context: DriverContext = {
    machineName,
    createId: `test-${machineName}`,
    storePath,
    machineDir,
    cacheDir,
    computer,
    processes: new SystemProcessRunner(computer),
    http: new HttpClient({ env: computer.env, clock: systemClock }),
    operationMs: 900_000,
    clock: systemClock,
    report: (event) => void events.push(event),
    save: async () => {
      saves += 1;
      for (const listener of listeners) await listener();
    },
    openSsh: async () => await Promise.reject(new Error("no SSH in this test")),
    ensureSshKey: async (wish) =>
      await (await import("../ssh/keys.ts")).ensureKeyPair(machineDir, machineName, computer, wish?.type),
    reveal: async (text) => text,
    secret: () => {},
    ...overrides,
  };
  return {
    context,
    events,
    saves: () => saves,
    onSave: (listener) => void listeners.push(listener),
    [Symbol.asyncDispose]: async () => await rm(storePath, { recursive: true, force: true }),
  };
}
