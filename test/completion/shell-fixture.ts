/**
 * A folder in which a shell finds a `docker-machine` that answers completion as ours does and writes every other
 * command line into a log; a store with machines; and a way to type at the shell on a terminal.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { programUnderTest } from "../golden/replay.ts";

export const completionsDir = path.resolve("completions");
const programWords = programUnderTest()
  .map((word) => `'${word}'`)
  .join(" ");
const limitMs = 60_000;

/** Where a prompt ends; the next line is typed then. */
const prompt = "ready> ";

/** What its user has in the shell's start-up file, before and after the shell's own completion is there. */
interface StartUp {
  readonly before?: string;
  readonly after?: string;
}

interface InteractiveShell {
  readonly rcFile: string;
  readonly command: string;
  readonly setPrompt: string;
  /** Where the shell's own completion is there by itself, there is nothing to do. */
  readonly startCompletion: string;
}

const interactiveShells: Readonly<Record<string, InteractiveShell>> = {
  bash: {
    rcFile: "rc",
    command: "bash --noprofile --rcfile rc -i",
    setPrompt: `PS1='${prompt}'`,
    startCompletion: "source /usr/share/bash-completion/bash_completion",
  },
  zsh: {
    rcFile: ".zshrc",
    command: "zsh -d -i",
    setPrompt: `PS1='${prompt}'`,
    startCompletion: "autoload -Uz compinit && compinit -u -D",
  },
  fish: {
    rcFile: "rc",
    command: "fish -i -C 'source rc'",
    setPrompt: `function fish_prompt; echo -n '${prompt}'; end`,
    startCompletion: "",
  },
};

export function isInstalled(program: string): boolean {
  return spawnSync(program, ["-c", "exit 0"]).status === 0;
}

/** Sources files of completions/. */
export function sourced(files: readonly string[]): string {
  return files.map((file) => `source ${path.join(completionsDir, file)}`).join("\n");
}

export class ShellFixture {
  readonly folder = mkdtempSync(path.join(tmpdir(), "docker-machine-shell-"));
  readonly #log = path.join(this.folder, "log");

  constructor() {
    for (const name of ["alpha", "beta2", "beta10"]) {
      mkdirSync(path.join(this.folder, "store/machines", name), { recursive: true });
      writeFileSync(path.join(this.folder, "store/machines", name, "config.json"), "{}");
    }
    mkdirSync(path.join(this.folder, "bin"));
    writeFileSync(path.join(this.folder, "localfile.txt"), "");
    this.#writeProgram();
  }

  /** `env` of a machine named broken fails; `env -u` and others print what the shell is to evaluate. */
  #writeProgram(): void {
    const program = path.join(this.folder, "bin/docker-machine");
    writeFileSync(
      program,
      `#!/bin/sh
case $1 in
  __complete | completion) exec ${programWords} "$@" ;;
esac
for word; do printf '%s\\037' "$word"; done >>'${this.#log}'
echo >>'${this.#log}'
case $* in
  status*) echo Running ;;
  env*broken*) echo 'export DOCKER_MACHINE_NAME="broken"'; exit 1 ;;
  env*--help*) echo 'Usage: docker-machine env [OPTIONS] [arg...]' ;;
  env*fish*-u*) echo 'set -e DOCKER_MACHINE_NAME;' ;;
  env*fish*) echo 'set -gx DOCKER_MACHINE_NAME "alpha";'; echo '# Run this'; echo 'set -gx DOCKER_CERT_PATH "/a  b";' ;;
  env*-u*) echo 'unset DOCKER_MACHINE_NAME' ;;
  env*) echo 'export DOCKER_MACHINE_NAME="alpha"'; echo '# Run this'; echo 'export DOCKER_CERT_PATH="/a  b"' ;;
esac
`,
    );
    chmodSync(program, 0o755);
  }

  get #env(): Record<string, string> {
    return {
      PATH: `${path.join(this.folder, "bin")}:${process.env["PATH"] ?? ""}`,
      HOME: this.folder,
      ZDOTDIR: this.folder,
      MACHINE_STORAGE_PATH: path.join(this.folder, "store"),
      NODE_NO_WARNINGS: "1",
      LANG: "C.UTF-8",
      TERM: "xterm",
    };
  }

  /** The command lines that were logged, as lists of words. */
  get logged(): string[][] {
    if (!existsSync(this.#log)) return [];
    const lines = readFileSync(this.#log, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => line.split("\u001f").slice(0, -1));
  }

  /** Runs a script in the shell, without a terminal. */
  run(shell: string, args: readonly string[], script: string, env: Record<string, string> = {}): SpawnSyncReturns<string> {
    return spawnSync(shell, [...args, script], {
      cwd: this.folder,
      encoding: "utf8",
      env: { ...this.#env, ...env },
      timeout: limitMs,
    });
  }

  /** Starts an interactive shell and types the lines, each at its own prompt. */
  async type(shell: string, { before = "", after = "" }: StartUp, lines: readonly string[]): Promise<void> {
    const known = interactiveShells[shell];
    assert.ok(known);
    const rc = [known.setPrompt, before, known.startCompletion, after, ""].join("\n");
    writeFileSync(path.join(this.folder, known.rcFile), rc);
    const child = spawn("script", ["-qec", known.command, "/dev/null"], { cwd: this.folder, env: this.#env, timeout: limitMs });
    const left = [...lines, "exit"];
    let shown = "";
    child.stdout.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      if (!shown.includes(prompt)) return;
      shown = "";
      const line = left.shift();
      if (line !== undefined) child.stdin.write(`${line}\r`);
    });
    child.stdin.on("error", () => {});
    await new Promise((resolve) => child.once("close", resolve));
    assert.deepEqual(left, [], `${shell} ended early`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
