/**
 * Running other programs. Arguments are always lists, never a shell line; secrets travel on standard input or through
 * a file, never in an argument or the environment.
 */
import type { ChildProcess, StdioOptions } from "node:child_process";
import { constants } from "node:fs";
import { access } from "node:fs/promises";
import * as path from "node:path";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";
import type { Computer } from "./computer.ts";

/**
 * Gives a program its input piece by piece. `write` returns once the piece has left this process, so that one piece at a
 * time is held in memory. It throws once the program reads no further; that is no failure of the run, whose status tells.
 */
export type InputFeed = (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>;

export interface RunOptions {
  /** What an {@link InputFeed} throws ends the program, and is thrown. */
  readonly stdin?: string | Uint8Array | InputFeed | undefined;
  /** Replaces the whole environment; the runner's own by default. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The program is ended (SIGTERM, SIGKILL 2 s later) when it runs longer. */
  readonly timeoutMs?: number | undefined;
  readonly onStdout?: ((chunk: Buffer) => void) | undefined;
  readonly onStderr?: ((chunk: Buffer) => void) | undefined;
}

export interface RunResult {
  /** Exit status; null when a signal ended the program. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface SpawnOptions {
  readonly stdio?: StdioOptions | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Own process group and session: survives this process. */
  readonly detached?: boolean | undefined;
}

export interface ProcessRunner {
  /** Runs to the end and collects the output. A status other than 0 is not an error here. Throws `program-missing`, `timeout`, or the signal's reason. */
  run(program: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Starts and hands over the child; the caller answers for its end. */
  spawn(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Absolute path of a program on PATH (PATHEXT on Windows), if there is one. */
  find(program: string): Promise<string | undefined>;
}

const killGraceMs = 2_000;

export class SystemProcessRunner implements ProcessRunner {
  readonly #computer: Computer;

  constructor(computer: Computer) {
    this.#computer = computer;
  }

  spawn(program: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    // Loaded when it is needed: who only asks an engine starts no program.
    return process.getBuiltinModule("node:child_process").spawn(program, [...args], {
      stdio: options.stdio ?? "inherit",
      env: { ...(options.env ?? this.#computer.env) } as NodeJS.ProcessEnv,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      detached: options.detached ?? false,
      windowsHide: true,
    });
  }

  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted();
      const child = this.spawn(program, args, {
        stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        env: options.env,
        cwd: options.cwd,
      });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let failure: unknown;
      let hasExited = false;
      // What the child started may hold its pipes open long after a child that has ended.
      const letGo = (): void => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      };
      const end = (reason: unknown): void => {
        failure ??= reason;
        if (hasExited) return letGo();
        child.kill("SIGTERM");
        setTimeout(() => child.kill("SIGKILL"), killGraceMs).unref();
      };
      const onAbort = (): void => end(options.signal?.reason);
      options.signal?.addEventListener("abort", onAbort, { once: true });
      const timer =
        options.timeoutMs === undefined
          ? undefined
          : setTimeout(
              () => end(new MachineError("timeout", `${path.basename(program)} did not end within ${options.timeoutMs} ms`)),
              options.timeoutMs,
            );
      child.stdout?.on("data", (chunk: Buffer) => {
        stdout.push(chunk);
        options.onStdout?.(chunk);
      });
      child.stderr?.on("data", (chunk: Buffer) => {
        stderr.push(chunk);
        options.onStderr?.(chunk);
      });
      // A child that does not read its input closes the pipe: its exit status tells the story, not EPIPE.
      child.stdin?.on("error", () => {});
      if (typeof options.stdin === "function") feedInput(child, options.stdin).catch(end);
      else if (options.stdin !== undefined) child.stdin?.end(options.stdin);
      const settle = (): void => {
        clearTimeout(timer);
        options.signal?.removeEventListener("abort", onAbort);
      };
      child.on("exit", () => {
        hasExited = true;
        if (failure !== undefined) letGo();
      });
      child.on("error", (error) => {
        settle();
        reject(failure ?? launchError(program, error));
      });
      child.on("close", (status, signal) => {
        settle();
        if (failure !== undefined) reject(failure);
        else resolve({ status, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) });
      });
    });
  }

  async find(program: string): Promise<string | undefined> {
    const windows = this.#computer.os === "windows";
    const endings = windows ? (this.#computer.env["PATHEXT"] ?? ".COM;.EXE;.BAT;.CMD").split(";") : [""];
    const folders = program.includes(path.sep) ? [""] : (this.#computer.env["PATH"] ?? "").split(path.delimiter);
    for (const folder of folders) {
      for (const ending of endings) {
        const candidate = path.resolve(this.#computer.cwd, folder, program + ending);
        if (await isExecutable(candidate)) return candidate;
      }
    }
    return undefined;
  }
}

/** The program has ended, or closed its input. */
class InputClosed extends Error {}

async function feedInput({ stdin }: ChildProcess, feed: InputFeed): Promise<void> {
  if (stdin === null) return;
  const write = async (bytes: Uint8Array): Promise<void> =>
    await new Promise<void>((resolve, reject) => {
      stdin.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(new InputClosed())));
    });
  try {
    await feed(write);
  } catch (error) {
    if (!(error instanceof InputClosed)) throw error;
  }
  stdin.end();
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function launchError(program: string, error: Error): unknown {
  if (systemCodeOf(error) !== "ENOENT") return error;
  return new MachineError("program-missing", `${path.basename(program)} is not installed on this computer, or not on PATH`, {
    cause: error,
  });
}
