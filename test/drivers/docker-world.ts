/** A fake engine, and machines of the driver `docker` on it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after } from "node:test";
import type { Driver } from "../../src/driver-kit/driver.ts";
import { defaultValue, driverOptions, type DriverOptions, type FlagValue } from "../../src/driver-kit/create-flag.ts";
import { builtImageName } from "../../src/drivers/docker/host-image.ts";
import { driverModule } from "../../src/drivers/docker/index.ts";
import { testDriverContext, type TestContext } from "../../src/testing/driver-context.ts";
import { FakeEngine, type FakeContainer } from "./fake-engine.ts";

export const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-docker-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

let counter = 0;
export const newSocket = (): string => path.join(scratch, `${(counter += 1)}.sock`);
export const signal = (): AbortSignal => AbortSignal.timeout(10_000);

function flagsOf(given: Readonly<Record<string, FlagValue>>): DriverOptions {
  const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
  return driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
}

export interface World extends AsyncDisposable {
  readonly engine: FakeEngine;
  readonly flag: { readonly "docker-host": string };
  /** @param createId absent: one of the machine's own */
  make(
    name: string,
    flags?: Readonly<Record<string, FlagValue>>,
    ...createId: [undefined?]
  ): Promise<{ driver: Driver; test: TestContext }>;
}

export async function world(): Promise<World> {
  const socket = newSocket();
  const engine = await FakeEngine.listen(socket);
  engine.images.add(builtImageName("trixie"));
  const contexts: TestContext[] = [];
  const flag = { "docker-host": `unix://${socket}` };
  return {
    engine,
    flag,
    make: async (name, flags = {}, ...createId) => {
      const testContext = await testDriverContext(name, createId.length === 0 ? {} : { createId: undefined });
      contexts.push(testContext);
      const driver = driverModule.open(testContext.context, undefined);
      await driver.setConfigFromFlags(flagsOf({ ...flag, ...flags }));
      return { driver, test: testContext };
    },
    [Symbol.asyncDispose]: async () => {
      await engine[Symbol.asyncDispose]();
      for (const context of contexts) await context[Symbol.asyncDispose]();
    },
  };
}

export function only(engine: FakeEngine): FakeContainer {
  const [container, ...others] = engine.containers.values();
  assert.equal(others.length, 0);
  assert.ok(container !== undefined);
  return container;
}
