/** Switching: states of VirtualBox, a guest that does not hear, ports that others have, locks that linger. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, test } from "node:test";
import { configOf } from "../driver-scene.ts";
import { openScene, type Scene } from "./scene.ts";

async function set(scene: Scene, state: string): Promise<void> {
  const [vm] = scene.world.vbox.state.vms;
  assert.ok(vm !== undefined);
  vm.state = state;
}

test("VirtualBox's states are ours", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  const states = {
    ...{
      running: "Running",
      paused: "Paused",
      saved: "Saved",
      "aborted-saved": "Saved",
      poweroff: "Stopped",
      aborted: "Stopped",
    },
    ...{ starting: "Starting", restoring: "Starting", stopping: "Stopping", saving: "Stopping", gurumeditation: "Error" },
  };
  for (const [theirs, ours] of Object.entries(states)) {
    await set(scene, theirs);
    assert.equal(await driver.getState(scene.signal), ours, theirs);
  }
  assert.match(driver.stateProblem ?? "", /gurumeditation/u);
});

describe("stopping", () => {
  test("a guest that boots yet hears the button later", async () => {
    await using scene = await openScene({ fake: { deafMs: 12_000 } });
    const driver = await scene.created();
    await driver.stop(scene.signal);
    assert.equal(await driver.getState(scene.signal), "Stopped");
    assert.deepEqual(
      scene.lines().filter((line) => line.includes("switched off")),
      [],
    );
  });

  test("a guest that never hears it is switched off after two minutes, and that is said", async () => {
    await using scene = await openScene({ fake: { deafMs: Number.POSITIVE_INFINITY } });
    const driver = await scene.created();
    const before = scene.context.clock.monotonicMs();
    await driver.stop(scene.signal);
    assert.equal(await driver.getState(scene.signal), "Stopped");
    assert.ok(scene.context.clock.monotonicMs() - before >= 120_000);
    assert.ok(scene.lines().includes('"web" did not shut down within 120 s and is switched off.'));
  });

  test("a paused guest goes on first; what one has saved is dropped", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await scene.context.clock.sleep(5_000);
    await set(scene, "paused");
    await driver.stop(scene.signal);
    assert.equal(await driver.getState(scene.signal), "Stopped");
    for (const verb of ["stop", "kill"] as const) {
      await set(scene, "saved");
      await driver[verb](scene.signal);
      assert.equal(await driver.getState(scene.signal), "Stopped");
    }
    await driver.kill(scene.signal);
  });
});

describe("starting", () => {
  test("waits until the session of the last run has let go", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await driver.kill(scene.signal);
    await driver.start(scene.signal);
    assert.equal(await driver.getState(scene.signal), "Running");
  });

  test("gives SSH another port where a program has taken it", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    await driver.kill(scene.signal);
    const before = await driver.getSshPort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(before, "127.0.0.1", resolve));
    try {
      await driver.start(scene.signal);
    } finally {
      server.close();
    }
    const after = await driver.getSshPort();
    assert.notEqual(after, before);
    assert.deepEqual(scene.world.vbox.state.vms[0]?.cards[0].forwards, [{ name: "ssh", hostPort: after, guestPort: 22 }]);
    assert.ok(scene.test.saves() > 0);
  });

  test("a paused machine goes on, a saved one is restored", async () => {
    await using scene = await openScene();
    const driver = await scene.created();
    for (const state of ["paused", "saved"]) {
      await set(scene, state);
      await driver.start(scene.signal);
      assert.equal(await driver.getState(scene.signal), "Running");
    }
  });
});

test("with NAT alone SSH and the engine are behind ports of this computer", async () => {
  await using scene = await openScene();
  const driver = await scene.created({ "virtualbox-network": "nat" });
  const { EnginePort, SSHPort } = await configOf(driver);
  assert.equal(await driver.getUrl(), `tcp://127.0.0.1:${String(EnginePort)}`);
  assert.equal(await driver.getIp(), "127.0.0.1");
  assert.deepEqual(scene.world.vbox.state.vms[0]?.cards[0].forwards, [
    { name: "docker", hostPort: EnginePort, guestPort: 2376 },
    { name: "ssh", hostPort: SSHPort, guestPort: 22 },
  ]);
  assert.equal(scene.world.vbox.state.vms[0]?.cards[1].kind, "none");
});
