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
    assert.equal(await confirm("Are you sure?", fakeStreams(), signal), undefined);
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
