import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { FlagError } from "../usage-error.ts";
import { dashed, type CliFlag } from "./flag.ts";
import { parseFlags } from "./parse-flags.ts";

const flags: readonly CliFlag[] = [
  { kind: "bool", name: "quiet", aliases: ["q"], usage: "" },
  { kind: "int", name: "timeout", aliases: ["t"], usage: "", value: 10, envVar: "TIMEOUT" },
  { kind: "string", name: "format", aliases: ["f"], usage: "", envVar: "FORMAT, OLD_FORMAT" },
  { kind: "strings", name: "filter", usage: "", value: ["default"], envVar: "FILTERS" },
  { kind: "bool", name: "native", usage: "", envVar: "NATIVE" },
  { kind: "string", name: "source", usage: "", value: "auto", choices: ["auto", "script"] },
];

interface Read {
  readonly quiet: boolean;
  readonly timeout: number;
  readonly format: string;
  readonly filter: readonly string[];
  readonly native: boolean;
  readonly source: string;
  readonly args: readonly string[];
  readonly warnings: readonly string[];
}

function read(words: readonly string[], env: Record<string, string> = {}): Read {
  const { options, args, warnings } = parseFlags(words, flags, env);
  return { ...options.all(), args, warnings } as unknown as Read;
}

const defaults: Read = {
  quiet: false,
  timeout: 10,
  format: "",
  filter: ["default"],
  native: false,
  source: "auto",
  args: [],
  warnings: [],
};

describe("parseFlags", () => {
  it("gives defaults when nothing is given", () => {
    assert.deepEqual(read([]), defaults);
  });

  it("takes one dash as two, a value behind = or as the next word", () => {
    for (const words of [["-format=x"], ["--format=x"], ["-format", "x"], ["--format", "x"], ["-f", "x"], ["--f=x"]]) {
      assert.deepEqual(read(words), { ...defaults, format: "x" });
    }
  });

  it("takes what follows as a value even where it looks like a flag", () => {
    assert.equal(read(["-f", "--quiet"]).format, "--quiet");
    assert.equal(read(["-f", "--"]).format, "--");
    assert.equal(read(["-t", "-5"]).timeout, -5);
  });

  it("keeps = in values, and empty values", () => {
    assert.deepEqual(read(["--filter=label=a=b"]).filter, ["label=a=b"]);
    assert.equal(read(["--format="]).format, "");
  });

  it("gives switches a value only behind =", () => {
    assert.deepEqual(read(["-q", "false"]), { ...defaults, quiet: true, args: ["false"] });
    assert.equal(read(["-q=false"]).quiet, false);
    assert.equal(read(["--quiet=T"]).quiet, true);
  });

  it("finds flags behind and between arguments, which keep their order", () => {
    assert.deepEqual(read(["a", "-f", "x", "b", "-q", "c"]), { ...defaults, format: "x", quiet: true, args: ["a", "b", "c"] });
  });

  it("ends flags at --, and takes a lone dash as an argument", () => {
    assert.deepEqual(read(["-", "-q", "--", "-f", "--", "x"]), { ...defaults, quiet: true, args: ["-", "-f", "--", "x"] });
  });

  it("stops at the first argument where flags must lead", () => {
    const { options, args } = parseFlags(["-q", "ls", "-q", "--what"], flags, {}, "leading");
    assert.equal(options.bool("quiet"), true);
    assert.deepEqual(args, ["ls", "-q", "--what"]);
  });

  it("takes the last of several, and all of a list in place of its default", () => {
    assert.equal(read(["-f", "a", "--format", "b"]).format, "b");
    assert.deepEqual(read(["--filter", "a", "--filter=b"]).filter, ["a", "b"]);
    assert.deepEqual(parseFlags(["-f", "a", "-format=b"], flags).options.occurrences("format"), ["a", "b"]);
  });

  it("refuses in Go's words", () => {
    const refusals: readonly (readonly [string[], string])[] = [
      [["-nosuchflag"], "flag provided but not defined: -nosuchflag"],
      [["--nosuchflag=1"], "flag provided but not defined: -nosuchflag"],
      [["--filter"], "flag needs an argument: -filter"],
      [["-t", "x"], 'invalid value "x" for flag -t: strconv.ParseInt: parsing "x": invalid syntax'],
      [["--timeout="], 'invalid value "" for flag -timeout: strconv.ParseInt: parsing "": invalid syntax'],
      [["-q=maybe"], 'invalid boolean value "maybe" for -q: strconv.ParseBool: parsing "maybe": invalid syntax'],
      [["---x"], "bad flag syntax: ---x"],
      [["-=x"], "bad flag syntax: -=x"],
      [["--=x"], "bad flag syntax: --=x"],
      [["--source=cd"], 'invalid value "cd" for flag -source: must be one of auto, script'],
    ];
    for (const [words, message] of refusals) assert.throws(() => read(words), { name: "MachineError", message }, words.join(" "));
  });

  it("reads the environment where no flag is given", () => {
    const env = { TIMEOUT: "0x10", OLD_FORMAT: "old", FILTERS: "a, b", NATIVE: "1" };
    assert.deepEqual(read([], env), { ...defaults, timeout: 16, format: "old", filter: ["a", "b"], native: true });
    assert.equal(read(["-f", "new"], env).format, "new");
    assert.equal(read([], { FORMAT: "first", OLD_FORMAT: "old" }).format, "first");
    assert.equal(read([], { FORMAT: "", OLD_FORMAT: "old" }).format, "old");
  });

  it("adds a list's flags to the environment's, as 0.16.2 does", () => {
    assert.deepEqual(read(["--filter", "c"], { FILTERS: "a,b" }).filter, ["a", "b", "c"]);
  });

  it("ignores a variable that cannot be read, and says so", () => {
    assert.deepEqual(read([], { TIMEOUT: "soon", NATIVE: "yes" }), {
      ...defaults,
      warnings: [
        'Ignoring TIMEOUT: strconv.ParseInt: parsing "soon": invalid syntax',
        'Ignoring NATIVE: strconv.ParseBool: parsing "yes": invalid syntax',
      ],
    });
  });

  it("knows what was given, on the command line or in the environment", () => {
    const { options } = parseFlags(["-t", "10"], flags, { FORMAT: "x" });
    assert.deepEqual(
      ["timeout", "format", "quiet"].map((name) => options.isSet(name)),
      [true, true, false],
    );
  });
});

describe("parseFlags, for any words", () => {
  const plainWord = fc.string().filter((word) => !word.startsWith("-") || word === "-");
  const given = fc.oneof(
    fc.record({ name: fc.constantFrom("quiet", "native"), value: fc.boolean() }),
    fc.record({ name: fc.constant("timeout"), value: fc.maxSafeInteger() }),
    fc.record({ name: fc.constant("format"), value: fc.string() }),
    fc.record({ name: fc.constant("filter"), value: fc.string() }),
  );
  const piece = fc.oneof(
    plainWord.map((word) => ({ kind: "argument" as const, word })),
    fc
      .tuple(given, fc.boolean(), fc.boolean())
      .map(([flag, joined, short]) => ({ kind: "flag" as const, ...flag, joined, short })),
  );

  it("gives back every value and argument, however they were written", () => {
    fc.assert(
      fc.property(fc.array(piece), fc.array(fc.string()), (pieces, tail) => {
        const expected: Record<string, unknown> = { quiet: false, native: false, timeout: 10, format: "", source: "auto" };
        const filters: string[] = [];
        const words = pieces.flatMap((item) => {
          if (item.kind === "argument") return [item.word];
          if (item.name === "filter") filters.push(item.value);
          else expected[item.name] = item.value;
          const dash = item.short ? `-${item.name}` : dashed(item.name);
          return item.joined || typeof item.value === "boolean" ? [`${dash}=${item.value}`] : [dash, String(item.value)];
        });
        const { options, args } = parseFlags([...words, "--", ...tail], flags);
        assert.deepEqual(options.all(), { ...expected, filter: filters.length === 0 ? ["default"] : filters });
        assert.deepEqual(args, [...pieces.flatMap((item) => (item.kind === "argument" ? [item.word] : [])), ...tail]);
      }),
    );
  });

  it("fails with a FlagError or not at all", () => {
    const word = fc.oneof(fc.string(), fc.constantFrom("-q", "--quiet", "-t", "--filter", "--", "-", "-f=", "--=", "-t=1"));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        try {
          parseFlags(words, flags);
        } catch (error) {
          assert.ok(error instanceof FlagError, String(error));
        }
      }),
    );
  });
});
