/** Completion typed at real shells on a terminal: what the shell then runs tells what was completed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isInstalled, ShellFixture, sourced } from "./shell-fixture.ts";

/** What is typed, and the words that the program gets. */
const cases: readonly (readonly [typed: string, words: readonly string[]])[] = [
  ["docker-machine insp\tal\t", ["inspect", "alpha"]],
  ["docker-machine stop beta2 beta\t", ["stop", "beta2", "beta10"]],
  ["docker-machine ls --filt\tdri\tq\t", ["ls", "--filter", "driver=qemu"]],
  ["docker-machine ls --filter=state=Pau\t", ["ls", "--filter=state=Paused"]],
  ["docker-machine create -d non\t--ur\ttcp://h:1 x", ["create", "-d", "none", "--url", "tcp://h:1", "x"]],
  ["docker-machine create --driver=gener\t--dry-r\tx", ["create", "--driver=generic", "--dry-run", "x"]],
  ["docker-machine driver inspe\tgener\t", ["driver", "inspect", "generic"]],
  ["docker-machine scp localf\t al\t/tmp", ["scp", "localfile.txt", "alpha:/tmp"]],
];

/** The wrapper's own command is completed like `env`, which it becomes. */
const wrapped = "docker-machine us\tal\t";

const shells: Readonly<Record<string, readonly string[]>> = {
  bash: ["docker-machine.bash", "docker-machine-wrapper.sh"],
  zsh: ["_docker-machine", "docker-machine-wrapper.sh"],
  fish: ["docker-machine.fish"],
};

describe("completion", () => {
  for (const [shell, sources] of Object.entries(shells)) {
    it(`completes in ${shell}`, { skip: isInstalled(shell) ? false : `${shell} is not installed` }, async () => {
      const fixture = new ShellFixture();
      try {
        await fixture.type(shell, { after: sourced(sources) }, [...cases.map(([typed]) => typed), wrapped]);
        assert.deepEqual(fixture.logged, [...cases.map(([, words]) => words), ["env", "--shell", shell, "alpha"]]);
      } finally {
        fixture.remove();
      }
    });
  }

  for (const shell of Object.keys(shells)) {
    it(`that is installed is found by ${shell}`, { skip: isInstalled(shell) ? false : `${shell} is not installed` }, async () => {
      const fixture = new ShellFixture();
      try {
        const { status, stdout, stderr } = fixture.run("sh", ["-c"], `docker-machine completion install ${shell}`);
        assert.equal(status, 0, stderr);
        // What the user is told to write into the start-up file, and nothing else.
        const [told = ""] = /fpath=.*$/mu.exec(stdout) ?? [];
        await fixture.type(shell, { before: told }, ["docker-machine insp\tal\t", "docker-machine create -d non\tx"]);
        assert.deepEqual(fixture.logged, [
          ["inspect", "alpha"],
          ["create", "-d", "none", "x"],
        ]);
      } finally {
        fixture.remove();
      }
    });
  }
});
