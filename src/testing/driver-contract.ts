/**
 * One contract suite for all drivers. What holds for every driver is written here once; a driver's own tests say what is
 * special about it. Runs under node:test.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newBaseConfig } from "../driver-kit/base-config.ts";
import type { Driver, DriverContext, DriverModule, Resource } from "../driver-kit/driver.ts";
import { defaultValue, type FlagValue } from "../driver-kit/create-flag.ts";
import type { machineStates } from "../driver-kit/state.ts";
import { isMachineError } from "../errors/machine-error.ts";
import { systemClock } from "../system/clock.ts";
import { poll } from "../system/waiting.ts";
import { testDriverContext } from "./driver-context.ts";
import { optionsOf } from "./flag-values.ts";

export interface DriverContractFixture {
  readonly module: DriverModule;
  /** Flags a machine can be configured with, without dashes. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  /** Replaces parts of the context: a fake provider, a scripted process runner. */
  readonly context?: Partial<DriverContext> | undefined;
}

/** Cases that only some drivers have. */
export interface DriverContractOptions {
  /** A flag set that `setConfigFromFlags` must refuse. */
  readonly refusedFlags?: Readonly<Record<string, FlagValue>> | undefined;
  /** For drivers that make something: a whole life is lived. `skip` says why that cannot be done here. */
  readonly lifecycle?: { readonly skip?: string | undefined; readonly timeoutMs: number } | undefined;
}

const machineName = "contract-1";

/** Declares the suite. `fixture` is called for each test. */
export function describeDriverContract(
  driverName: string,
  fixture: () => Promise<DriverContractFixture>,
  { refusedFlags, lifecycle }: DriverContractOptions = {},
): void {
  const withDriver = async (
    work: (driver: Driver, given: DriverContractFixture, context: DriverContext) => Promise<void>,
  ): Promise<void> => {
    const given = await fixture();
    await using testContext = await testDriverContext(machineName, given.context);
    await work(given.module.open(testContext.context, undefined), given, testContext.context);
  };

  describe(`driver contract: ${driverName}`, () => {
    test("is called what its folder, registry key and records call it", async () => {
      await withDriver(async (driver, { module }) => {
        assert.equal(module.name, driverName);
        assert.equal(driver.driverName, driverName);
        assert.notEqual(module.summary, "");
      });
    });

    test("flags are unique, described and defaulted by their kind", async () => {
      const { module } = await fixture();
      const names = module.flags.map((flag) => flag.name);
      assert.equal(new Set(names).size, names.length);
      for (const flag of module.flags) {
        assert.match(flag.name, /^[a-z0-9]+(?:-[a-z0-9]+)*$/u);
        assert.notEqual(flag.usage, "", flag.name);
        if (flag.secret === true) assert.equal(defaultValue(flag) === "" || Array.isArray(defaultValue(flag)), true, flag.name);
      }
      for (const name of module.capabilities.perNameFlags) assert.ok(names.includes(name), name);
    });

    test("a new machine's configuration begins with the base fields in their order", async () => {
      await withDriver(async (driver, _given, context) => {
        const config = JSON.parse(await driver.configText()) as Record<string, unknown>;
        const base = newBaseConfig(machineName, context.storePath);
        assert.deepEqual(Object.keys(config).slice(0, Object.keys(base).length), Object.keys(base));
        assert.equal(config["MachineName"], machineName);
      });
    });

    test("a configuration survives being stored, with the keys nobody knows", async () => {
      await withDriver(async (driver, given, context) => {
        await driver.setConfigFromFlags(optionsOf(given.module, given.flags));
        const stored = JSON.stringify({ ...(JSON.parse(await driver.configText()) as object), FromTheFuture: { a: [1] } });
        const again = given.module.open(context, stored);
        assert.deepEqual(JSON.parse(await again.configText()), JSON.parse(stored));
      });
    });

    test("a damaged configuration is named, not guessed at", async () => {
      const given = await fixture();
      await using testContext = await testDriverContext(machineName, given.context);
      assert.throws(
        () => given.module.open(testContext.context, '{"SSHPort": "twenty-two"}'),
        (error) => isMachineError(error, "record-unreadable"),
      );
    });

    if (refusedFlags !== undefined)
      test("refuses flags that are incomplete", async () => {
        await withDriver(async (driver, { module }) => {
          await assert.rejects(driver.setConfigFromFlags(optionsOf(module, refusedFlags)), (error) =>
            isMachineError(error, "driver-options"),
          );
        });
      });

    test("verbs it does not declare fail with a sentence of its own", async () => {
      await withDriver(async (driver, { module, flags }) => {
        await driver.setConfigFromFlags(optionsOf(module, flags));
        for (const [verb, able] of Object.entries(module.capabilities.lifecycle) as [
          keyof typeof module.capabilities.lifecycle,
          boolean,
        ][]) {
          if (able) continue;
          await assert.rejects(
            driver[verb](AbortSignal.timeout(5_000)),
            (error) => isMachineError(error, "driver-unsupported"),
            verb,
          );
        }
      });
    });

    test("removing what was never created succeeds", async () => {
      await withDriver(async (driver, { module, flags }) => {
        await driver.setConfigFromFlags(optionsOf(module, flags));
        await driver.remove(AbortSignal.timeout(30_000));
      });
    });

    if (lifecycle !== undefined) {
      test(
        "lives a whole life: create, stop, start, restart, kill, remove, and nothing twice",
        { skip: lifecycle.skip ?? false },
        async () => {
          await liveWholeLife(await fixture(), AbortSignal.timeout(lifecycle.timeoutMs));
        },
      );
    }
  });
}

async function liveWholeLife(given: DriverContractFixture, signal: AbortSignal): Promise<void> {
  await using testContext = await testDriverContext(machineName, given.context);
  const { context } = testContext;
  const driver = given.module.open(context, undefined);
  await driver.setConfigFromFlags(optionsOf(given.module, given.flags));
  await driver.preCreateCheck(signal);
  try {
    await driver.create(signal);
    assert.ok(testContext.saves() > 0, "create() made no identifier durable");
    // Every command opens the driver afresh from what was stored.
    const reopen = async (): Promise<Driver> => given.module.open(context, await driver.configText());
    const now = await reopen();
    await waitFor(now, "Running", signal);
    await now.locate?.(signal);
    assert.match(await now.getUrl(), /^tcp:\/\/\S+:\d+$/u);
    assert.notEqual(await now.getIp(), "");
    await now.create(signal);
    assert.equal((await instancesOf(now, signal))?.length ?? 1, 1, "a repeated create made a second instance");
    await now.stop(signal);
    await waitFor(now, "Stopped", signal);
    await now.start(signal);
    await waitFor(now, "Running", signal);
    await now.restart(signal);
    await waitFor(now, "Running", signal);
    await now.kill(signal);
    await waitFor(now, "Stopped", signal);
    await now.remove(signal);
    await now.remove(signal);
    assert.deepEqual((await now.findResources?.(signal)) ?? [], []);
  } finally {
    await driver.remove(AbortSignal.timeout(60_000)).catch(() => {});
  }
}

async function instancesOf(driver: Driver, signal: AbortSignal): Promise<readonly Resource[] | undefined> {
  return (await driver.findResources?.(signal))?.filter(({ kind }) => kind === "instance");
}

async function waitFor(driver: Driver, state: (typeof machineStates)[number], signal: AbortSignal): Promise<void> {
  const patience = { ms: Number.POSITIVE_INFINITY, clock: systemClock, signal };
  await poll(patience, 100, async () => (await driver.getState(signal)) === state || undefined);
}
