/** A computer that gives little: few files that may be open at one time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { programUnderTest } from "../golden/replay.ts";
import { openCommandLine } from "./command-line.ts";

const machines = 200;

test("two hundred machines are listed with 64 files, none of them falsely in error", async () => {
  await using shell = await openCommandLine();
  await shell.ok("create -d none --url tcp://127.0.0.1:2 m0");
  const record = await shell.recordText("m0");
  for (let index = 1; index < machines; index += 1) {
    const text = record.replaceAll('"m0"', `"m${index}"`).replaceAll("machines/m0", `machines/m${index}`);
    await shell.addRecord(`m${index}`, text);
  }
  const scarce = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh", ...programUnderTest()];
  const states = await shell.run(["ls", "-f", "{{.State}} {{.Error}}"], { program: scarce });
  const silent = "Running Unable to query docker version: Cannot connect to the docker engine endpoint";
  assert.deepEqual(
    states.stdout.trimEnd().split("\n"),
    Array.from({ length: machines }, () => silent),
  );
  const names = await shell.run(["ls", "-q"], { program: scarce });
  assert.equal(names.stdout.trimEnd().split("\n").length, machines);
});
