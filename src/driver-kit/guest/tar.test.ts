import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { formatMeDisk } from "./format-me-disk.ts";
import { tarArchive } from "./tar.ts";

const contentOf = (archive: Buffer, name: string): string =>
  execFileSync("tar", ["-xOf", "-", name], { input: archive }).toString("utf8");

test("any content survives the archive", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 2_000 }), (content) => {
      const archive = tarArchive([{ path: "f", mode: 0o644, content }]);
      assert.equal(contentOf(archive, "f"), content);
    }),
    { numRuns: 15 },
  );
});

test("a disk for boot2docker begins by asking to be formatted, and has the keys where it looks for them", () => {
  const disk = formatMeDisk(["ssh-ed25519 AAAA me", "ssh-rsa BBBB you"]);
  assert.equal(disk.toString("latin1", 0, 29), "boot2docker, please format-me");
  assert.equal(contentOf(disk, "boot2docker, please format-me"), "boot2docker, please format-me");
  const listed = execFileSync("tar", ["-tvf", "-", "--numeric-owner"], { input: disk }).toString();
  assert.match(listed, /^drwx------ 0\/0 .* \.ssh\/$/mu);
  for (const name of [".ssh/authorized_keys", ".ssh/authorized_keys2"]) {
    assert.match(listed, new RegExp(`^-rw-r--r-- 0/0 .* ${name.replaceAll(".", "\\.")}$`, "mu"));
    assert.equal(contentOf(disk, name), "ssh-ed25519 AAAA me\nssh-rsa BBBB you\n");
  }
});
