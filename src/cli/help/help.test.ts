import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withoutAdditions } from "../../../test/golden/additions.ts";
import { goldenCases } from "../../../test/golden/golden-cases.ts";
import type { CreateFlag } from "../../driver-kit/create-flag.ts";
import { FakeRun } from "../testing/fake-main.ts";
import { alignRows } from "./align.ts";
import { flagRow } from "./flag-rows.ts";

const cases = goldenCases();
const helpCases = cases.filter(({ stdout }) => stdout.includes("Usage: docker-machine"));

/** The flags of a driver as its lines in a recorded help text tell them. */
function driverFlagsIn(help: string, prefix: string): CreateFlag[] {
  const lines = help.matchAll(new RegExp(`^ {3}--(${prefix}[a-z0-9-]*)( ?)(?:"([^"]*)")?\\t+(.*?)(?: \\[\\$(\\w+)\\])?$`, "gmu"));
  return Array.from(lines, ([, name = "", space, value, usage = "", envVar]): CreateFlag => {
    const base = { name, usage, envVar };
    if (space === "") return { kind: "bool", ...base };
    return value !== undefined && /^\d+$/u.test(value)
      ? { kind: "int", ...base, value: Number(value) }
      : { kind: "string", ...base, value };
  });
}

const createHelp = cases.find(({ args }) => args.join(" ") === "create --help")?.stdout ?? "";
const drivers = {
  virtualbox: driverFlagsIn(createHelp, "virtualbox-"),
  none: [{ kind: "string", name: "url", usage: "URL of host when no driver is selected" }],
} as const;

describe("help", () => {
  it("finds the recorded driver flags", () => {
    assert.equal(drivers.virtualbox.length, 16);
  });

  for (const { args, stdout } of helpCases) {
    it(`has 0.16.2's layout: ${args.join(" ")}`, async () => {
      const run = new FakeRun({ env: { MACHINE_COMPAT: "0.16", MACHINE_STORAGE_PATH: "/tmp/store" }, drivers });
      const result = await run.main(...args);
      assert.equal(withoutAdditions(result.stdout), stdout);
    });
  }

  it("is the same by `help COMMAND`, by --help in any place, and by -h", async () => {
    const [expected, ...others] = await Promise.all(
      [
        ["help", "ls"],
        ["h", "ls"],
        ["ls", "--help"],
        ["ls", "-q", "x", "-h"],
        ["ls", "-help"],
      ].map(async (words) => await new FakeRun().main(...words)),
    );
    assert.equal(expected?.code, 0);
    assert.match(expected?.stdout ?? "", /^Usage: docker-machine ls /u);
    for (const other of others) assert.deepEqual(other, expected);
  });

  it("is printed for nothing at all, and for `help`", async () => {
    const [expected, ...others] = await Promise.all(
      [[], ["help"], ["--help"], ["-h"]].map(async (words) => await new FakeRun().main(...words)),
    );
    assert.match(expected?.stdout ?? "", /^Usage: docker-machine \[OPTIONS\] COMMAND \[arg\.\.\.\]\n/u);
    for (const other of others) assert.deepEqual(other, expected);
  });

  it("of ssh answers to the first word only", async () => {
    for (const word of ["-h", "-help", "--help"]) {
      const { code, stdout } = await new FakeRun().main("ssh", word);
      assert.deepEqual([code, stdout.split("\n")[0]], [0, "Usage: docker-machine ssh [arg...]"]);
    }
  });

  it("of subcommands", async () => {
    const { stdout } = await new FakeRun().main("driver", "inspect", "--help");
    assert.match(stdout, /^Usage: docker-machine driver inspect NAME\n/u);
    assert.deepEqual((await new FakeRun().main("help", "driver", "inspect")).stdout, stdout);
    assert.match((await new FakeRun().main("config", "set", "--help")).stdout, /^Usage: docker-machine config set NAME FLAG/u);
    assert.match((await new FakeRun().main("help", "config", "set")).stdout, /^Usage: docker-machine config set NAME FLAG/u);
    assert.match(
      (await new FakeRun().main("config", "-h")).stdout,
      /config \[OPTIONS\] \[arg\.\.\.\]\n[^]*\nCommands:\n {3}set\t/u,
    );
    assert.match((await new FakeRun().main("driver")).stdout, /\nCommands:\n {3}ls\t\tList /u);
  });

  it("of create has a driver's flags, harvested by completion scripts", async () => {
    const { stdout } = await new FakeRun({ drivers }).main("create", "-d", "virtualbox", "--help");
    const harvested = stdout.split("\n").filter((line) => line.startsWith("   -"));
    assert.ok(harvested.some((line) => line.startsWith('   --virtualbox-memory "1024"\t')));
    assert.deepEqual(harvested, harvested.toSorted());
  });

  it("of create with the default driver missing still helps, with an unknown one does not", async () => {
    assert.match((await new FakeRun().main("create", "--help")).stdout, /--driver, -d "qemu"/u);
    assert.equal((await new FakeRun().main("create", "-d", "nosuch", "--help")).code, 1);
  });

  it("shows the store that applies", async () => {
    assert.match((await new FakeRun().main("--help")).stdout, /--storage-path, -s "\/home\/u\/\.docker\/machine"/u);
    const homeless = await new FakeRun({ computer: { homeDir: undefined } }).main("--help");
    assert.match(homeless.stdout, /--storage-path, -s \t/u);
  });
});

describe("flagRow", () => {
  it("joins the lines of a plugin's usage text: each flag is one line", () => {
    assert.deepEqual(flagRow({ kind: "bool", name: "x-y", usage: "one\n  two", envVar: "A,B" }), ["--x-y", "one two [$A, $B]"]);
  });
});

describe("alignRows", () => {
  it("ends the first column at the next stop behind the widest", () => {
    assert.deepEqual(
      alignRows([
        ["1234567", "a"],
        ["", "b"],
      ]),
      ["1234567\ta", "\tb"],
    );
    assert.deepEqual(
      alignRows([
        ["12345678", "a"],
        ["ü", "b"],
      ]),
      ["12345678\ta", "ü\t\tb"],
    );
    assert.deepEqual(alignRows([]), []);
  });
});
