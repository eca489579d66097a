import assert from "node:assert/strict";
import { it } from "node:test";
import fc from "fast-check";
import { didYouMean, nearest } from "./nearest.ts";

it("finds what was mistyped", () => {
  const commands = ["create", "start", "status", "stop", "ssh", "scp", "rm", "ls", "restart"];
  const found = (words: string): (string | undefined)[] => words.split(" ").map((word) => nearest(word, commands));
  assert.deepEqual(found("craete statu strat stpo lss restrat SSH"), [
    "create",
    "status",
    "start",
    "stop",
    "ls",
    "restart",
    "ssh",
  ]);
  assert.equal(nearest("virtualbox-memroy", ["virtualbox-memory", "virtualbox-cpu-count"]), "virtualbox-memory");
  assert.equal(nearest("engine_label", ["engine-label"]), "engine-label");
});

it("finds nothing where nothing is near", () => {
  for (const word of ["destroy", "x", "", "deploy", "kubernetes"])
    assert.equal(nearest(word, ["create", "start", "rm"]), undefined, word);
  // A letter is no slip of another, nor of a name of two.
  assert.equal(nearest("n", ["D", "db"]), undefined);
  assert.equal(didYouMean("web", []), undefined);
});

it("takes the nearest of several, and the first of equals", () => {
  assert.equal(nearest("web-12", ["web-1", "web-21", "web-2"]), "web-1");
  assert.equal(didYouMean("wbe", ["db", "web"]), 'Did you mean "web"?');
});

it("always finds the word itself, and one slip in it", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]{3,12}$/u), fc.nat(), fc.stringMatching(/^[a-z]$/u), (word, place, letter) => {
      assert.equal(nearest(word, ["zzzzzzzzzzzzzzzzz", word]), word);
      const at = place % word.length;
      assert.equal(nearest(word.slice(0, at) + letter + word.slice(at), [word]), word);
      assert.equal(nearest(word.slice(0, at) + word.slice(at + 1), [word]), word);
    }),
  );
});
