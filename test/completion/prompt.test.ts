/** The prompt and `use`, in real shells. */
import assert from "node:assert/strict";
import * as path from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { completionsDir, isInstalled, ShellFixture } from "./shell-fixture.ts";

const bourneShells: readonly (readonly [name: string, args: readonly string[], waitForAnswer: string])[] = [
  ["bash", ["--norc", "-c"], "wait $!"],
  ["zsh", ["-f", "-c"], "zmodload zsh/zselect; zselect -r $__docker_machine_ps1_fd"],
];

let fixture: ShellFixture;
beforeEach(() => {
  fixture = new ShellFixture();
});
afterEach(() => fixture.remove());

function sourced(file: string, script: string): string {
  return `source ${path.join(completionsDir, file)}\n${script}`;
}

for (const [shell, args, waitForAnswer] of bourneShells) {
  const skip = isInstalled(shell) ? false : `${shell} is not installed`;
  const prompt = (script: string, env?: Record<string, string>) =>
    fixture.run(shell, args, sourced("docker-machine-prompt.sh", script), env);
  const wrapped = (script: string, env?: Record<string, string>) =>
    fixture.run(shell, args, sourced("docker-machine-wrapper.sh", script), env);

  describe(`the prompt in ${shell}`, { skip }, () => {
    it("shows the active machine in the format given, and nothing without one", () => {
      const script = '__docker_machine_ps1; DOCKER_MACHINE_NAME=web; __docker_machine_ps1; __docker_machine_ps1 "(%s)"';
      const { stdout, stderr } = prompt(script);
      assert.deepEqual([stdout, stderr], [" [web](web)", ""]);
    });

    it("starts no program, however often it is drawn", () => {
      const script = "for i in 1 2 3 4 5; do __docker_machine_ps1_refresh; __docker_machine_ps1; done";
      assert.equal(prompt(script, { DOCKER_MACHINE_NAME: "web" }).stdout, " [web]".repeat(5));
      assert.deepEqual(fixture.logged, []);
    });

    it("asks for the state once in a while and shows it when it has come", () => {
      const script = `
        __docker_machine_ps1_refresh; __docker_machine_ps1
        ${waitForAnswer}
        for i in 1 2 3; do __docker_machine_ps1_refresh; __docker_machine_ps1; done
        DOCKER_MACHINE_NAME=other; __docker_machine_ps1_refresh; __docker_machine_ps1
        ${waitForAnswer}`;
      const env = { DOCKER_MACHINE_NAME: "web", DOCKER_MACHINE_PS1_SHOWSTATUS: "true" };
      assert.equal(prompt(script, env).stdout, " [web] [web R] [web R] [web R] [other]");
      assert.deepEqual(fixture.logged, [
        ["status", "web"],
        ["status", "other"],
      ]);
    });

    it("keeps the status of the last command for the rest of the prompt", () => {
      const env = { DOCKER_MACHINE_NAME: "web", DOCKER_MACHINE_PS1_SHOWSTATUS: "true" };
      assert.equal(prompt("(exit 3); __docker_machine_ps1_refresh; echo $?", env).stdout, "3\n");
    });
  });

  describe(`use in ${shell}`, { skip }, () => {
    it("sets up the shell, values untouched, and says for which machine", () => {
      const { stdout } = wrapped('docker-machine use --swarm alpha; printf "%s\\n" "$DOCKER_MACHINE_NAME" "$DOCKER_CERT_PATH"');
      assert.equal(stdout, "Active machine: alpha\nalpha\n/a  b\n");
      assert.deepEqual(fixture.logged, [["env", "--shell", shell, "--swarm", "alpha"]]);
    });

    it("undoes it", () => {
      const { stdout } = wrapped('docker-machine use -u; echo "[${DOCKER_MACHINE_NAME-unset}]"', { DOCKER_MACHINE_NAME: "web" });
      assert.equal(stdout, "No active machine\n[unset]\n");
    });

    it("evaluates nothing of a command that failed, and fails itself", () => {
      const { stdout } = wrapped('docker-machine use broken || echo "failed [${DOCKER_MACHINE_NAME-unset}]"');
      assert.equal(stdout, "failed [unset]\n");
    });

    it("helps, and hands everything else to the program", () => {
      assert.match(wrapped("docker-machine use --help").stdout, /^Usage: docker-machine use \[OPTIONS\]/u);
      wrapped("docker-machine ls 'a b'");
      assert.deepEqual(fixture.logged, [
        ["env", "--help"],
        ["ls", "a b"],
      ]);
    });

    it("can be done without", () => {
      wrapped("docker-machine use alpha", { DOCKER_MACHINE_WRAPPED: "false" });
      assert.deepEqual(fixture.logged, [["use", "alpha"]]);
    });
  });
}

describe("use in fish", { skip: isInstalled("fish") ? false : "fish is not installed" }, () => {
  const wrapped = (script: string, env?: Record<string, string>) =>
    fixture.run("fish", ["--no-config", "-c"], sourced("docker-machine.fish", script), env);

  it("sets up the shell, undoes it, and evaluates nothing of a command that failed", () => {
    const script = `
      docker-machine use alpha; echo $DOCKER_MACHINE_NAME $DOCKER_CERT_PATH
      docker-machine use -u; set -q DOCKER_MACHINE_NAME; or echo unset
      docker-machine use broken; or echo failed; set -q DOCKER_MACHINE_NAME; or echo unset`;
    assert.equal(wrapped(script).stdout, "Active machine: alpha\nalpha /a  b\nNo active machine\nunset\nfailed\nunset\n");
    assert.deepEqual(
      fixture.logged.map((words) => words.slice(0, 3)),
      [
        ["env", "--shell", "fish"],
        ["env", "--shell", "fish"],
        ["env", "--shell", "fish"],
      ],
    );
  });

  it("helps, hands everything else to the program, and can be done without", () => {
    assert.match(wrapped("docker-machine use").stdout, /^Usage: docker-machine use \[OPTIONS\]/u);
    wrapped("docker-machine ls 'a b'");
    wrapped("docker-machine use alpha", { DOCKER_MACHINE_WRAPPED: "false" });
    assert.deepEqual(fixture.logged, [
      ["env", "--help"],
      ["ls", "a b"],
      ["use", "alpha"],
    ]);
  });
});
