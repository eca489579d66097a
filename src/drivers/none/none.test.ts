import assert from "node:assert/strict";
import { test } from "node:test";
import { driverOptions } from "../../driver-kit/create-flag.ts";
import { describeDriverCrashes } from "../../testing/crash-suite.ts";
import { describeDriverContract } from "../../testing/driver-contract.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { goldenMachines, goldenText } from "../../store/testing/records.ts";
import { driverModule } from "./index.ts";

/** Nothing is made anywhere. The records are 0.16.2's. */
async function suiteWorld() {
  const records = goldenMachines.map((machine) => JSON.stringify((JSON.parse(goldenText(machine)) as { Driver: object }).Driver));
  return { module: driverModule, flags: { url: "tcp://192.0.2.7:2376" }, records, resources: () => [] };
}

describeDriverContract("none", suiteWorld, { refusedFlags: { url: "" } });
describeDriverCrashes("none", suiteWorld, { makesNothing: true });

test("the address is host and port together, as 0.16.2 keeps it", async () => {
  await using testContext = await testDriverContext("alpha");
  for (const [url, address] of [
    ["tcp://[2001:db8::7]:2376", "[2001:db8::7]:2376"],
    ["http://me:secret@192.0.2.7:80/p", "192.0.2.7:80"],
    ["http://192.0.2.7:80?u=a@b", "192.0.2.7:80"],
  ] as const) {
    const driver = driverModule.open(testContext.context, undefined);
    await driver.setConfigFromFlags(driverOptions({ url }));
    assert.deepEqual([await driver.getIp(), await driver.getUrl()], [address, url]);
  }
});
