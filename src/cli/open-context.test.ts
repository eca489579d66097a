/** How long commands wait for an engine's word: as long as 0.16.2 does, or as a person at a terminal would. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CliContext } from "./cli-context.ts";
import { openAskingContext, openContext } from "./open-context.ts";
import { FakeRun, type FakeRunOptions } from "./testing/fake-main.ts";

async function boundMs(words: readonly string[], options: FakeRunOptions, open = openAskingContext): Promise<number> {
  let ms: number | undefined;
  const run = async (_: unknown, context: CliContext): Promise<void> => void (ms = open(context).timeouts.engineRequestMs);
  const { stderr } = await new FakeRun({ ...options, code: { url: run } }).main(...words, "url", "web");
  return ms ?? assert.fail(stderr);
}

test("who sits at a terminal waits 5 s for one answer, unless more or less was asked for", async () => {
  const isTerminal = true;
  assert.equal(await boundMs([], { isTerminal }), 5_000);
  assert.equal(await boundMs([], {}), 20_000);
  assert.equal(await boundMs([], { isTerminal }, openContext), 20_000);
  assert.equal(await boundMs(["--timeout", "1m"], { isTerminal }), 20_000);
  assert.equal(await boundMs([], { isTerminal, env: { MACHINE_TIMEOUT_ENGINE_REQUEST: "8s" } }), 8_000);
  assert.equal(await boundMs([], { isTerminal, env: { MACHINE_COMPAT: "0.16" } }), 20_000);
});
