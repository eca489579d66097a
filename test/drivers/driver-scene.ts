/** A machine's driver in a context of its own, as all the scenes of drivers have it, and what is looked at there. */
import assert from "node:assert/strict";
import type { FlagValue } from "../../src/driver-kit/create-flag.ts";
import type { Driver, DriverContext, DriverModule } from "../../src/driver-kit/driver.ts";
import type { ErrorCode } from "../../src/errors/codes.ts";
import { MachineError } from "../../src/errors/machine-error.ts";
import { thisComputer } from "../../src/system/computer.ts";
import type { ProcessRunner } from "../../src/system/process.ts";
import { poll } from "../../src/system/waiting.ts";
import { testDriverContext, type TestContext } from "../../src/testing/driver-context.ts";
import { optionsOf } from "../../src/testing/flag-values.ts";
import { HastyClock } from "../support/hasty-clock.ts";

export type Flags = Readonly<Record<string, FlagValue>>;

/** Nothing of the environment that the tests run in. */
export const bareComputer = { ...thisComputer(), env: {} as Readonly<Record<string, string>>, homeDir: undefined };

export interface DriverScene extends AsyncDisposable {
  readonly test: TestContext;
  readonly context: DriverContext;
  readonly signal: AbortSignal;
  /** A driver that took its flags. */
  configured(flags?: Flags): Promise<Driver>;
  /** Took its flags and has checked them. */
  checked(flags?: Flags): Promise<Driver>;
  /** One that has made its machine. */
  created(flags?: Flags): Promise<Driver>;
  /** The driver of a later command. */
  reopened(driver: Driver): Promise<Driver>;
  /** Warnings and other lines so far. */
  lines(): readonly string[];
}

/** With a machine "web". @param flagsOf all flags, where some are given */
export async function openDriverScene(
  module: DriverModule,
  flagsOf: (given: Flags) => Flags,
  overrides: Partial<DriverContext>,
): Promise<DriverScene> {
  const test = await testDriverContext("web", overrides);
  const { context } = test;
  const signal = AbortSignal.timeout(60_000);
  const configured: DriverScene["configured"] = async (flags = {}) => {
    const driver = module.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(module, flagsOf(flags)));
    return driver;
  };
  const checked: DriverScene["checked"] = async (flags) => {
    const driver = await configured(flags);
    await driver.preCreateCheck(signal);
    return driver;
  };
  return {
    test,
    context,
    signal,
    configured,
    checked,
    created: async (flags) => {
      const driver = await checked(flags);
      await driver.create(signal);
      return driver;
    },
    reopened: async (driver) => module.open(context, await driver.configText()),
    lines: () => test.events.flatMap((event) => (event.type === "log" ? [event.text] : [])),
    [Symbol.asyncDispose]: async () => await test[Symbol.asyncDispose](),
  };
}

export async function configOf(driver: Driver): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}

/**
 * That it fails in one sentence and with a way out. A sentence of ours has no end of its own; one of 0.16.2 may, and is then
 * given as it is.
 */
export async function assertRefused(work: Promise<unknown>, code: ErrorCode, sentence: RegExp | string): Promise<MachineError> {
  const error: unknown = await work.then(
    () => assert.fail("it was not refused"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof MachineError, String(error));
  assert.equal(error.code, code, error.message);
  if (typeof sentence === "string") assert.equal(error.message, sentence);
  else {
    assert.match(error.message, sentence);
    assert.doesNotMatch(error.message, /[\n.]$/u);
  }
  assert.ok(error.hint !== undefined && error.hint !== "", `no way out: ${error.message}`);
  return error;
}

/** The same programs, with a shorter end to one bound: it is too long for a test. */
export function hurried(processes: ProcessRunner, boundMs: number, insteadMs: number): ProcessRunner {
  return {
    find: async (program) => await processes.find(program),
    spawn: (...given) => processes.spawn(...given),
    run: async (program, args, options) =>
      await processes.run(program, args, { ...options, ...(options?.timeoutMs === boundMs ? { timeoutMs: insteadMs } : {}) }),
  };
}

/** That waiting for an address ends where there never is one. @param hint what is said then */
export async function assertNoAddress({ context, signal }: DriverScene, driver: Driver, hint: string): Promise<void> {
  const ask = async (): Promise<string | undefined> => {
    await driver.locate?.(signal);
    return (await driver.getIp()) || undefined;
  };
  assert.equal(await poll({ ms: 180_000, clock: context.clock, signal }, 2_000, ask), undefined);
  assert.ok(driver.addressHint?.includes(hint));
}

export interface CloudScene<Cloud> extends DriverScene {
  readonly cloud: Cloud;
  readonly clock: HastyClock;
}

/** At a fake cloud, which ends with the scene; its time passes by itself. */
export async function openCloudScene<Cloud extends AsyncDisposable>(
  module: DriverModule,
  start: (clock: HastyClock) => Promise<Cloud>,
  flagsOf: (cloud: Cloud, given: Flags) => Flags,
  overrides: Partial<DriverContext>,
): Promise<CloudScene<Cloud>> {
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const cloud = await start(clock);
  const scene = await openDriverScene(module, (given) => flagsOf(cloud, given), { clock, computer: bareComputer, ...overrides });
  return {
    ...scene,
    cloud,
    clock,
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await cloud[Symbol.asyncDispose]();
    },
  };
}
