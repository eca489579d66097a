import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fakeStreams } from "../testing/fake-terminal.ts";
import { askSecret, confirm } from "./prompt.ts";

const { signal } = new AbortController();

describe("confirm", () => {
  it("asks as 0.16.2 does, and takes only a word with y for a yes", async () => {
    for (const [line, answer] of [
      ["y", true],
      ["Yes", true],
      ["yup", true],
      ["n", false],
      ["", false],
      ["yes please", false],
    ] as const) {
      const streams = fakeStreams({ input: [line] });
      assert.equal(await confirm("Are you sure?", streams, signal), answer, line);
      assert.equal(streams.stdout.text, "Are you sure? (y/n): ");
    }
    const nobody = fakeStreams();
    assert.equal(await confirm("Are you sure?", nobody, signal), undefined);
    assert.equal(nobody.stdout.text, "Are you sure? (y/n): ");
  });

  it("ends the line of a question that nobody answered, where that is wanted", async () => {
    const nobody = fakeStreams();
    assert.equal(await confirm("Sure?", nobody, signal, { shownOn: "stderr", unanswered: "\n" }), undefined);
    assert.deepEqual([nobody.stdout.text, nobody.stderr.text], ["", "Sure? (y/n): \n"]);
  });
});

describe("askSecret", () => {
  it("asks on standard error, and nobody without a terminal", async () => {
    const streams = fakeStreams({ input: ["s3cret"], isTerminal: true });
    assert.equal(await askSecret("Password: ", streams, signal), "s3cret");
    assert.deepEqual([streams.stdout.text, streams.stderr.text], ["", "Password: \n"]);
    assert.equal(await askSecret("Password: ", fakeStreams({ input: ["s3cret"] }), signal), undefined);
  });
});
