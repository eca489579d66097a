/** Running the programs that the lab is made of, with their own words in the error when they fail. */
import type { ChildProcess } from "node:child_process";
import { access } from "node:fs/promises";
import * as path from "node:path";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner, type RunOptions, type RunResult, type SpawnOptions } from "../../src/system/process.ts";

const computer = thisComputer();
// Without a login shell, root's PATH may lack the folders where dockerd, ip and iptables are.
export const commandEnvironment: NodeJS.ProcessEnv = {
  ...computer.env,
  PATH: `${computer.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`,
};
const runner = new SystemProcessRunner({ ...computer, env: commandEnvironment });

/** Runs to the end, whatever the status. */
export function tryCommand(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return runner.run(program, args, { timeoutMs: 60_000, env: commandEnvironment, ...options });
}

/** Runs and returns standard output without its last newline. Throws with the program's last words when it fails. */
export async function command(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryCommand(program, args, options);
  if (result.status === 0) return result.stdout.toString().trimEnd();
  const words = lastLines(`${result.stdout.toString()}\n${result.stderr.toString()}`, 12);
  throw new Error(`${program} ${args[0] ?? ""} failed (${result.signal ?? `status ${result.status}`}):\n${words}`);
}

/** Starts a program that the caller ends. */
export function startCommand(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  return runner.spawn(program, args, { env: commandEnvironment, ...options });
}

/** Where a program is, or a file given by its path; undefined when it is not installed. */
export async function findProgram(program: string): Promise<string | undefined> {
  if (!path.isAbsolute(program)) return await runner.find(program);
  return await access(program).then(
    () => program,
    () => undefined,
  );
}

export function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}
