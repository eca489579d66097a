/**
 * One contract suite for all drivers. What holds for every driver is written here once; a driver's own tests say what is
 * special about it. Runs under node:test.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { newBaseConfig } from "../driver-kit/base-config.ts";
import type { Driver, DriverContext } from "../driver-kit/driver.ts";
import { defaultValue, type FlagValue } from "../driver-kit/create-flag.ts";
import { isMachineError } from "../errors/machine-error.ts";
import { testDriverContext } from "./driver-context.ts";
import { contractLife, contractMachineName as machineName } from "./contract-life.ts";
import type { DriverContractFixture } from "./contract-world.ts";
import { optionsOf } from "./flag-values.ts";

/** Cases that only some drivers have. */
export interface DriverContractOptions {
  /** A flag set that `setConfigFromFlags` must refuse. */
  readonly refusedFlags?: Readonly<Record<string, FlagValue>> | undefined;
  /** For drivers that make something: a whole life is lived. `skip` says why that cannot be done here. */
  readonly lifecycle?: { readonly skip?: string | undefined; readonly timeoutMs: number } | undefined;
}

/** Declares the suite. `fixture` is called for each test. */
export function describeDriverContract(
  driverName: string,
  fixture: () => Promise<DriverContractFixture>,
  { refusedFlags, lifecycle }: DriverContractOptions = {},
): void {
  const withFixture = async (work: (given: DriverContractFixture, context: DriverContext) => Promise<void>): Promise<void> => {
    const given = await fixture();
    try {
      await using testContext = await testDriverContext(machineName, given.context);
      await work(given, testContext.context);
    } finally {
      await given[Symbol.asyncDispose]?.();
    }
  };
  const withDriver = async (
    work: (driver: Driver, given: DriverContractFixture, context: DriverContext) => Promise<void>,
  ): Promise<void> =>
    await withFixture(async (given, context) => await work(given.module.open(context, undefined), given, context));

  describe(`driver contract: ${driverName}`, () => {
    test("is called what its folder, registry key and records call it", async () => {
      await withDriver(async (driver, { module }) => {
        assert.equal(module.name, driverName);
        assert.equal(driver.driverName, driverName);
        assert.notEqual(module.summary, "");
      });
    });

    test("flags are unique, described and defaulted by their kind", async () => {
      await withFixture(async ({ module }) => {
        const names = module.flags.map((flag) => flag.name);
        assert.equal(new Set(names).size, names.length);
        for (const flag of module.flags) {
          assert.match(flag.name, /^[a-z0-9]+(?:-[a-z0-9]+)*$/u);
          assert.notEqual(flag.usage, "", flag.name);
          if (flag.secret === true) assert.equal(defaultValue(flag) === "" || Array.isArray(defaultValue(flag)), true, flag.name);
        }
        for (const name of module.capabilities.perNameFlags) assert.ok(names.includes(name), name);
      });
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
      await withFixture(async ({ module }, context) => {
        assert.throws(
          () => module.open(context, '{"SSHPort": "twenty-two"}'),
          (error) => isMachineError(error, "record-unreadable"),
        );
      });
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

    test("a record of 0.16.2 is read and written back, and tells where the machine is", async () => {
      await withFixture(async ({ module, records = [] }, context) => {
        for (const record of records) {
          const driver = module.open({ ...context, ...nothing }, record);
          const written = JSON.parse(await driver.configText()) as Record<string, unknown>;
          const stored = JSON.parse(record) as Record<string, unknown>;
          assert.deepEqual(Object.fromEntries(Object.keys(stored).map((key) => [key, written[key]])), stored);
          assert.deepEqual(
            Object.keys(written).slice(0, Object.keys(stored).length),
            Object.keys(stored),
            "the order of the keys",
          );
          assert.equal(await driver.getIp(), stored["IPAddress"] ?? "");
          for (const ask of ["getSshHostname", "getSshPort", "getSshUsername", "getSshKeyPath"] as const) await driver[ask]();
        }
      });
    });

    test("opening asks nobody for anything, nor does telling where the machine is recorded", async () => {
      await withFixture(async ({ module, flags }, context) => {
        const configured = module.open(context, undefined);
        await configured.setConfigFromFlags(optionsOf(module, flags));
        for (const text of [undefined, await configured.configText()]) {
          const driver = module.open({ ...context, ...nothing }, text);
          await driver.getIp();
          await driver.configText();
        }
      });
    });

    test("removing what was never created succeeds", async () => {
      await withDriver(async (driver, { module, flags }) => {
        await driver.setConfigFromFlags(optionsOf(module, flags));
        await driver.remove(AbortSignal.timeout(30_000));
      });
    });

    if (lifecycle === undefined) return;
    for (const [title, live] of Object.entries(contractLife)) {
      test(title, { skip: lifecycle.skip ?? false }, async (t) => {
        await live(fixture, AbortSignal.timeout(lifecycle.timeoutMs), (reason) => t.skip(reason));
      });
    }
  });
}

/** Whoever asks one of these has done what opening must not do. */
const nothing: Partial<DriverContext> = {
  http: {
    send: async () => asked("http"),
    agent: async () => asked("http"),
    trusting: () => nothing.http ?? asked("http"),
    fingerprint: async () => asked("http"),
  },
  processes: {
    run: async () => asked("processes"),
    spawn: () => asked("processes"),
    find: async () => asked("processes"),
  },
  openSsh: async () => asked("openSsh"),
  ensureSshKey: async () => asked("ensureSshKey"),
  reveal: async () => asked("reveal"),
  save: async () => asked("save"),
};

function asked(what: string): never {
  assert.fail(`context.${what} was used`);
}
