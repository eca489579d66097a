/** A machine's surroundings for tests of plugins: a folder on PATH to put programs in, a context, what was reported. */
import { HttpClient } from "../../src/system/http-request.ts";
import { EventEmitter, once } from "node:events";
import type { ChildProcess } from "node:child_process";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { Driver, DriverContext } from "../../src/driver-kit/driver.ts";
import type { ProgressEvent } from "../../src/log/event.ts";
import { defaultBounds, type PluginBounds } from "../../src/plugin/plugin-bounds.ts";
import { ProcessSlots } from "../../src/plugin/process-slots.ts";
import type { PluginRuntime } from "../../src/plugin/remote-driver.ts";
import { systemClock } from "../../src/system/clock.ts";
import { thisComputer, type Computer } from "../../src/system/computer.ts";
import { SystemProcessRunner, type ProcessRunner } from "../../src/system/process.ts";

export interface PluginFixture extends AsyncDisposable {
  /** A folder of its own, the first on PATH. */
  readonly folder: string;
  readonly computer: Computer;
  readonly processes: ProcessRunner;
  /** Called with each program that is started. */
  onStart(listener: (child: ChildProcess) => void): void;
  readonly context: DriverContext;
  /** The texts of log events, with their level. */
  readonly logged: string[];
  /** Resolves when a text that contains the given one has been logged. */
  waitForLog(part: string): Promise<void>;
  readonly secrets: string[];
  readonly saved: string[];
  /** Puts a script for the Node that runs the tests on PATH as the plugin of a driver. */
  addScript(driver: string, source: string): Promise<string>;
  addProgram(driver: string, program: string): Promise<void>;
  /** Sees to it that a driver is closed at the end, however the test ends. */
  opened(driver: Driver): Driver;
}

/** Bounds that make a hang a matter of moments. */
export const shortBounds: PluginBounds = {
  ...defaultBounds,
  launchMs: 5_000,
  handshakeMs: 5_000,
  questionMs: 5_000,
  closeMs: 500,
};

export function runtimeWith(bounds: Partial<PluginBounds> = {}, maxProcesses = 8): PluginRuntime {
  return { bounds: { ...shortBounds, ...bounds }, slots: new ProcessSlots(maxProcesses, 60_000) };
}

/** `save` is what the machine's context does when the driver asks to be saved. */
export async function pluginFixture(save: () => Promise<string> = async () => ""): Promise<PluginFixture> {
  const folder = await mkdtemp(path.join(tmpdir(), "plugins-"));
  const own = thisComputer();
  const computer = {
    ...own,
    env: { ...own.env, MACHINE_STORAGE_PATH: folder, PATH: `${folder}${path.delimiter}${own.env["PATH"] ?? ""}` },
  };
  const runner = new SystemProcessRunner(computer);
  const starts = new EventEmitter();
  const processes: ProcessRunner = {
    spawn: (...args) => {
      const child = runner.spawn(...args);
      starts.emit("start", child);
      return child;
    },
    run: (...args) => runner.run(...args),
    find: (program) => runner.find(program),
  };
  const drivers: Driver[] = [];
  const logged: string[] = [];
  const arrivals = new EventEmitter();
  const secrets: string[] = [];
  const saved: string[] = [];
  const context: DriverContext = {
    machineName: "web",
    createId: "",
    storePath: folder,
    machineDir: path.join(folder, "machines", "web"),
    cacheDir: path.join(folder, "cache"),
    computer,
    processes,
    clock: systemClock,
    report: (event: ProgressEvent) => {
      if (event.type !== "log") return;
      logged.push(`${event.level} (${event.machine}) ${event.text}`);
      arrivals.emit("logged");
    },
    save: async () => void saved.push(await save()),
    openSsh: () => Promise.reject(new Error("no SSH here")),
    http: new HttpClient({ env: {}, clock: systemClock }),
    operationMs: 10_000,
    ensureSshKey: () => Promise.reject(new Error("no keys here")),
    reveal: async (text) => text,
    secret: (value) => void secrets.push(value),
  };
  const programOf = (driver: string): string => path.join(folder, `docker-machine-driver-${driver}`);
  return {
    folder,
    computer,
    processes,
    onStart: (listener) => void starts.on("start", listener),
    context,
    logged,
    waitForLog: async (part) => {
      while (!logged.some((text) => text.includes(part))) await once(arrivals, "logged");
    },
    secrets,
    saved,
    addScript: async (driver, source) => {
      await writeFile(programOf(driver), `#!${process.execPath}\n${source}`);
      await chmod(programOf(driver), 0o755);
      return programOf(driver);
    },
    addProgram: async (driver, program) => await symlink(program, programOf(driver)),
    opened: (driver) => {
      drivers.push(driver);
      return driver;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(drivers.map(async (driver) => await driver.close?.()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
