/** `--output json`: what every command really prints is as `docs/facts.schema.json` and `docs/output.schema.json` say. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import type { Command } from "../../src/cli/command.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import type { FakeEngine } from "../../src/engine/fake-engine.ts";
import { misfits, type Schema } from "../support/json-schema.ts";
import { openCommandLine, pluginRecord, samplePlugin, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";

const facts = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};
const lineSchema = JSON.parse(readFileSync("docs/output.schema.json", "utf8")) as Schema;

/** A command line for every fact in the schema. */
const factLines: Readonly<Record<string, string>> = {
  active: "active",
  "cache ls": "cache ls",
  "cache prune": "cache prune -y",
  "completion install": "completion install bash zsh fish",
  config: "config web",
  "config relocate": "config relocate web",
  "context create": "context create web",
  "context use": "context use web",
  "context rm": "context rm web",
  "driver inspect": "driver inspect none",
  "driver ls": "driver ls",
  env: "env --no-proxy web",
  gc: "gc",
  "gc --expired": "gc --expired",
  inspect: "inspect web",
  ip: "ip web stopped",
  label: "label web stopped team=a",
  ls: "ls",
  "ls --quiet": "ls --quiet",
  schema: "schema",
  "settings check": "settings check",
  "settings path": "settings path",
  "share request": "share request",
  "ssh-config": "ssh-config running",
  "ssh-host-key": "ssh-host-key stopped",
  status: "status stopped",
  store: "store",
  url: "url web",
  version: "version",
  "version NAME": "version web",
};

/** What needs an SSH server is held against the schema where there is one: `selection.test.ts`, `test/e2e/sharing.test.ts`, `bundles.test.ts`. */
const elsewhere = ["doctor", "drift", "exec", "import", "plan", "port", "share", "share ls", "ttl", "unshare"];
/** What needs a team's database: `test/team/commands.test.ts`. */
const atTeams = [
  "store init",
  "store join",
  "store invite",
  "store add",
  "store remove",
  "store log",
  "store check",
  "store leave",
];

/** Command lines of progress, with the exit code they have here; they run in this order. */
const progressLines: readonly (readonly [string, number])[] = [
  ["create -d none --url tcp://127.0.0.1:1 other", 0],
  ["create -d none --url tcp://127.0.0.1:1 other", 1],
  ["create -d none --nosuch other", 2],
  ["rename other another", 0],
  ["rename another other", 0],
  ["edit other --cpus 2", 1],
  ["wait other --for ssh", 1],
  ["driver new nice", 0],
  ["create -d none --url tcp://127.0.0.1:1 --dry-run planned", 0],
  ["stop running stopped", 1],
  ["kill running", 1],
  ["start web", 1],
  ["restart web nope", 1],
  ["upgrade nope", 4],
  ["provision nope", 4],
  ["regenerate-certs -f nope", 4],
  ["protect other", 0],
  ["rm -y other", 1],
  ["unprotect other nope", 1],
  ["rm -y other", 0],
  ["rm -f nope", 0],
  ["mount nope:/x y", 4],
  ["scp nope:/x y", 4],
];

function assertLines(text: string): void {
  for (const line of text.split("\n").slice(0, -1)) {
    const parsed = JSON.parse(line) as unknown;
    assert.deepEqual(misfits(parsed, lineSchema), [], line);
  }
}

describe("--output json", () => {
  let shell: CommandLine;
  let engine: FakeEngine;

  before(async () => {
    shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    await shell.ok("create -d none --url tcp://127.0.0.1:1 seed");
    engine = await engineFor(shell);
    await shell.ok(`create -d none --url ${engine.url} web`);
    await shell.addRecord("stopped", pluginRecord("stopped", "sample", 4));
    await shell.addRecord("running", pluginRecord("running", "sample", 1));
    await shell.addRecord("broken", "{");
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await shell[Symbol.asyncDispose]();
  });

  it("is told of every command", () => {
    const kinds = readFileSync("docs/output.md", "utf8").split("## Facts", 1).join();
    const runnable = (commands: readonly Command[]): readonly string[] =>
      commands.flatMap(({ name, load, hidden, subcommands = [] }) => [
        ...(load === undefined || hidden === true ? [] : [name]),
        ...runnable(subcommands),
      ]);
    const names = runnable(commandTable);
    assert.ok(names.length > 60, names.join());
    assert.deepEqual(
      names.filter((name) => !kinds.includes(`\`${name}\``)),
      [],
    );
  });

  it("has a command line here for every fact", () => {
    assert.deepEqual([...Object.keys(factLines), ...elsewhere, ...atTeams].toSorted(), Object.keys(facts).toSorted());
  });

  for (const [fact, words] of Object.entries(factLines)) {
    it(`is one value on standard output: ${words}`, async () => {
      const env = { MACHINE_OUTPUT: "json", DOCKER_HOST: engine.url };
      const { code, stdout, stderr } = await shell.run(words.split(" "), { env });
      assert.equal(code, 0, stderr);
      assert.deepEqual(misfits(JSON.parse(stdout), facts[fact] ?? {}), []);
      assertLines(stderr);
    });
  }

  for (const words of [
    "active",
    "config nope",
    "env seed",
    "inspect broken",
    "ip nope web",
    "status nope",
    "url a b",
    "version nope",
  ]) {
    it(`is a line on standard error where a fact cannot be had: ${words}`, async () => {
      const { code, stderr } = await shell.run(["--output", "json", ...words.split(" ")]);
      assert.notEqual(code, 0);
      assertLines(stderr);
      assert.equal((JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { type: string }).type, "error");
    });
  }

  for (const [words, expected] of progressLines) {
    it(`is NDJSON on standard output: ${words}`, async () => {
      const { code, stdout, stderr } = await shell.run([...words.split(" "), "--output=json"]);
      assert.equal(code, expected, stdout + stderr);
      assertLines(stdout);
      assert.equal(stderr, "");
      assert.notEqual(stdout, "");
    });
  }
});
