import assert from "node:assert/strict";
import { test } from "node:test";
import { coreFiles, copyNameOf } from "./core-files.ts";

test("a copy keeps its name where that is nobody's", () => {
  for (const name of ["id_rsa", "id_ed25519", "web.pem", "keys.pem", "config", "ca.pem.key"])
    assert.equal(copyNameOf(name), name);
});

test("a copy never takes a name of the core, in any case, nor one that is swept", () => {
  for (const name of [...coreFiles, "KEY.PEM", "Config.json", "config.json.tmp-1-0123abcd", "a.TMP-12-0123abcd"]) {
    const copy = copyNameOf(name);
    assert.equal(coreFiles.includes(copy.toLowerCase()), false, copy);
    assert.doesNotMatch(copy, /\.tmp/iu);
    assert.equal(copyNameOf(copy), copy);
  }
});
