import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sharedCreateFlags } from "../create/shared-flags.ts";
import { findDriverName } from "./driver-name.ts";
import { parseFlags } from "./parse-flags.ts";

function find(words: readonly string[], env: Record<string, string> = {}): string | undefined {
  return findDriverName(words, sharedCreateFlags, env);
}

describe("findDriverName", () => {
  it("finds every form", () => {
    for (const words of [["-d", "x"], ["-d=x"], ["--driver", "x"], ["--driver=x"], ["-driver", "x"], ["--d=x"]]) {
      assert.equal(find([...words, "--x-flag", "1", "name"]), "x");
      assert.equal(find(["name", "--x-flag=1", ...words]), "x");
    }
  });

  it("keeps a second =", () => {
    assert.equal(find(["--driver=a=b"]), "a=b");
  });

  it("does not take another flag's value for the driver", () => {
    assert.equal(find(["--engine-label", "-d", "--engine-opt", "--driver=y", "-d", "x"]), "x");
    assert.equal(find(["--swarm", "-d", "x"]), "x");
  });

  it("does not look behind --", () => {
    assert.equal(find(["name", "--", "-d", "x"]), undefined);
  });

  it("falls back to MACHINE_DRIVER, then to nothing", () => {
    assert.equal(find(["name"], { MACHINE_DRIVER: "y" }), "y");
    assert.equal(find(["-d", "x"], { MACHINE_DRIVER: "y" }), "x");
    assert.equal(find(["-d"], { MACHINE_DRIVER: "y" }), "y");
    assert.equal(find(["--driver="], { MACHINE_DRIVER: "" }), undefined);
  });

  it("agrees with the parser wherever the parser knows all flags", () => {
    const word = fc.constantFrom(
      "-d",
      "--driver",
      "-d=p",
      "--driver=q",
      "r",
      "--swarm",
      "--tls-san",
      "--engine-opt=s",
      "--",
      "-D",
      "t",
    );
    fc.assert(
      fc.property(fc.array(word), (words) => {
        let parsed: string;
        try {
          parsed = parseFlags(words, [...sharedCreateFlags, { kind: "bool", name: "D", usage: "" }]).options.string("driver");
        } catch {
          return;
        }
        assert.equal(find(words) ?? "qemu", parsed);
      }),
    );
  });
});
