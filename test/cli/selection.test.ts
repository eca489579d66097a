/** Labels, filters in place of names, protection, and `exec` on many machines, by the program. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { argumentKinds } from "../../src/cli/completion/arguments.ts";
import type { Command } from "../../src/cli/command.ts";
import { fileFlag } from "../../src/cli/fleet/fleet-flags.ts";
import { commandTable } from "../../src/cli/command-table.ts";
import { startSshd, whyNot, type TestServer } from "../ssh/real-servers.ts";
import { misfits, type Schema } from "../support/json-schema.ts";
import { openCommandLine, pluginRecord, samplePlugin, type CommandLine } from "./command-line.ts";
import { addSshMachine, extraOf } from "./ssh-machines.ts";

function withSubcommands(command: Command): Command[] {
  return [command, ...(command.subcommands ?? []).flatMap(withSubcommands)];
}

describe("commands on several machines", () => {
  it("take a filter and --all in place of names, all of them", () => {
    for (const command of commandTable.flatMap(withSubcommands)) {
      const flags = command.flags.map(({ name }) => name);
      // Those of a fleet's file are chosen by that, and are all of it without names.
      const isForMany = argumentKinds[command.name] === "machines" && !command.flags.includes(fileFlag);
      assert.equal(command.selects === true, isForMany, command.name);
      if (isForMany) assert.ok(flags.includes("filter") && flags.includes("all"), command.name);
    }
  });
});

describe("selection", () => {
  let shell: CommandLine;
  before(async () => {
    shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    for (const name of ["web-1", "web-2", "db"]) await shell.ok(`create -d none --url tcp://127.0.0.1:1 ${name}`);
    await shell.addRecord("up", pluginRecord("up", "sample", 1));
    await shell.addRecord("off", pluginRecord("off", "sample", 4));
  });
  after(async () => await shell[Symbol.asyncDispose]());

  const lines = async (words: string): Promise<string[]> => (await shell.ok(words)).split("\n").slice(0, -1);

  it("gives labels, takes them away, and selects by them", async () => {
    assert.deepEqual(await lines("label web-{1..2} team=shop tier=front"), [
      "web-1: team=shop tier=front",
      "web-2: team=shop tier=front",
    ]);
    assert.deepEqual(await lines("label web-2 tier- absent-"), ["team=shop"]);
    assert.deepEqual(await lines("label --filter label=tier note=a"), ["web-1: note=a team=shop tier=front"]);
    assert.deepEqual((await extraOf(shell, "web-2"))["Labels"], { team: "shop" });
    assert.equal((await lines("ip --filter label=team=shop")).length, 2);
    assert.equal((await lines("ip --filter label=team=SHOP --filter name=1$")).length, 1);
  });

  it("keeps labels through a save of 0.16.2, which drops them", async () => {
    await shell.ok("label db keep=me");
    const record = JSON.parse(await shell.recordText("db")) as Record<string, unknown>;
    delete record["Extra"];
    await writeFile(shell.recordPath("db"), JSON.stringify(record, undefined, 4));
    assert.deepEqual(await lines("label db"), ["keep=me"]);
    await shell.ok("protect db");
    delete record["Extra"];
    await writeFile(shell.recordPath("db"), JSON.stringify(record, undefined, 4));
    assert.equal((await shell.run(["rm", "-f", "db"])).code, 1);
    await writeFile(shell.recordPath("db"), "{");
    assert.equal((await shell.run(["rm", "-f", "db"])).code, 1);
    await writeFile(shell.recordPath("db"), JSON.stringify(record, undefined, 4));
    await shell.ok("unprotect db");
  });

  it("filters by name, driver and state, and combines them as ls does", async () => {
    assert.equal((await lines("ip --filter driver=none --filter name=^web")).length, 2);
    assert.equal((await lines("ip --filter name=web-1 --filter name=web-2")).length, 2);
    const json = JSON.parse(await shell.ok("--output json ip --filter state=stopped")) as { name: string }[];
    assert.deepEqual(
      json.map(({ name }) => name),
      ["off"],
    );
  });

  it("never takes nothing for everything", async () => {
    for (const words of [
      "ip --filter label=nosuch",
      "rm -y --filter label=nosuch",
      "stop -y --filter name=^nosuch$",
      "exec --filter label=nosuch -- true",
    ]) {
      const { code, stderr } = await shell.run(words.split(" "));
      assert.equal(code, 4, words);
      assert.match(stderr, /^No machine passes --filter /mu);
    }
    const both = await shell.run(["ip", "web-1", "--filter", "label=team"]);
    assert.deepEqual([both.code, both.stdout], [2, ""]);
    assert.equal((await shell.run(["ip", "--filter", "nosuch=x"])).code, 1);
    assert.equal((await shell.run(["ip", "--filter", "label"])).code, 1);
  });

  it("shows what a filter selected, and asks before it cuts machines off", async () => {
    for (const verb of ["stop", "kill", "restart", "upgrade"]) {
      const silent = await shell.run([verb, "--filter", "driver=sample"]);
      assert.equal(silent.code, 2, verb);
      assert.match(silent.stdout, new RegExp(`^About to ${verb} off, up$`, "mu"));
      const no = await shell.run([verb, "--filter", "driver=sample"], { stdin: "n\n" });
      assert.equal(no.code, 0, verb);
    }
    assert.equal((await shell.run(["rm", "--all"])).code, 2);
    const no = await shell.run(["rm", "--all"], { stdin: "n\n" });
    assert.match(no.stdout, /^About to remove db, off, up, web-1, web-2$/mu);
    assert.equal((await lines("ls -q")).length, 5);
    const certificates = await shell.run(["regenerate-certs", "--filter", "driver=sample"], { stdin: "n\n" });
    assert.match(certificates.stdout, /^About to regenerate the TLS certificates of off, up$/mu);
    assert.match(await shell.ok("kill -y --filter name=^up$"), /was killed/u);
    assert.match(await shell.ok("ls --filter name=up -f {{.State}}"), /Stopped/u);
  });

  it("leaves out a machine whose record cannot be read, and says so", async () => {
    await shell.addRecord("broken", "{");
    const { code, stderr } = await shell.run(["ip", "--filter", "driver=none"]);
    assert.equal(code, 0);
    assert.match(stderr, /records cannot be read: broken/u);
    await shell.ok("rm -f broken");
  });
});

/** Every command that removes machines or ends them at once. */
const endings: readonly string[] = [
  "rm -y safe",
  "rm -f safe",
  "rm -y --all",
  "rm -f --filter name=safe",
  "kill safe",
  "kill -y --all",
];

describe("protect", () => {
  it("is overridden by nothing", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    await shell.addRecord("safe", pluginRecord("safe", "sample", 1));
    await shell.ok("protect safe");
    const before = await shell.recordText("safe");
    for (const words of endings) {
      const { code, stderr } = await shell.run(words.split(" "));
      assert.equal(code, 1, words);
      assert.match(stderr, /"safe" is protected/u);
      assert.match(stderr, /docker-machine unprotect safe/u);
      assert.equal(await shell.recordText("safe"), before, words);
    }
    // An rm that was cut off before it was protected is not finished by gc either.
    const journal = {
      command: "rm",
      step: "remove-instance",
      state: "begun",
      at: "2026-01-01T00:00:00Z",
      createId: "",
      process: { pid: 1 },
    };
    await writeFile(
      path.join(path.dirname(shell.recordPath("safe")), "journal.ndjson"),
      `${JSON.stringify({ ...journal, state: "failed" })}\n`,
    );
    assert.equal((await shell.run(["gc", "--remove", "-y"])).code, 1);
    assert.equal(await shell.recordText("safe"), before);
    await shell.ok("unprotect safe");
    await shell.ok("rm -y safe");
    assert.equal(await shell.ok("ls -q"), "");
  });

  it("is refused for a machine whose create never ended: undoing that must stay possible", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url tcp://127.0.0.1:1 half");
    const journal = {
      command: "create",
      step: "ssh",
      state: "failed",
      at: "2026-01-01T00:00:00Z",
      createId: "",
      process: { pid: 1 },
    };
    await writeFile(path.join(path.dirname(shell.recordPath("half")), "journal.ndjson"), `${JSON.stringify(journal)}\n`);
    const { code, stderr } = await shell.run(["protect", "half"]);
    assert.equal(code, 1);
    assert.match(stderr, /is not finished/u);
  });
});

describe("exec", { skip: whyNot("sshd") ?? false }, () => {
  let shell: CommandLine;
  let server: TestServer;
  before(async () => {
    shell = await openCommandLine();
    server = await startSshd();
    for (const name of ["web-1", "web-2", "web-3"]) await addSshMachine(shell, server, { name });
    await addSshMachine(shell, server, { name: "gone", port: 1 });
    await shell.ok("label web-1 web-2 web-3 kind=web");
  });
  after(async () => {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  });

  const exec = async (...words: string[]): ReturnType<CommandLine["run"]> => await shell.run(["exec", ...words]);

  it("prefixes each line with its machine, both streams apart", async () => {
    const { code, stdout, stderr } = await exec("web-{1..2}", "--", "printf 'a\\nb'; echo c >&2");
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.split("\n").toSorted(), ["", "web-1 | a", "web-1 | b", "web-2 | a", "web-2 | b"]);
    assert.deepEqual(
      stderr
        .split("\n")
        .filter((line) => line.includes(" | "))
        .toSorted(),
      ["web-1 | c", "web-2 | c"],
    );
  });

  it("hands several words on as they are, and one as a line of shell", async () => {
    assert.equal((await exec("web-1", "--", "printf", "%s|", "a b", "$HOME", "'")).stdout, "a b|$HOME|'|\n");
    assert.equal((await exec("web-1", "--", "echo $((1+1)) --all")).stdout, "2 --all\n");
  });

  it("folds equal outputs", async () => {
    const { stdout, code } = await exec("--group", "--filter", "label=kind=web", "--", "echo same");
    assert.deepEqual([code, stdout], [0, "web-[1-3] (3):\nsame\n"]);
  });

  it("ends with 1 where one did not end with 0, and tells each", async () => {
    const { code, stdout, stderr } = await exec("web-1", "gone", "web-2", "--", "echo out; exit 3");
    assert.equal(code, 1);
    assert.match(stdout, /^web-1 \| out$/mu);
    assert.match(stderr, /status 3 on "web-1"/u);
    assert.match(stderr, /gone.*connection was refused|\(gone\)/u);
    const json = await shell.run(["--output", "json", "exec", "--filter", "label=kind", "--", "exit 3"]);
    assert.equal(json.code, 1);
    const schema = JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema;
    assert.deepEqual(misfits(JSON.parse(json.stdout), schema.properties?.["exec"] ?? {}), []);
    assert.deepEqual(
      (JSON.parse(json.stdout) as { name: string; status: number }[]).map(({ name, status }) => [name, status]),
      [
        ["web-1", 3],
        ["web-2", 3],
        ["web-3", 3],
      ],
    );
  });

  it("reads a file, and never the input of whoever calls it", async () => {
    const file = path.join(shell.folder, "input");
    await writeFile(file, "from a file");
    assert.equal((await exec("web-1", "--stdin", file, "--", "cat")).stdout, "from a file\n");
    assert.equal((await shell.run(["exec", "web-1", "--", "cat"], { stdin: "typed\n" })).stdout, "");
    const missing = await exec("web-1", "--stdin", `${file}.none`, "--", "cat");
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /^--stdin \S+\.none does not exist\n$/u);
  });

  it("is bounded, by a bound of each machine", async () => {
    const { code, stderr } = await exec("web-1", "--timeout", "1s", "--", "exec sleep 600");
    assert.equal(code, 1);
    assert.match(stderr, /did not end within 1 s/u);
  });

  it("says what is missing", async () => {
    for (const words of [
      ["web-1"],
      ["web-1", "--"],
      ["--parallel", "0", "web-1", "--", "true"],
      ["--timeout", "soon", "web-1", "--", "true"],
    ]) {
      assert.equal((await exec(...words)).code, 2, words.join(" "));
    }
  });

  it("gives the errors of a machine no hold on a terminal", async () => {
    const { stderr } = await exec("web-1", "--", String.raw`printf '\033[2Jx\n' >&2`);
    assert.match(stderr, /x/u);
    assert.ok(!stderr.includes("\u001B"));
  });
});
