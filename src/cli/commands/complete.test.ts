import assert from "node:assert/strict";
import { test } from "node:test";
import { commandTable } from "../command-table.ts";
import { FakeRun } from "../testing/fake-main.ts";

test("what is completed are the commands that the program was given", async () => {
  const own = { name: "orbit", summary: "Go round", flags: [], output: "facts" } as const;
  const commands = [own, ...commandTable.filter(({ name }) => name === "__complete" || name === "env")];
  const words = async (env: Record<string, string>): Promise<string> =>
    (await new FakeRun({ commands, env }).main("__complete", "--", "")).stdout;
  assert.match(await words({}), /^orbit\tGo round$/mu);
  assert.doesNotMatch(await words({}), /^ls\t/mu);
  assert.match(await words({ DOCKER_MACHINE_WRAPPED: "true" }), /^use\t/mu);
});
