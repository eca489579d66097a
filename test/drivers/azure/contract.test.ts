/** The contract of drivers, on a fake Azure. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { bareComputer, openCloud, sshKey, type Cloud } from "./scene.ts";

describe("azure", () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await openCloud();
    cloud.azure.retryAfter = 0;
  });
  after(async () => {
    assert.deepEqual(cloud.azure.list(), []);
    await cloud[Symbol.asyncDispose]();
  });

  describeDriverContract(
    "azure",
    async () => ({
      module: driverModule,
      flags: cloud.flags,
      context: { clock: systemClock, computer: bareComputer, ...sshKey },
    }),
    { refusedFlags: { "azure-location": "westus" }, lifecycle: { timeoutMs: 60_000 } },
  );
});
