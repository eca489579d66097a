import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fakeComputer } from "../testing/fake-computer.ts";
import { parseFlags } from "./parse-flags.ts";
import { globalFlags } from "./global-flags.ts";
import { globalOptions, parseTimeout } from "./global-options.ts";

function read(words: readonly string[], env: Record<string, string> = {}, homeDir: string | undefined = "/home/u") {
  return globalOptions([parseFlags(words, globalFlags, env, "leading").options], fakeComputer({ env, homeDir }));
}

describe("globalOptions", () => {
  it("places the store: flag, variable, home", () => {
    assert.equal(read([]).storagePath, "/home/u/.docker/machine");
    assert.equal(read([], { MACHINE_STORAGE_PATH: "/e" }).storagePath, "/e");
    assert.equal(read(["-s", "rel"], { MACHINE_STORAGE_PATH: "/e" }).storagePath, "/here/rel");
  });

  it("needs a home only when the store is asked for", () => {
    const options = globalOptions([parseFlags([], globalFlags).options], fakeComputer({ homeDir: undefined }));
    assert.throws(() => options.storagePath, { code: "store-unusable" });
    assert.equal(options.debug, false);
  });

  it("lets MACHINE_DEBUG decide against the flag, as 0.16.2 does", () => {
    assert.equal(read(["-D"]).debug, true);
    assert.equal(read(["-D"], { MACHINE_DEBUG: "false" }).debug, false);
    assert.equal(read([], { MACHINE_DEBUG: "1" }).debug, true);
    assert.throws(() => read([], { MACHINE_DEBUG: "maybe" }), {
      message: 'Error parsing boolean value from MACHINE_DEBUG: strconv.ParseBool: parsing "maybe": invalid syntax',
    });
  });

  it("takes --tls-* paths as they are and empty ones as absent", () => {
    assert.equal(read(["--tls-ca-cert", "ca.pem"]).tlsCaCert, "ca.pem");
    assert.equal(read(["--tls-ca-cert="]).tlsCaCert, undefined);
  });
});

describe("parseTimeout", () => {
  it("reads seconds and Go's units", () => {
    for (const [text, ms] of [
      ["90", 90_000],
      ["90s", 90_000],
      ["1h30m", 5_400_000],
      ["1.5s", 1_500],
      ["250ms", 250],
    ] as const) {
      assert.equal(parseTimeout(text), ms);
    }
  });

  it("refuses everything else", () => {
    for (const text of ["0", "0s", "-1s", "soon", "1 h", "s", "1h30"])
      assert.throws(() => parseTimeout(text), { code: "usage" }, text);
  });
});
