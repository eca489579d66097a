/** Whose a file is, by the words of each package manager, in every shell. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { packageOwner } from "./package-owner.ts";
import { lookingFunctions } from "./probe-script.ts";

/** What the program of that name does, and what is made of it. */
const answers: readonly (readonly [program: string, does: ShellText, told: string])[] = [
  ["dpkg-query", sh`echo 'docker.io: /opt/dockerd'`, "docker.io"],
  ["dpkg-query", sh`echo 'dpkg-query: no path found matching pattern /opt/dockerd' >&2; return 1`, "nobody"],
  ["dpkg-query", sh`echo 'dpkg-query: error: failed to open package info file' >&2; return 2`, "not told"],
  ["rpm", sh`echo 'a notice' >&2; echo moby-engine`, "moby-engine"],
  ["rpm", sh`echo 'file /opt/dockerd is not owned by any package'; return 1`, "nobody"],
  ["rpm", sh`echo 'error: cannot open Packages database in /var/lib/rpm' >&2; return 1`, "not told"],
  ["pacman", sh`echo docker`, "docker"],
  ["pacman", sh`echo 'error: No package owns /opt/dockerd' >&2; return 1`, "nobody"],
  ["pacman", sh`echo 'error: could not open database' >&2; return 1`, "not told"],
  ["apk", sh`echo docker-engine`, "docker-engine"],
  ["apk", sh`echo 'ERROR: /opt/dockerd: Could not find owner package' >&2; return 1`, "nobody"],
  ["apk", sh`return 124`, "not told"],
  ["none of them", sh`:`, "nobody"],
];

for (const shell of shells) {
  test(`a package manager that cannot be asked is not one that knows of no owner (${shell.join(" ")})`, () => {
    for (const [program, does, told] of answers) {
      const script = joinLines(
        scriptPrelude,
        lookingFunctions(1_000),
        packageOwner,
        sh`has() { [ "$1" = ${program} ]; }
bounded() { shift; answer; }
answer() {`,
        does,
        sh`}
if owner=$(package_of /opt/dockerd); then echo "\${owner:-nobody}"; else echo 'not told'; fi`,
      );
      assert.equal(runShell(shell, script.text).stdout.trimEnd().split("\n").at(-1), told, `${program}: ${does.text}`);
    }
  });
}
