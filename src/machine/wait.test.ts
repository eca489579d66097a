import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failure, never, Scene } from "../testing/scene.ts";
import { readConsole } from "./console.ts";
import { changeState } from "./lifecycle.ts";
import { waitForMachine } from "./wait.ts";

describe("wait", () => {
  it("ends as soon as the state is there, by whoever it was brought about", async () => {
    const scene = new Scene();
    await scene.create();
    let asked = 0;
    scene.world.before.set("getState", () => {
      asked += 1;
      if (asked === 2) scene.world.instances.forEach((instance) => void (instance.state = "Stopped"));
    });
    await waitForMachine(scene.context, "web", "stopped", 5_000, never);
    assert.equal(asked, 2);
    await changeState(scene.context, "web", "start", never);
    await waitForMachine(scene.context, "web", "running", 0, never);
    await waitForMachine(scene.context, "web", undefined, 0, never);
  });

  it("says what was in the way when the time is up", async () => {
    const scene = new Scene();
    await scene.create();
    const error = await failure(waitForMachine(scene.context, "web", "stopped", 0, never));
    assert.deepEqual([error.code, error.message], ["timeout", '"web" did not stop within 0 s: it is Running']);
    scene.world.engineUrl = "tcp://127.0.0.1:9";
    const late = await failure(waitForMachine(scene.context, "web", "engine", 0, never));
    assert.equal(late.code, "timeout");
    assert.match(late.message, /^"web" was not ready within 0 s: /u);
    assert.equal((await failure(waitForMachine(scene.context, "none", "ssh", 0, never))).code, "machine-not-found");
  });

  it("waits for the engine of a machine that has one, and for a login", async () => {
    await using scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
    await scene.create();
    for (const goal of ["engine", "ssh", "running", undefined] as const)
      await waitForMachine(scene.context, "web", goal, 2_000, never);
  });

  it("takes no lock: what another command is at work on can be waited for", async () => {
    const scene = new Scene();
    await scene.create();
    await using _lock = await scene.context.store.lockMachine("web", { purpose: "start web", waitMs: 0 });
    await waitForMachine(scene.context, "web", "running", 0, never);
  });
});

describe("start of a machine that runs", () => {
  it("is refused, or welcome", async () => {
    const scene = new Scene();
    await scene.create();
    assert.equal((await failure(changeState(scene.context, "web", "start", never))).code, "machine-state");
    assert.equal(await changeState(scene.context, "web", "start", never, "welcome"), false);
    await changeState(scene.context, "web", "stop", never);
    assert.equal(await changeState(scene.context, "web", "start", never, "welcome"), true);
  });
});

describe("console", () => {
  it("is refused where the driver shows none, with another way", async () => {
    const scene = new Scene();
    await scene.create();
    const error = await failure(readConsole(scene.context, "web", never));
    assert.equal(error.code, "driver-unsupported");
    assert.match(error.hint ?? "", /docker-machine ssh web sudo dmesg/u);
  });
});
