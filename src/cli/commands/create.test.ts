import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun } from "../testing/fake-main.ts";

/** An environment that counts how often the path of programs is searched. */
function countingEnvironment(variables: Readonly<Record<string, string>>): { env: Record<string, string>; searches(): number } {
  let searches = 0;
  const env = new Proxy<Record<string, string>>(variables, {
    get: (target, name) => {
      if (name === "PATH") searches += 1;
      return target[name as string];
    },
  });
  return { env, searches: () => searches };
}

async function searchesFor(...names: readonly string[]): Promise<number> {
  const folder = temporaryFolder();
  const { env, searches } = countingEnvironment({ PATH: folder, MACHINE_STORAGE_PATH: path.join(folder, "store") });
  const { code } = await new FakeRun({ computer: { env }, drivers: { cloud: [] } }).main("create", "-d", "cloud", ...names);
  assert.notEqual(code, 0);
  return searches();
}

test("the driver is looked up once, however many machines there are", async () => {
  const one = await searchesFor("a");
  assert.ok(one > 0);
  assert.equal(await searchesFor("a", "b", "c", "d"), one);
});

test("at least one machine is made at a time", async () => {
  const { code, stderr } = await new FakeRun({ drivers: { none: [] } }).main("create", "-d", "none", "--parallel", "0", "a");
  assert.equal(code, 2);
  assert.match(stderr, /^--parallel 0: at least one machine is made at a time$/mu);
});
