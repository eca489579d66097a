/** How long Google lets a machine run: asked for with the instance, changed while it stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "../../support/failure.ts";
import { configOf } from "../driver-scene.ts";
import { openScene } from "./scene.ts";

const eightHours = new Date("2026-10-01T20:00:00Z");

test("an instance with a deadline is asked for with it, and Google deletes it then", async () => {
  await using scene = await openScene();
  const driver = await scene.checked();
  await driver.setLifetime?.(eightHours, scene.signal);
  const { MaxRunSeconds } = await configOf(driver);
  assert.ok(Math.abs(Number(MaxRunSeconds) - 28_800) < 60, String(MaxRunSeconds));
  const later = await scene.reopened(driver);
  await later.create(scene.signal);
  assert.deepEqual(scene.cloud.asked[0]?.["scheduling"], {
    maxRunDuration: { seconds: String(MaxRunSeconds) },
    instanceTerminationAction: "DELETE",
  });
});

test("without one it is asked for nothing", async () => {
  await using scene = await openScene();
  const driver = await scene.checked();
  await driver.create(scene.signal);
  await driver.setLifetime?.(undefined, scene.signal);
  assert.deepEqual(scene.cloud.asked[0]?.["scheduling"], {});
});

test("it is changed and taken back while the instance stands, and refused while it runs", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked();
  await driver.create(signal);
  const refused = await failureOf(async () => await driver.setLifetime?.(eightHours, signal));
  assert.equal(refused.code, "machine-state");
  assert.equal((await configOf(driver))["MaxRunSeconds"], 0);
  await driver.stop(signal);
  await driver.setLifetime?.(eightHours, signal);
  assert.equal(cloud.instances.get("web")?.scheduling?.instanceTerminationAction, "DELETE");
  await driver.setLifetime?.(undefined, signal);
  assert.deepEqual(cloud.instances.get("web")?.scheduling, {});
});

test("what Google does not take is refused before anything is made", async () => {
  await using scene = await openScene();
  const driver = await scene.checked();
  const tooFar = new Date("2027-10-01T12:00:00Z");
  assert.match((await failureOf(async () => await driver.setLifetime?.(tooFar, scene.signal))).message, /120 days/u);
  scene.cloud.addForeign("web");
  const adopting = await scene.configured({ "google-use-existing": true });
  const refused = await failureOf(async () => await adopting.setLifetime?.(eightHours, scene.signal));
  assert.equal(refused.code, "driver-options");
});
