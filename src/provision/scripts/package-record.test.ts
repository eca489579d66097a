/** What of a host's packages is taken for ours, in every shell. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import { changingFunctions } from "../shell/changing.ts";
import { answering, scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh } from "../shell/shell-text.ts";
import { statePaths } from "../shell/state-paths.ts";
import { packageRecord } from "./package-record.ts";

/** A run that finds the packages of `before`, leaves those of `after`, and ends in this way. */
type Ending = keyof typeof endings;
const endings = { finished: sh`record_packages; rm -f ${statePaths.packagesBefore}`, failed: sh`record_failed`, killed: sh`:` };

for (const shell of shells) {
  const name = shell.join(" ");
  const recorded = (runs: readonly (readonly [before: string, after: string, Ending])[]): string[] => {
    const folder = mkdtempSync(path.join(tmpdir(), "packages-"));
    const list = path.join(folder, "list");
    try {
      for (const [before, after, ending] of runs) {
        writeFileSync(list, before.replaceAll(" ", " 1\n") + " 1\n");
        const functions = changingFunctions({ record: true, label: "web", packageLockSeconds: 1, mayRemove: true });
        const script = joinLines(
          scriptPrelude,
          answering,
          functions,
          sh`begin_run
find() { :; }
pkg_list() { cat ${list}; }`,
          packageRecord,
          sh`printf '%s 1\n' ${after.split(" ")} > ${list}
${endings[ending]}
rm -rf ${statePaths.run}`,
        );
        const { status, stderr } = runShell(shell, script.text.replaceAll("/var/lib/docker-machine", path.join(folder, "state")));
        assert.equal(status, 0, stderr);
      }
      return readFileSync(path.join(folder, "state/manifest"), "utf8").trimEnd().split("\n").toSorted();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };

  test(`what an owner installs after a run that failed stays theirs (${name})`, () => {
    const runs = [
      ["bash", "bash docker", "failed"],
      ["bash docker xz", "bash docker xz containerd", "finished"],
    ] as const;
    assert.deepEqual(recorded(runs), ["package\tcontainerd", "package\tdocker"]);
  });

  test(`what came with a run that was killed is ours (${name})`, () => {
    const runs = [
      ["bash runc", "bash docker", "killed"],
      ["bash docker", "bash docker containerd", "finished"],
    ] as const;
    assert.deepEqual(recorded(runs), ["package\tcontainerd", "package\tdocker", "package-gone\trunc 1"]);
  });
}
