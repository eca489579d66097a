import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { driverOptions, type FlagValue } from "./create-flag.ts";
import { bool, defineOptions, int, list, secret, text, type ConfigOf } from "./options.ts";

const options = defineOptions("cloud", {
  Token: secret("token", { usage: "Token", envVar: "CLOUD_TOKEN" }),
  Size: text("size", { usage: "Size", value: "small", oneOf: ["small", "large"] }),
  RootSize: int("root-size", { usage: "GB", value: 16, atLeast: 8, atMost: 64, or: 0 }),
  Monitoring: bool("monitoring", { usage: "Watch it" }),
  Tags: list("tag", { usage: "Tags", value: ["docker-machine"] }),
});
type Config = ConfigOf<typeof options>;

function read(given: Readonly<Record<string, FlagValue>>): Config {
  const defaults = Object.fromEntries(
    options.flags.map((flag) => [flag.name, flag.kind === "bool" ? false : (flag.value ?? "")]),
  );
  return options.read(driverOptions({ ...defaults, ...given } as Record<string, FlagValue>, new Set(Object.keys(given))));
}

function refuses(given: Readonly<Record<string, FlagValue>>, sentence: RegExp): void {
  assert.throws(
    () => read(given),
    (error) => isMachineError(error, "driver-options") && sentence.test(error.message),
  );
}

describe("a driver's options as one table", () => {
  it("are its create flags", () => {
    assert.deepEqual(
      options.flags.map(({ name, kind, secret: isSecret }) => [name, kind, isSecret === true]),
      [
        ["cloud-token", "string", true],
        ["cloud-size", "string", false],
        ["cloud-root-size", "int", false],
        ["cloud-monitoring", "bool", false],
        ["cloud-tag", "strings", false],
      ],
    );
    assert.equal(options.flagOf("RootSize"), "--cloud-root-size");
  });

  it("are the fields of a new record, in their order, each time anew", () => {
    assert.deepEqual(Object.entries(options.defaults()), [
      ["Token", ""],
      ["Size", "small"],
      ["RootSize", 16],
      ["Monitoring", false],
      ["Tags", ["docker-machine"]],
    ]);
    options.defaults().Tags.push("x");
    assert.deepEqual(options.defaults().Tags, ["docker-machine"]);
  });

  it("are read by their kind, and say what was given", () => {
    const given = { "cloud-token": "t-1", "cloud-root-size": 0, "cloud-monitoring": true, "cloud-tag": ["a", "b"] };
    assert.deepEqual(read(given), { Token: "t-1", Size: "small", RootSize: 0, Monitoring: true, Tags: ["a", "b"] });
    assert.equal(options.isSet(driverOptions(given), "Size"), false);
    assert.equal(options.isSet(driverOptions(given), "Tags"), true);
  });

  it("are refused by the flag's name", () => {
    refuses({ "cloud-size": "huge" }, /^--cloud-size "huge" is not one of: small, large$/u);
    refuses({ "cloud-root-size": 4 }, /^--cloud-root-size 4 is too small: 8 is the least$/u);
    refuses({ "cloud-root-size": 65 }, /^--cloud-root-size 65 is too large: 64 is the most$/u);
  });
});
