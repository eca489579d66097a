/** The POSIX shells of this computer, and an executor that runs commands in one of them instead of on a host. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import type { SshExecutor, SshResult, SshRunOptions } from "../../src/ssh/executor.ts";

const candidates: readonly (readonly [string, ...string[]])[] = [["dash"], ["bash"], ["busybox", "ash"]];
const installed = candidates.filter(([program]) => spawnSync(program, ["-c", ":"], { stdio: "ignore" }).error === undefined);

/** Every one that is installed; at least `sh`, which is everywhere. */
export const shells: readonly (readonly [string, ...string[]])[] = installed.length > 0 ? installed : [["sh"]];

export function runShell(
  shell: readonly string[],
  script: string,
  input = "",
  env: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  const [program = "sh", ...args] = shell;
  return spawnSync(program, [...args, "-c", script], {
    input,
    encoding: "utf8",
    timeout: 20_000,
    env: { ...process.env, ...env },
  });
}

/** A host that is this computer: what a script may do here is up to the test. */
export class LocalExecutor implements SshExecutor {
  readonly commands: string[] = [];
  readonly #env: Readonly<Record<string, string>>;
  readonly #runner = new SystemProcessRunner(thisComputer());

  readonly #loginShell: string;

  constructor(env: Readonly<Record<string, string>> = {}, loginShell = "sh") {
    this.#env = env;
    this.#loginShell = loginShell;
  }

  get roundTrips(): number {
    return this.commands.length;
  }

  async run(command: string, options: SshRunOptions = {}): Promise<SshResult> {
    this.commands.push(command);
    const result = await this.#runner.run(this.#loginShell, ["-c", command], {
      ...options,
      env: { ...process.env, ...this.#env },
    });
    return { status: result.status ?? 255, stdout: result.stdout, stderr: result.stderr };
  }

  session(): Promise<number> {
    throw new Error("a local executor has no sessions");
  }

  async connect(): Promise<void> {}

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
