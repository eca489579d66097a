/** What each driver of 0.16.2's promises of its records: their order, and that what a save of the old program drops is found again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Driver, DriverModule } from "../../src/driver-kit/driver.ts";
import { configOf, type DriverScene } from "./driver-scene.ts";

/** @param theirs a record as 0.16.2's own code writes it */
export function describeRecordOrder(module: DriverModule, open: () => Promise<DriverScene>, theirs: object): void {
  test("the record's fields stand in 0.16.2's order, ours behind them", async () => {
    await using scene = await open();
    const their = Object.keys(theirs);
    const ours = Object.keys(await configOf(await scene.configured()));
    assert.deepEqual(ours.slice(0, their.length), their);
    assert.deepEqual(ours.slice(their.length).toSorted(), [...(module.newKeys ?? [])].toSorted());
  });
}

/** A machine that was made by us, as a record that 0.16.2 has saved since. */
export async function savedBy016(module: DriverModule, { context }: DriverScene, driver: Driver): Promise<Driver> {
  const dropped = new Set(module.newKeys);
  const kept = Object.entries(await configOf(driver)).filter(([key]) => !dropped.has(key));
  return module.open(context, JSON.stringify(Object.fromEntries(kept)));
}
