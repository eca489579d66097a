/** Whatever is typed: an exit code that is ours, one sentence where it failed, no stack, no bug. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { goldenText } from "../store/testing/records.ts";
import { commandTable } from "./command-table.ts";
import { FakeRun } from "./testing/fake-main.ts";
import { globalFlags } from "./flags/global-flags.ts";
import { exitCodes } from "./exit-code.ts";

const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-words-"));
const store = path.join(folder, "store");
for (const [name, text] of Object.entries({ alpha: goldenText("alpha"), broken: "{", future: '{"ConfigVersion": 9}' })) {
  mkdirSync(path.join(store, "machines", name), { recursive: true });
  writeFileSync(path.join(store, "machines", name, "config.json"), text.replaceAll("/tmp/store", store));
}
after(() => rmSync(folder, { recursive: true }));

/** Left out is what shows stacks on purpose, serves until it is ended, or writes a project. */
const leftOut = new Set(["debug", "D", "driver", "storage-path", "s"]);
const commands = commandTable.filter(({ name }) => !leftOut.has(name));
const flags = [...commands.flatMap((command) => command.flags), ...globalFlags]
  .flatMap(({ name, aliases = [] }) => [name, ...aliases])
  .filter((name) => !leftOut.has(name));

const value = fc.oneof(
  fc.constantFrom(
    "alpha",
    "broken",
    "future",
    "nope",
    "default",
    "",
    "0",
    "-1",
    "x=y",
    "name=(",
    "label=a",
    "{{",
    "{{.Name}}",
    "json",
    "bash",
    "none",
  ),
  fc.string({ maxLength: 6, unit: "grapheme" }),
);
const flag = fc
  .tuple(fc.constantFrom("-", "--", "---"), fc.constantFrom(...flags), fc.option(value))
  .map(([dashes, name, given]) => `${dashes}${name}${given === null ? "" : `=${given}`}`);
const word = fc.oneof(value, flag, fc.constantFrom("--", "-", "help", "--help"));
const line = fc.tuple(fc.option(flag), fc.constantFrom(...commands.map(({ name }) => name)), fc.array(word, { maxLength: 5 }));
const env = { MACHINE_STORAGE_PATH: store, PATH: folder, SHELL: "/bin/bash", MACHINE_TIMEOUT: "20s" };

describe("any words", () => {
  it("end in a result or a sentence", async () => {
    await fc.assert(
      fc.asyncProperty(line, async ([first, command, rest]) => {
        const computer = { cwd: folder, homeDir: folder, pid: process.pid };
        const run = new FakeRun({ env, computer, drivers: { none: [], qemu: [] } });
        const { code, stderr } = await run.main(...(first === null ? [] : [first]), command, ...rest);
        assert.ok(Object.values<number>(exitCodes).includes(code), `exit code ${code}`);
        assert.doesNotMatch(stderr, /^ +at |Unexpected error/mu);
        if (code !== exitCodes.ok) assert.notEqual(stderr.trim() + run.streams.stdout.text.trim(), "");
      }),
      { numRuns: 500 },
    );
    assert.deepEqual(
      readdirSync(store).filter((name) => name === "crash-reports"),
      [],
    );
  });
});
