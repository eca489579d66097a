/** What holds at each cloud, whatever happens to the request for an instance: there is one, and all goes with its machine. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DriverContext, DriverModule } from "../../src/driver-kit/driver.ts";
import { configOf, type DriverScene } from "./driver-scene.ts";
import type { Fault, PlannedFaults } from "./planned-faults.ts";

type Faulty<Refusal> = Pick<PlannedFaults<Refusal>, "fault" | "hold" | "requests"> & {
  /** All that somebody would have to pay for or tidy up, in words. */
  readonly resources: readonly string[];
};

export interface OneInstance<Refusal, Scene extends DriverScene & { readonly cloud: Faulty<Refusal> }> {
  readonly module: DriverModule;
  open(overrides?: Partial<DriverContext>): Promise<Scene>;
  /** `METHOD /path` of what makes an instance, of what lists them, and of what makes a login key. */
  readonly requests: { readonly create: RegExp; readonly list: RegExp; readonly key: RegExp };
  /** What may happen to the request for the instance. */
  readonly faults: Readonly<Record<string, readonly Fault<Refusal>[]>>;
  /** The record's field with the instance's id. */
  readonly idField: string;
  /** Ids of those that are there to stay. */
  instances(cloud: Scene["cloud"]): readonly string[];
  /** How many login keys there are. */
  keys(cloud: Scene["cloud"]): number;
  /** As the driver tells it. */
  readonly keyKind: string;
  /** Puts in another's instance of the machine's name, whose mark looks like none. */
  addUnmarked(cloud: Scene["cloud"]): void;
  /** Until what is on its way out is gone. */
  settled?(scene: Scene): Promise<void>;
}

export function describeOneInstance<Refusal, Scene extends DriverScene & { readonly cloud: Faulty<Refusal> }>({
  module,
  open,
  requests,
  faults,
  idField,
  instances,
  keys,
  keyKind,
  addUnmarked,
  settled,
}: OneInstance<Refusal, Scene>): void {
  describe("one instance, whatever happens to the request for it", () => {
    for (const [what, sequence] of Object.entries(faults)) {
      test(what, async () => {
        await using scene = await open();
        const { cloud, signal } = scene;
        const driver = await scene.checked();
        cloud.fault(requests.create, ...sequence);
        await driver.create(signal);
        assert.deepEqual(instances(cloud), [String((await configOf(driver))[idField])]);
        await driver.remove(signal);
        await settled?.(scene);
        assert.deepEqual(cloud.resources, []);
      });
    }

    test("asked for again in another process, in which its answer never came", async () => {
      await using scene = await open();
      const { cloud, signal } = scene;
      const driver = await scene.checked();
      const held = cloud.hold(requests.create);
      const ended = new AbortController();
      const first = driver.create(ended.signal);
      await held.reached;
      const left = await driver.configText();
      ended.abort(new Error("killed"));
      await assert.rejects(first, /killed/u);
      held.release();
      const second = module.open(scene.context, left);
      await second.create(signal);
      assert.deepEqual([instances(cloud).length, keys(cloud)], [1, 1]);
      await second.remove(signal);
      assert.deepEqual(cloud.resources, []);
    });

    test("removed before lists show it: a later remove finds it", async () => {
      await using scene = await open();
      const { cloud, signal } = scene;
      const driver = await scene.checked();
      cloud.fault(requests.create, { kind: "hidden", lists: 2, lost: true });
      const held = cloud.hold(requests.list);
      const ended = new AbortController();
      const first = driver.create(ended.signal);
      await held.reached;
      ended.abort(new Error("Ctrl-C"));
      await assert.rejects(first, /Ctrl-C/u);
      await driver.remove(signal);
      held.release();
      assert.equal(instances(cloud).length, 1);
      const later = await scene.reopened(driver);
      while ((await later.findResources?.(signal))?.every(({ kind }) => kind !== "instance"))
        assert.ok(cloud.requests.length < 99);
      await later.remove(signal);
      assert.deepEqual(cloud.resources, []);
    });
  });

  test("a key whose request is cut off is found and removed", async () => {
    await using scene = await open();
    const { cloud, signal } = scene;
    const driver = await scene.checked();
    const held = cloud.hold(requests.key);
    const ended = new AbortController();
    const creating = driver.create(ended.signal);
    await held.reached;
    ended.abort(new Error("Ctrl-C"));
    await assert.rejects(creating);
    await driver.remove(signal);
    held.release();
    while (keys(cloud) === 0) await new Promise((resolve) => setImmediate(resolve));
    const later = await scene.reopened(driver);
    const found = await later.findResources?.(signal);
    assert.deepEqual(
      found?.map(({ kind }) => kind),
      [keyKind],
    );
    await later.remove(signal);
    assert.deepEqual(cloud.resources, []);
  });

  test("an unknown create id matches nothing", async () => {
    await using scene = await open({ createId: undefined });
    const { cloud, signal } = scene;
    addUnmarked(cloud);
    const before = cloud.resources;
    const driver = await scene.checked();
    await assert.rejects(driver.create(signal), { code: "driver-failed" });
    await driver.remove(signal);
    assert.deepEqual(cloud.resources, before);
  });
}
