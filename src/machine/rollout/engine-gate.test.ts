/** What is asked of a machine after its engine was changed, at an engine in this process. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { failure, never, Scene } from "../../testing/scene.ts";
import { keptContainers, passGate, type HealthGate, type KeptContainer } from "./engine-gate.ts";

const gate: HealthGate = { containers: "as-before", command: undefined, withinMs: 0 };
const running = { Running: true, Restarting: false };

async function ready(): Promise<Scene> {
  const scene = new Scene({ provisionable: true, injectsHostKeys: false }).withEngine();
  await scene.create();
  return scene;
}

/** A container that the engine tells of, and how it stands. */
function contain(scene: Scene, id: string, policy: string, state: object, labels: Readonly<Record<string, string>> = {}): void {
  const { engine } = scene;
  assert.ok(engine !== undefined);
  engine.containers = [...engine.containers, { Id: id, Labels: labels }];
  engine.inspected.set(id, { Id: id, Name: `/${id}`, State: state, HostConfig: { RestartPolicy: { Name: policy } } });
}

const complaint = async (scene: Scene, containers: readonly KeptContainer[], version?: string): Promise<string> =>
  (await failure(passGate(scene.context, "web", { version, containers }, gate, never))).message;

describe("the gate of a roll-out", () => {
  it("knows the containers that their engine is to keep running, and not the tasks of a swarm", async () => {
    await using scene = await ready();
    contain(scene, "shop", "always", running);
    contain(scene, "once", "no", running);
    contain(scene, "task", "always", running, { "com.docker.swarm.task.id": "t1" });
    assert.deepEqual(await keptContainers(scene.context, "web", never), [{ id: "shop", name: "shop" }]);
  });

  it("opens for an engine of the version with containers as before", async () => {
    await using scene = await ready();
    contain(scene, "shop", "always", { ...running, Health: { Status: "healthy" } });
    await passGate(scene.context, "web", { version: "29.0", containers: [{ id: "shop", name: "shop" }] }, gate, never);
  });

  it("says what is not as it should be", async () => {
    await using scene = await ready();
    assert.match(await complaint(scene, [], "28.4"), /its engine is 29\.0\.0, not 28\.4/u);
    contain(scene, "dead", "always", { Running: false });
    contain(scene, "again", "always", { Running: true, Restarting: true });
    contain(scene, "ill", "always", { ...running, Health: { Status: "unhealthy" } });
    const of = async (id: string): Promise<string> => await complaint(scene, [{ id, name: id }]);
    assert.match(await of("dead"), /the container dead ran before and does not run/u);
    assert.match(await of("again"), /the container again ran before and does not run/u);
    assert.match(await of("gone"), /the container gone ran before and does not run/u);
    assert.match(await of("ill"), /the container ill is unhealthy/u);
    if (scene.engine !== undefined) scene.engine.manner = "hangs-up";
    assert.match(await of("ill"), /does not answer/u);
  });
});
