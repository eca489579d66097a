import assert from "node:assert/strict";
import { test } from "node:test";
import { createOnce } from "./create-once.ts";
import { failureError, type FailureKind } from "./provider-error.ts";

const failure = (kind: FailureKind): Error => failureError("Trial", { kind, code: "", message: "x" }, []);

/** A provider that keeps what it is asked for. @param troubles of its requests in turn: what was done, and what is said */
function provider(troubles: readonly (readonly [isDone: boolean, said: Error | undefined])[] = []) {
  const things: string[] = [];
  const left = [...troubles];
  let [found, asked] = [0, 0];
  return {
    things,
    counts: () => ({ found, asked }),
    find: async (): Promise<string | undefined> => {
      found += 1;
      return things[0];
    },
    make: async (): Promise<string> => {
      asked += 1;
      const [isDone, said] = left.shift() ?? [true, undefined];
      if (isDone) things.push(`thing-${asked}`);
      if (said !== undefined) throw said;
      return `thing-${asked}`;
    },
  };
}

test("what nobody can have asked for is made without a look", async () => {
  const trial = provider();
  assert.equal(await createOnce({ mayExist: false, ...trial }), "thing-1");
  assert.deepEqual(trial.counts(), { found: 0, asked: 1 });
});

test("what an earlier call made is found", async () => {
  const trial = provider();
  trial.things.push("earlier");
  assert.equal(await createOnce({ mayExist: true, ...trial }), "earlier");
  assert.deepEqual(trial.counts(), { found: 1, asked: 0 });
});

for (const kind of ["network", "server"] as const)
  test(`no answer (${kind}) where it was made: one thing`, async () => {
    const trial = provider([[true, failure(kind)]]);
    assert.equal(await createOnce({ mayExist: false, ...trial }), "thing-1");
    assert.deepEqual(trial.things, ["thing-1"]);
  });

test("no answer where it was not made: it is asked for once more, and not a third time", async () => {
  const twice = provider([[false, failure("network")]]);
  assert.equal(await createOnce({ mayExist: false, ...twice }), "thing-2");
  const never = provider([
    [false, failure("network")],
    [false, failure("network")],
  ]);
  await assert.rejects(createOnce({ mayExist: false, ...never }), /did not answer/u);
  assert.deepEqual(never.counts(), { found: 2, asked: 2 });
});

test("one that exists is found, and a refusal is told", async () => {
  const raced = provider([[true, failure("exists")]]);
  assert.equal(await createOnce({ mayExist: false, ...raced }), "thing-1");
  const refused = provider([[false, failure("quota")]]);
  await assert.rejects(createOnce({ mayExist: false, ...refused }), /quota/u);
  assert.deepEqual(refused.counts(), { found: 0, asked: 1 });
  // Another's, which cannot be taken for ours.
  const foreign = provider([[false, failure("exists")]]);
  await assert.rejects(createOnce({ mayExist: false, ...foreign }), /exists/u);
});
