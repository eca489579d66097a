import assert from "node:assert/strict";
import { test } from "node:test";
import { PassThrough } from "node:stream";
import { readLine } from "./read-line.ts";

/** What is typed at a terminal, without one. */
function typed(text: string): NodeJS.ReadStream {
  const input = new PassThrough();
  input.write(text);
  return input as unknown as NodeJS.ReadStream;
}

test("Ctrl-C in a hidden line interrupts, and is no empty answer", async (t) => {
  const interrupted = new AbortController();
  // A signal arrives later than kill() returns, and a real one would end the tests.
  t.mock.method(process, "kill", () => {
    setImmediate(() => interrupted.abort(new Error("interrupted")));
    return true;
  });
  await assert.rejects(
    readLine(typed("secr\u0003"), interrupted.signal, () => {}),
    /^Error: interrupted$/u,
  );
});

test("a hidden line ends with Enter, and nobody answers at the end of input", async () => {
  const { signal } = new AbortController();
  assert.equal(await readLine(typed("secret\r"), signal, () => {}), "secret");
  const nobody = new PassThrough().end() as unknown as NodeJS.ReadStream;
  assert.equal(await readLine(nobody, signal), undefined);
});
