/** One machine of a driver under test, configured, for tests of what is special about the driver. */
import type { FlagValue } from "../driver-kit/create-flag.ts";
import type { Driver, DriverContext, DriverModule } from "../driver-kit/driver.ts";
import { testDriverContext, type TestContext } from "./driver-context.ts";
import { optionsOf } from "./flag-values.ts";

export interface TestMachine extends AsyncDisposable {
  readonly driver: Driver;
  readonly test: TestContext;
}

/** @param flags those that are given; the others have their defaults */
export async function testMachine(
  module: DriverModule,
  flags: Readonly<Record<string, FlagValue>>,
  context: Partial<DriverContext> = {},
): Promise<TestMachine> {
  const test = await testDriverContext("web", context);
  const driver = module.open(test.context, undefined);
  await driver.setConfigFromFlags(optionsOf(module, flags));
  return { driver, test, [Symbol.asyncDispose]: async () => await test[Symbol.asyncDispose]() };
}
