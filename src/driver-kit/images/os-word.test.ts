import assert from "node:assert/strict";
import { test } from "node:test";
import { newestVersion, parseOsWord } from "./os-word.ts";

test("words name a system, or one of its versions; a provider's own names are none", () => {
  assert.deepEqual(parseOsWord("ubuntu"), { system: "ubuntu", version: undefined });
  assert.deepEqual(parseOsWord("ubuntu-24.04"), { system: "ubuntu", version: "24.04" });
  assert.deepEqual(parseOsWord("debian-13"), { system: "debian", version: "13" });
  for (const other of ["ubuntu-24-04-x64", "12345", "", "ami-0abc", "Ubuntu", "docker-20-04"])
    assert.equal(parseOsWord(other), undefined, other);
});

test("the newest Ubuntu is a long-term one whose first point release is out", () => {
  const versions = ["22.04", "25.10", "26.04", "24.04"];
  assert.equal(newestVersion("ubuntu", versions, new Date("2026-08-31T00:00:00Z")), "24.04");
  assert.equal(newestVersion("ubuntu", versions, new Date("2026-09-01T00:00:00Z")), "26.04");
  assert.equal(newestVersion("ubuntu", ["26.04", "25.10"], new Date("2026-05-01T00:00:00Z")), "26.04");
  assert.equal(newestVersion("ubuntu", ["25.10"], new Date("2026-05-01T00:00:00Z")), undefined);
});

test("of other systems the highest number is the newest", () => {
  assert.equal(newestVersion("debian", ["9", "13", "12"], new Date()), "13");
  assert.equal(newestVersion("fedora", [], new Date()), undefined);
  assert.equal(newestVersion("alpine", ["3.9", "3.22"], new Date()), "3.22");
});
