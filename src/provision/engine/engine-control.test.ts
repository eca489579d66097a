/** What the restart of an engine makes of its containers and of itself, in every shell, before stand-ins of its programs. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import { lookingFunctions } from "../facts/probe-script.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { engineControl } from "./engine-control.ts";
import { serviceFor } from "./engine-service.ts";

const control = engineControl({
  label: "web",
  service: serviceFor("systemd"),
  survival: { kind: "nothing-runs" },
  port: undefined,
  startSeconds: 1,
  daemonJson: { old: undefined, new: undefined },
});

/** Programs in a folder that comes first on PATH. */
class StandIns implements Disposable {
  readonly folder = mkdtempSync(path.join(tmpdir(), "engine-control-"));

  put(name: string, script: string): void {
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(path.join(this.folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(this.folder, name), 0o755);
  }

  run(shell: readonly string[], words: ShellText): string {
    const search = sh`PATH=${this.folder}:$PATH; export PATH`;
    const parts = joinLines(scriptPrelude, search, lookingFunctions(5_000), control, sh`service_active() { :; }`, words);
    return runShell(shell, parts.text).stdout.replace(/^\n@begin\t\t\n/u, "");
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

for (const shell of shells) {
  const name = shell.join(" ");
  test(`${name}: tasks of a swarm are no containers to be started again`, () => {
    using programs = new StandIns();
    programs.put("docker", `[ "$1" = ps ] && printf '%s\\n' 'aaa ' 'bbb x7task' 'ccc '`);
    assert.equal(programs.run(shell, sh`running_containers`), "aaa\nccc\n");
  });

  test(`${name}: an engine is current where the installed one is what runs`, () => {
    using programs = new StandIns();
    const verdict = sh`engine_is_current && echo current || echo other`;
    programs.put("docker", "echo 26.1.5+dfsg1");
    programs.put("dockerd", "echo 'Docker version 26.1.5+dfsg1, build 411e817'");
    assert.equal(programs.run(shell, verdict), "current\n");
    programs.put("dockerd", "echo 'Docker version 26.1.50, build 411e817'");
    assert.equal(programs.run(shell, verdict), "other\n");
    programs.put("docker", "exit 1");
    assert.equal(programs.run(shell, verdict), "other\n");
  });

  test(`${name}: a restart that was refused is asked for again, and said where it is refused again`, () => {
    for (const [accepted, verdict] of [
      [1, "started after 1\n"],
      [2, "started after 2\n"],
      [3, "not started after 2\n"],
    ] as const) {
      using programs = new StandIns();
      const count = path.join(programs.folder, "count");
      writeFileSync(count, "");
      programs.put("systemctl", `[ "$1" = restart ] || exit 0; echo >> ${count}; [ $(wc -l < ${count}) -ge ${accepted} ]`);
      programs.put("docker", `[ $(wc -l < ${count}) -ge ${accepted} ] && echo 26.1.5 || echo 20.10.5`);
      programs.put("dockerd", "echo 'Docker version 26.1.5, build 411e817'");
      const words = sh`socket_is_lost() { false; }
if start_installed_engine; then printf started; else printf 'not started'; fi
echo " after $(wc -l < ${count})"`;
      assert.equal(programs.run(shell, words), verdict);
    }
  });

  test(`${name}: a program that was replaced is seen`, () => {
    using programs = new StandIns();
    for (const program of ["dockerd", "containerd", "docker-init", "docker-proxy"]) programs.put(program, ":");
    programs.put("runc", "echo 0");
    const before = programs.run(shell, sh`engine_programs`);
    assert.equal(before.trim().split("\n").length, 5);
    programs.put("runc", "echo 1");
    const one = programs.run(shell, sh`engine_programs`);
    assert.equal(programs.run(shell, sh`engine_programs`), one);
    programs.put("runc", "echo 2");
    assert.equal(new Set([before, one, programs.run(shell, sh`engine_programs`)]).size, 3);
  });
}
