/** A computer with a fake QEMU on it and a built image in its cache, and machines made there. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after } from "node:test";
import type { Driver, DriverContext } from "../../src/driver-kit/driver.ts";
import { defaultValue, driverOptions, type FlagValue } from "../../src/driver-kit/create-flag.ts";
import { buildDigest } from "../../src/drivers/qemu/build-image.ts";
import { guestArch } from "../../src/driver-kit/images/guest-arch.ts";
import type { QemuImageFacts } from "../../src/drivers/qemu/image.ts";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { systemClock, type Clock } from "../../src/system/clock.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { testDriverContext, type TestContext } from "../../src/testing/driver-context.ts";
import { installFakeQemu, type FakeBehaviour } from "./fake-qemu.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-qemu-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Bounds pass eight times as fast, so that running into one takes no time. */
const hurried: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now() * 8,
  sleep: async (ms, ending) => await systemClock.sleep(ms / 8, ending),
};

let counter = 0;
export const signal = (): AbortSignal => AbortSignal.timeout(20_000);

export interface FakeWorld {
  readonly folder: string;
  readonly overrides: Partial<DriverContext>;
}

/** A computer with a fake QEMU and a built image in its cache. */
export async function fakeWorld(behaviour: FakeBehaviour = {}): Promise<FakeWorld> {
  const folder = path.join(scratch, String((counter += 1)));
  const bin = installFakeQemu(folder, behaviour);
  const real = thisComputer();
  const computer = { ...real, os: "linux" as const, env: { ...real.env, PATH: `${bin}:${real.env["PATH"]}` } };
  const cacheDir = path.join(folder, "cache");
  await writeImage(cacheDir);
  await writeFile(path.join(cacheDir, "qemu", "accelerators.json"), "{}");
  return { folder, overrides: { computer, processes: new SystemProcessRunner(computer), cacheDir, clock: hurried } };
}

async function writeImage(cacheDir: string): Promise<void> {
  const arch = guestArch(process.arch, "qemu");
  const digest = buildDigest({ suite: "trixie", arch, mirror: "" });
  const image = path.join(cacheDir, "qemu", "images", digest);
  await mkdir(image, { recursive: true });
  for (const file of ["disk", "vmlinuz", "initrd"]) await writeFile(path.join(image, file), file);
  const facts: QemuImageFacts = {
    digest,
    title: "an image",
    arch,
    format: "raw",
    virtualSizeBytes: 1024,
    boot: "kernel",
    identity: "credentials",
  };
  await writeFile(path.join(image, "image.json"), JSON.stringify(facts));
}

export function flagsOf(flags: Readonly<Record<string, FlagValue>> = {}): ReturnType<typeof driverOptions> {
  const given = { "qemu-accelerator": "tcg", "qemu-image": "build", ...flags };
  const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
  return driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
}

export interface Made extends AsyncDisposable {
  readonly driver: Driver;
  readonly test: TestContext;
  readonly world: FakeWorld;
  config(): Promise<Record<string, unknown>>;
  file(name: string): string;
}

export async function configured(flags: Readonly<Record<string, FlagValue>>, behaviour: FakeBehaviour = {}): Promise<Made> {
  const world = await fakeWorld(behaviour);
  const testContext = await testDriverContext("web", world.overrides);
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(flagsOf(flags));
  return {
    driver,
    test: testContext,
    world,
    config: async () => JSON.parse(await driver.configText()) as Record<string, unknown>,
    file: (name) => path.join(testContext.context.machineDir, name),
    [Symbol.asyncDispose]: async () => {
      await driver.remove(signal()).catch(() => {});
      await testContext[Symbol.asyncDispose]();
    },
  };
}

export async function created(
  flags: Readonly<Record<string, FlagValue>> = { "qemu-save-state": "off" },
  behaviour: FakeBehaviour = {},
): Promise<Made> {
  const made = await configured(flags, behaviour);
  await made.driver.create(signal());
  return made;
}

/** Holds a process still, and returns once it is. */
export async function freeze(pid: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  for (const soon = signal(); !/^T/u.test(stateOf(pid)); await new Promise((resolve) => setImmediate(resolve)))
    soon.throwIfAborted();
}

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2);
}

export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

/** The fake QEMUs that run of the one which is installed in a folder. */
export function processesOf(folder: string): number[] {
  const isOurs = (pid: string): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(folder);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name) && isOurs(name))
    .map(Number);
}
