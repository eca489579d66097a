/** A fake Compute Engine and a machine's driver on it, with time that passes by itself. */
import type { DriverContext } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/google/index.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { bareComputer, openDriverScene, type DriverScene, type Flags } from "../driver-scene.ts";
import { fakeProject } from "./catalogue.ts";
import { FakeCompute } from "./fake-compute.ts";

export interface Scene extends DriverScene {
  readonly cloud: FakeCompute;
}

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const cloud = await FakeCompute.start();
  const clock = new HastyClock(new Date("2026-10-01T12:00:00Z"));
  const flagsOf = (flags: Flags): Flags => ({ ...fakeFlags(cloud), ...flags });
  const scene = await openDriverScene(driverModule, flagsOf, { clock, computer: bareComputer, ...overrides });
  return {
    ...scene,
    cloud,
    [Symbol.asyncDispose]: async () => {
      await scene[Symbol.asyncDispose]();
      await cloud[Symbol.asyncDispose]();
    },
  };
}

export function fakeFlags(cloud: FakeCompute): Flags {
  return {
    "google-project": fakeProject,
    "google-auth-encoded-json": cloud.credentials,
    "google-endpoint": `${cloud.provider.url}/compute/v1`,
  };
}
