/** `wait`, `start --wait`, `logs` and `console` on the command line. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, it } from "node:test";
import { logScript } from "../../src/cli/commands/logs.ts";
import { openCommandLine, pluginRecord, samplePlugin } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";

describe("wait", () => {
  it("ends when the engine answers, and says what was in the way where it does not", async () => {
    await using shell = await openCommandLine();
    await shell.ok("create -d none --url=tcp://127.0.0.1:1 seed");
    await using engine = await engineFor(shell);
    await shell.ok(`create -d none --url=${engine.url} web`);
    assert.equal(await shell.ok("wait web"), "");
    const late = await shell.run(["wait", "seed", "--within", "500ms"]);
    assert.equal(late.code, 1);
    assert.match(late.stderr, /^"seed" was not ready within 0\.5 s: /mu);
    assert.equal((await shell.run(["wait", "nobody"])).code, 4);
    assert.match(
      (await shell.run(["wait", "web", "--within", "soon"])).stderr,
      /--within soon is no time\nHint: Give it as 90s/u,
    );
    assert.match((await shell.run(["wait", "web", "--for", "engin"])).stderr, /Hint: Did you mean "engine"\?/u);
  });

  it("takes a state, of a plugin too; a machine that runs is welcome to start --wait", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    await shell.addRecord("stopped", pluginRecord("stopped", "sample", 4));
    await shell.addRecord("running", pluginRecord("running", "sample", 1));
    await shell.ok("wait stopped --for stopped");
    await shell.ok("wait running --for running --within 5s");
    assert.equal((await shell.run(["start", "running"])).code, 1);
    assert.match((await shell.run(["console", "running"])).stderr, /shows no console\nHint: /u);
  });
});

describe("the script of logs", () => {
  const run = (programs: Readonly<Record<string, string>>, follow = false): ReturnType<typeof spawnSync> => {
    const bin = mkdtempSync(path.join(tmpdir(), "docker-machine-logs-"));
    try {
      for (const [name, script] of Object.entries(programs))
        writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      return spawnSync("/bin/sh", ["-c", logScript(7, follow)], { env: { PATH: bin }, encoding: "utf8" });
    } finally {
      rmSync(bin, { recursive: true });
    }
  };
  const who = (uid: number): string => `echo ${uid}`;

  it("asks the journal, as root where that can be", () => {
    const journal = 'echo "journal $*"';
    assert.equal(run({ id: who(0), journalctl: journal }).stdout, "journal --no-pager -n 7 -u docker.service\n");
    assert.equal(run({ id: who(0), journalctl: journal }, true).stdout, "journal --no-pager -n 7 -f -u docker.service\n");
    const sudo = 'shift; [ "$1" = true ] || { printf "root: "; exec "$@"; }';
    assert.equal(run({ id: who(1000), sudo, journalctl: journal }).stdout, "root: journal --no-pager -n 7 -u docker.service\n");
    assert.equal(
      run({ id: who(1000), sudo: "exit 1", journalctl: journal }).stdout,
      "journal --no-pager -n 7 -u docker.service\n",
    );
  });

  it("takes the log of a system without one, and says where it looked", () => {
    const test = '[ "$2" = /var/log/docker.log ]';
    const sudo = 'shift; [ "$1" = true ] || exec "$@"';
    assert.equal(run({ id: who(1000), sudo, test, tail: 'echo "tail $*"' }).stdout, "tail -n 7 /var/log/docker.log\n");
    const none = run({ id: who(0), journalctl: "exit 1" });
    assert.equal(none.status, 1);
    assert.match(String(none.stderr), /^No log of a Docker Engine is here/u);
  });
});
