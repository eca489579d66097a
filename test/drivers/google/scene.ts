/** A fake Compute Engine and a machine's driver on it, with time that passes by itself. */
import type { Driver, DriverContext } from "../../../src/driver-kit/driver.ts";
import type { FlagValue } from "../../../src/driver-kit/create-flag.ts";
import { driverModule } from "../../../src/drivers/google/index.ts";
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { fakeProject } from "./catalogue.ts";
import { FakeCompute } from "./fake-compute.ts";

/** Nothing of the environment that the tests run in. */
export const bareComputer = { ...thisComputer(), env: {}, homeDir: undefined };

export interface Scene extends AsyncDisposable {
  readonly cloud: FakeCompute;
  readonly test: TestContext;
  readonly context: DriverContext;
  readonly signal: AbortSignal;
  /** A driver that took its flags. */
  configured(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** A driver that took its flags and has checked them. */
  checked(flags?: Readonly<Record<string, FlagValue>>): Promise<Driver>;
  /** The driver of a later command. */
  reopened(driver: Driver): Promise<Driver>;
  lines(): readonly string[];
}

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const cloud = await FakeCompute.start();
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const test = await testDriverContext("web", { clock, computer: bareComputer, ...overrides });
  const { context } = test;
  const signal = AbortSignal.timeout(60_000);
  const configured: Scene["configured"] = async (flags = {}) => {
    const driver = driverModule.open(context, undefined);
    await driver.setConfigFromFlags(optionsOf(driverModule, { ...fakeFlags(cloud), ...flags }));
    return driver;
  };
  return {
    cloud,
    test,
    context,
    signal,
    configured,
    checked: async (flags) => {
      const driver = await configured(flags);
      await driver.preCreateCheck(signal);
      return driver;
    },
    reopened: async (driver) => driverModule.open(context, await driver.configText()),
    lines: () => test.events.flatMap((event) => (event.type === "log" ? [event.text] : [])),
    [Symbol.asyncDispose]: async () => {
      await test[Symbol.asyncDispose]();
      await cloud[Symbol.asyncDispose]();
    },
  };
}

export function fakeFlags(cloud: FakeCompute): Readonly<Record<string, FlagValue>> {
  return {
    "google-project": fakeProject,
    "google-auth-encoded-json": cloud.credentials,
    "google-endpoint": `${cloud.provider.url}/compute/v1`,
  };
}

export async function configOf(driver: Driver): Promise<Readonly<Record<string, unknown>>> {
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}
