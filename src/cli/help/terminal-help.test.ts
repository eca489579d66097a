import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { commandTable } from "../command-table.ts";
import { findCommand, type Command } from "../command.ts";
import { sharedCreateFlags } from "../create/shared-flags.ts";
import { parseFlags } from "../flags/parse-flags.ts";
import { FakeRun } from "../testing/fake-main.ts";
import { examples } from "./examples.ts";
import { terminalHelp } from "./terminal-help.ts";

const program = { path: "docker-machine", base: "docker-machine" };
const commands = commandTable.flatMap((command) => [command, ...(command.subcommands ?? [])]);

function helpOf(name: string, columns: number): string {
  const command = commands.find((each) => each.name === name) ?? assert.fail(name);
  return terminalHelp(command, command.flags, program, columns);
}

describe("help at a terminal", () => {
  it("fits its width, whatever that is", () => {
    for (const columns of [60, 80, 160])
      for (const { name, flags } of commands) {
        const lines = helpOf(name, columns).split("\n");
        const tooLong = lines.filter(
          (line) => line.length > Math.min(columns, 100) && !/^ {2}(?:docker-machine |--)|^Usage/u.test(line),
        );
        assert.deepEqual(tooLong, [], `${name} at ${columns}`);
        for (const flag of flags)
          if (flag.hidden !== true)
            assert.ok(
              lines.some((line) => line.includes(`-${flag.name}`)),
              flag.name,
            );
      }
  });

  it("groups the flags of create", () => {
    const text = terminalHelp(
      findCommand(commandTable, "create") as Command,
      [...sharedCreateFlags, { kind: "int", name: "qemu-memory", usage: "Memory of the machine in MB", value: 2048 }],
      program,
      80,
    );
    const titles = [...text.matchAll(/^(\S.*):$/gmu)].map(([, title]) => title);
    assert.deepEqual(titles, ["Options", "Driver", "Engine", "TLS", "Swarm (classic)", "Examples"]);
    assert.match(text, /\nDriver:\n {2}--qemu-memory "2048" {8}Memory of the machine in MB\n/u);
  });

  it("is short behind a mistake, and whole where it is asked for", async () => {
    const mistake = await new FakeRun({ isTerminal: true }).main("ls", "--nosuch");
    const see = "Usage: docker-machine ls [OPTIONS] [arg...]\nSee 'docker-machine ls --help'.\n";
    assert.equal(mistake.stdout, `Incorrect Usage.\n\n${see}`);
    const asked = await new FakeRun({ isTerminal: true }).main("ls", "--help");
    assert.match(asked.stdout, /\nExamples:\n {2}# all machines\n {2}docker-machine ls\n/u);
  });

  it("is of the whole program too, and of a driver's flags", async () => {
    for (const words of [["--help"], ["driver", "inspect", "amazonec2"]]) {
      const { stdout } = await new FakeRun({ isTerminal: true }).main(...words);
      const tooLong = stdout.split("\n").filter((line) => line.length > 80 && !/^ {2}-/u.test(line));
      assert.deepEqual(tooLong, []);
      assert.match(stdout, /^Options:\n {2}-/mu);
    }
    const { stdout } = await new FakeRun({ isTerminal: true }).main("--help");
    for (const { name, hidden, summary } of commandTable)
      assert.equal(stdout.includes(`\n  ${name} `) && stdout.includes(summary.split(" ")[0] ?? ""), hidden !== true, name);
  });

  it("is 0.16.2's in a pipe, and with its texts", async () => {
    const piped = await new FakeRun().main("ls", "--help");
    const compat = await new FakeRun({ isTerminal: true, env: { MACHINE_COMPAT: "0.16" } }).main("ls", "--help");
    const whole = await new FakeRun({ isTerminal: true, env: { MACHINE_COMPAT: "0.16" } }).main("--help");
    assert.equal(whole.stdout, (await new FakeRun({ env: { MACHINE_COMPAT: "0.16" } }).main("--help")).stdout);
    for (const { stdout } of [piped, compat]) assert.match(stdout, /^Usage: [^\n]*\n\nList machines\n\nOptions:\n {3}\n/u);
  });
});

describe("examples", () => {
  it("are there for every command that people type, of its own or of a subcommand", () => {
    const firstWord = (name: string): string => name.split(" ")[0] ?? "";
    const explained = new Set(Object.keys(examples).map(firstWord));
    const missing = commandTable.filter(({ name, hidden }) => hidden !== true && name !== "help" && !explained.has(name));
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });

  it("are of commands that there are, and their flags as well", () => {
    const cloud = ["generic-ip-address"].map((name) => ({ kind: "string", name, usage: "" }) as const);
    for (const [name, list] of Object.entries(examples)) {
      const command = commands.find((each) => each.name === name) ?? assert.fail(`no command ${name}`);
      for (const { words } of list) {
        assert.ok(words === name || words.startsWith(`${name} `), words);
        if (command.flagSource === "none") continue;
        const rest = words
          .slice(name.length)
          .split(" ")
          .filter((word) => word !== "");
        const placement = command.takesCommand === "named" ? "leading" : "anywhere";
        parseFlags(rest, command.flagSource === "driver" ? [...command.flags, ...cloud] : command.flags, {}, placement);
      }
    }
  });
});
