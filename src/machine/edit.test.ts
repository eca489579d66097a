import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MachineError } from "../errors/machine-error.ts";
import { resizeMachine } from "./edit.ts";
import { changeState } from "./lifecycle.ts";
import { failure, never, Scene } from "../testing/scene.ts";

describe("edit", () => {
  it("has the driver change the size, and says whether a restart is needed for it", async () => {
    const scene = new Scene();
    scene.world.sizes = [];
    await scene.create();
    assert.deepEqual(await resizeMachine(scene.context, "web", { cpus: 4, memoryMiB: 8192 }, never), { needsRestart: true });
    assert.deepEqual(scene.world.sizes, [{ cpus: 4, memoryMiB: 8192 }]);
    await changeState(scene.context, "web", "stop", never);
    assert.deepEqual(await resizeMachine(scene.context, "web", { cpus: 2 }, never), { needsRestart: false });
  });

  it("refuses what the driver cannot do, and names a way", async () => {
    const scene = new Scene();
    await scene.create();
    const error = await failure(resizeMachine(scene.context, "web", { cpus: 4 }, never));
    assert.deepEqual([error.code, error.message], ["driver-unsupported", "The driver fake cannot change the size of a machine"]);
    assert.equal((await failure(resizeMachine(scene.context, "none", { cpus: 4 }, never))).code, "machine-not-found");
  });

  it("refuses a machine whose create did not end", async () => {
    const scene = new Scene();
    scene.world.sizes = [];
    scene.world.after.set("create", () => {
      throw new MachineError("provider-unreachable", "the answer was lost");
    });
    await failure(scene.create());
    assert.equal((await failure(resizeMachine(scene.context, "web", { cpus: 4 }, never))).code, "machine-interrupted");
    assert.deepEqual(scene.world.sizes, []);
  });
});
