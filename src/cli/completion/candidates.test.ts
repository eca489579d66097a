import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandTable } from "../command-table.ts";
import type { Command } from "../command.ts";
import { mergeCreateFlags, sharedCreateFlags } from "../create/shared-flags.ts";
import { findDriverName } from "../flags/driver-name.ts";
import type { CliFlag } from "../flags/flag.ts";
import { globalFlags } from "../flags/global-flags.ts";
import { answerLines } from "./answer.ts";
import { argumentKinds } from "./arguments.ts";
import { complete, completionShells, type CompletionSources } from "./candidates.ts";
import { completionScripts } from "./scripts.ts";

const noneFlags: readonly CliFlag[] = [
  { kind: "string", name: "url", usage: "URL of host" },
  { kind: "string", name: "none-ssh-key", usage: "SSH key" },
];

const sources: CompletionSources = {
  commands: commandTable,
  globalFlags,
  createFlags: async (words) =>
    findDriverName(words, sharedCreateFlags, {}) === "none" ? mergeCreateFlags(sharedCreateFlags, noneFlags) : sharedCreateFlags,
  driverNames: async () => ["generic", "none", "qemu"],
  machineNames: async (storagePath) => (storagePath === undefined ? ["alpha", "beta10", "beta2"] : [`in-${storagePath}`]),
  fleetNames: async (storagePath) => (storagePath === undefined ? ["depot", "shop"] : [`of-${storagePath}`]),
};

/** The candidates for the last word of a line; the line ends with a space where that word is empty. */
async function wordsFor(line: string): Promise<string[]> {
  const { candidates } = await complete(line.split(" "), sources);
  return candidates.map(({ word }) => word);
}

describe("completion", () => {
  it("knows the arguments of every command", () => {
    const leaves = (command: Command): string[] =>
      (command.subcommands ?? [])
        .flatMap(leaves)
        .concat(command.hidden !== true && (command.load ?? command.subcommands === undefined) ? [command.name] : []);
    const known = Object.keys(argumentKinds).filter((name) => name !== "use");
    assert.deepEqual(commandTable.flatMap(leaves).toSorted(), known.toSorted());
  });

  it("offers machines for what a fleet's commands are told of machines, and files for keys and plans", async () => {
    for (const line of ["plan --import ", "apply --replace "])
      assert.deepEqual(await wordsFor(line), await wordsFor("url "), line);
    assert.deepEqual(await wordsFor("destroy --fleet "), ["depot", "shop"]);
    assert.deepEqual(await wordsFor("-s /tmp destroy --fleet=of"), ["--fleet=of-/tmp"]);
    for (const line of ["plan --save ", "apply --plan ", "share alpha --with "])
      assert.equal((await complete(line.split(" "), sources)).paths, "files", line);
  });

  it("has a script for every shell it names", () => {
    assert.deepEqual(Object.keys(completionScripts), [...completionShells]);
  });

  it("offers commands with their summaries, hidden ones never", async () => {
    assert.deepEqual(await wordsFor("st"), ["start", "status", "stop", "store"]);
    const { candidates } = await complete([""], sources);
    assert.ok(candidates.some(({ word, description }) => word === "ls" && description === "List machines"));
    assert.ok(candidates.every(({ word }) => !word.startsWith("_")));
    assert.deepEqual(await wordsFor("config "), [...(await wordsFor("url ")), "set", "relocate"]);
    assert.deepEqual(await wordsFor("config set "), await wordsFor("url "));
    assert.deepEqual(await wordsFor("driver "), ["ls", "inspect", "serve", "new"]);
    assert.deepEqual(await wordsFor("help ins"), ["inspect"]);
  });

  it("offers the program's flags before a command, the command's and the program's behind it", async () => {
    assert.deepEqual(await wordsFor("--tls-client"), ["--tls-client-cert", "--tls-client-key"]);
    assert.deepEqual(await wordsFor("env --s"), ["--swarm", "--shell", "--storage-path"]);
    assert.deepEqual(await wordsFor("--debug -s /tmp ls -"), await wordsFor("ls -"));
    assert.ok((await wordsFor("ls -")).includes("-q"));
  });

  it("offers a driver's create flags once the driver is named, anywhere and in any form", async () => {
    assert.deepEqual(await wordsFor("create --url"), []);
    for (const line of ["create -d none --ur", "create --driver=none x --ur", "create x -driver none --ur"]) {
      assert.deepEqual(await wordsFor(line), ["--url"]);
    }
  });

  it("offers machines: one, any number without those given, or with a colon", async () => {
    assert.deepEqual(await wordsFor("env be"), ["beta10", "beta2"]);
    assert.deepEqual(await wordsFor("env alpha "), []);
    assert.deepEqual(await wordsFor("stop beta2 be"), ["beta10"]);
    assert.deepEqual(await complete(["scp", "-r", "al"], sources), {
      candidates: [{ word: "alpha:" }],
      goesOn: true,
      paths: "files",
    });
    assert.deepEqual(await complete(["mount", "alpha:/x", ""], sources), { candidates: [], goesOn: false, paths: "folders" });
    assert.deepEqual(await wordsFor("-s other ssh "), ["in-other"]);
    assert.deepEqual(await wordsFor("status --storage-path=other "), ["in-other"]);
  });

  it("offers nothing behind the machine of ssh, and arguments only behind --", async () => {
    assert.deepEqual(await wordsFor("ssh alpha -"), []);
    assert.deepEqual(await wordsFor("ssh alpha l"), []);
    assert.deepEqual(await wordsFor("stop -- -"), []);
    assert.deepEqual(await wordsFor("stop -- al"), ["alpha"]);
  });

  it("offers the values of flags, behind a space or an equals sign", async () => {
    assert.deepEqual(await wordsFor("create -d n"), ["none"]);
    assert.deepEqual(await wordsFor("create --driver="), ["--driver=generic", "--driver=none", "--driver=qemu"]);
    assert.deepEqual(await wordsFor("create --tls-key-type "), ["rsa", "ecdsa"]);
    assert.deepEqual(await wordsFor("env --shell p"), ["powershell"]);
    assert.deepEqual(await wordsFor("driver inspect g"), ["generic"]);
    assert.deepEqual(await wordsFor("ls -t "), []);
    assert.deepEqual((await complete(["-s", ""], sources)).paths, "folders");
    assert.deepEqual((await complete(["create", "-d", "none", "--none-ssh-key", ""], sources)).paths, "files");
  });

  it("offers filters, key first", async () => {
    const keys = await complete(["ls", "--filter", ""], sources);
    assert.deepEqual(
      keys.candidates.map(({ word }) => word),
      ["driver=", "label=", "name=", "state=", "swarm="],
    );
    assert.ok(keys.goesOn);
    assert.deepEqual(await wordsFor("ls --filter state=St"), ["state=Starting", "state=Stopped", "state=Stopping"]);
    assert.deepEqual(await wordsFor("ls --filter=driver=q"), ["--filter=driver=qemu"]);
    assert.deepEqual(await wordsFor("ls --filter name=al"), ["name=alpha"]);
    assert.deepEqual(await wordsFor("ls --filter label=x"), []);
  });

  it("answers in lines: directives, then words with a description on one line", () => {
    const candidates = [{ word: "a", description: "one\n  two" }, { word: "b" }];
    assert.deepEqual(answerLines({ candidates, goesOn: true, paths: "files" }), [":nospace files", "a\tone two", "b"]);
    assert.deepEqual(answerLines({ candidates: [], goesOn: false, paths: "none" }), [":"]);
  });
});
