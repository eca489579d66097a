/** A fake Compute Engine and a machine's driver on it, with time that passes by itself. */
import type { DriverContext } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/google/index.ts";
import { openCloudScene, type CloudScene, type Flags } from "../driver-scene.ts";
import { fakeProject } from "./catalogue.ts";
import { FakeCompute } from "./fake-compute.ts";

export type Scene = CloudScene<FakeCompute>;

export async function openScene(overrides: Partial<DriverContext> = {}): Promise<Scene> {
  const flagsOf = (cloud: FakeCompute, flags: Flags): Flags => ({ ...fakeFlags(cloud), ...flags });
  return await openCloudScene(driverModule, async () => await FakeCompute.start(), flagsOf, overrides);
}

export function fakeFlags(cloud: FakeCompute): Flags {
  return {
    "google-project": fakeProject,
    "google-auth-encoded-json": cloud.credentials,
    "google-endpoint": `${cloud.provider.url}/compute/v1`,
  };
}
