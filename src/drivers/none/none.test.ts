import assert from "node:assert/strict";
import { test } from "node:test";
import { driverOptions } from "../../driver-kit/create-flag.ts";
import { describeDriverContract } from "../../testing/driver-contract.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { driverModule } from "./index.ts";

describeDriverContract("none", async () => ({ module: driverModule, flags: { url: "tcp://192.0.2.7:2376" } }), {
  refusedFlags: { url: "" },
});

test("the address is host and port together, as 0.16.2 keeps it", async () => {
  await using testContext = await testDriverContext("alpha");
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(driverOptions({ url: "tcp://[2001:db8::7]:2376" }));
  assert.equal(await driver.getIp(), "[2001:db8::7]:2376");
  assert.equal(await driver.getUrl(), "tcp://[2001:db8::7]:2376");
});
