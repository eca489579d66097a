import assert from "node:assert/strict";
import { test } from "node:test";
import { driverModule } from "../drivers/none/index.ts";
import { testDriverContext } from "../testing/driver-context.ts";
import { driverOptions } from "./create-flag.ts";

/** A configuration with keys of a later version among those of today, in an order of its own. */
const stored =
  '{"Later":{"Z":9007199254740993,"A":1.0},"URL":"tcp://192.0.2.7:2376","IPAddress":"192.0.2.7:2376",' +
  '"MachineName":"alpha","SSHUser":"","SSHPort":0,"SSHKeyPath":"","StorePath":"/s","SwarmMaster":false,' +
  '"SwarmHost":"","SwarmDiscovery":"","Serial":18446744073709551615}';

test("a configuration that nothing was changed in is stored to the byte as it was", async () => {
  await using testContext = await testDriverContext("alpha");
  assert.equal(await driverModule.open(testContext.context, stored).configText(), stored);
});

test("a change keeps the order of keys, and what this version does not know", async () => {
  await using testContext = await testDriverContext("alpha");
  const driver = driverModule.open(testContext.context, stored);
  await driver.setConfigFromFlags(driverOptions({ url: "tcp://192.0.2.8:2376" }));
  assert.equal(await driver.configText(), stored.replaceAll("192.0.2.7", "192.0.2.8"));
});
