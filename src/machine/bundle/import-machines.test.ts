import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Scene } from "../../testing/scene.ts";
import { exportMachines } from "./export-machines.ts";
import { importMachines } from "./import-machines.ts";

const never = new AbortController().signal;

test("interrupted at any machine there are none, and the next import takes all", async () => {
  const here = new Scene();
  const names = ["one", "two", "three"];
  for (const name of names) await here.create(name);
  const bundle = await exportMachines(here.context, names, false, never);
  for (let taken = 0; taken < names.length; taken += 1) {
    const there = new Scene();
    const stop = new AbortController();
    const { store } = there.context;
    const create = store.create.bind(store);
    let count = 0;
    store.create = async (record, companions) => {
      await create(record, companions);
      if (count === taken) stop.abort(new Error("Ctrl-C"));
      count += 1;
    };
    if (taken < names.length - 1) {
      await assert.rejects(importMachines(there.context, bundle, stop.signal), /Ctrl-C/u);
      assert.deepEqual(await there.names(), []);
      assert.equal(existsSync(store.machineDir("one")), false);
    }
    const imported = await importMachines(there.context, bundle, never);
    assert.deepEqual([imported.map(({ name }) => name), (await there.names()).toSorted()], [names, names.toSorted()]);
  }
});

test("a disk that is full at the second machine leaves none of the first", async () => {
  const here = new Scene();
  for (const name of ["one", "two"]) await here.create(name);
  const bundle = await exportMachines(here.context, ["one", "two"], false, never);
  const there = new Scene();
  const { store } = there.context;
  const create = store.create.bind(store);
  store.create = async (record, companions) => {
    if (record.name === "two") throw new Error("no space left");
    await create(record, companions);
  };
  await assert.rejects(importMachines(there.context, bundle, never), /no space left/u);
  assert.deepEqual(await there.names(), []);
});
