/** Each flaw of the trial driver is found by the case that is for it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { test } from "node:test";
import type { TrialFlaw } from "./trial-driver.ts";

const found: Readonly<Record<Exclude<TrialFlaw, "">, readonly [by: string, saying: RegExp]>> = {
  "saves-late": ["without a create id", /what is recorded is ours without a mark too/u],
  "leaves-the-key": ["rm killed at each step", /key key-\d+ is left/u],
  "removes-by-name": ["lives a whole life", /what others have was taken away/u],
  "tells-half": ["create killed at each step, then created again", /findResources does not tell what is there/u],
  "no-mark-is-a-mark": ["without a create id", /an absent mark matched something/u],
  "stores-the-token": ["lives a whole life", /the configuration shows the value of --trial-token/u],
  "shouts-the-token": ["lives a whole life", /an event shows the value of --trial-token/u],
  "makes-two": ["create killed at each step, then created again", /There is not one instance/u],
  "rm-needs-the-instance": ["rm killed at each step", /rm was killed at: .* after DELETE/u],
  "cannot-be-aborted": ["create that is aborted at any step", /create went on after it was aborted/u],
  "never-locates": ["lives a whole life", /it is somewhere else/u],
  "starts-nothing": ["an instance that is gone", /start threw no sentence of its own/u],
};

for (const [flaw, [by, saying]] of Object.entries(found))
  test(`${flaw} is found by: ${by}`, async () => {
    const program = path.join(import.meta.dirname, "trial.test.ts");
    const child = spawn(process.execPath, ["--test-name-pattern", by, program], {
      env: { ...process.env, TRIAL_FLAW: flaw, NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const [status] = (await once(child, "close")) as [number];
    assert.equal(status, 1, output);
    assert.match(output, saying);
  });
