/**
 * A hypervisor's own program: found where vendors put it, run one call at a time where it must be, its failures told by a
 * table. Some of these programs end with status 0 after an error, or with another after success, so what counts as a
 * failure is the status or a line of standard error.
 */
import { MachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { lockFile } from "../system/file-lock.ts";
import type { ProcessRunner, RunOptions, RunResult } from "../system/process.ts";
import { failureError, type Facts, type FailureRow } from "./provider-error.ts";

export interface CliToolOptions {
  /** As sentences call it: `VBoxManage`. */
  readonly title: string;
  /** Names on PATH, or absolute paths, in the order they are tried. */
  readonly programs: readonly string[];
  /** How it is got where none of them is there. */
  readonly installHint: string;
  /** What its errors mean; matched on the words of the error line. */
  readonly failures: readonly FailureRow[];
  /** Whether a line of standard error says that the call failed; the part of it that says why, or undefined. */
  readonly errorIn?: ((line: string) => string | undefined) | undefined;
  /** The program's own code of a failure, out of all that it printed; the table's rows may go by it. */
  readonly codeIn?: ((stderr: string) => string | undefined) | undefined;
  /** Where calls of all processes wait for each other, for programs that bear only one at a time. Its folder must exist. */
  readonly lockPath?: string | undefined;
  /** Bound on waiting for that lock. */
  readonly lockMs?: number | undefined;
}

export interface CliToolContext {
  readonly processes: ProcessRunner;
  readonly clock: Clock;
  /** The environment for the program, where it is not this program's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface CliCall {
  /** Bound on the call in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly stdin?: RunOptions["stdin"];
  /** What the sentences of the table may name. */
  readonly facts?: Facts | undefined;
}

export interface CliAnswer {
  readonly stdout: string;
  readonly stderr: string;
}

const defaultLockMs = 600_000;

export class CliTool {
  readonly #options: CliToolOptions;
  readonly #context: CliToolContext;
  #program: Promise<string> | undefined;

  constructor(options: CliToolOptions, context: CliToolContext) {
    this.#options = options;
    this.#context = context;
  }

  /** The program that is called. Throws `program-missing`. */
  async program(): Promise<string> {
    this.#program ??= this.#find();
    return await this.#program;
  }

  /** Throws `program-missing`, what the table makes of a failure (`ProviderError`), `timeout`, or the signal's reason. */
  async run(args: readonly string[], call: CliCall): Promise<CliAnswer> {
    const { lockPath, title, lockMs = defaultLockMs } = this.#options;
    if (lockPath === undefined) return await this.#call(args, call);
    const { clock } = this.#context;
    await using _lock = await lockFile(lockPath, {
      what: title,
      purpose: `call ${title}`,
      waitMs: lockMs,
      signal: call.signal,
      clock,
    });
    return await this.#call(args, call);
  }

  async #call(args: readonly string[], { timeoutMs, signal, stdin, facts }: CliCall): Promise<CliAnswer> {
    const program = await this.program();
    const { env } = this.#context;
    const result = await this.#context.processes.run(program, args, { timeoutMs, signal, stdin, env });
    const answer = { stdout: result.stdout.toString("utf8"), stderr: result.stderr.toString("utf8") };
    const words = this.#failureIn(result, answer);
    if (words === undefined) return answer;
    const { title, failures, codeIn } = this.#options;
    const failure = { kind: "invalid", code: codeIn?.(answer.stderr) ?? "", message: words } as const;
    throw failureError(title, failure, failures, { call: args[0], ...facts });
  }

  /** The words that say why; undefined where the call did what it should. */
  #failureIn({ status, signal }: RunResult, { stdout, stderr }: CliAnswer): string | undefined {
    const lines = stderr.split(/\r?\n/u).filter((line) => line.trim() !== "");
    const { errorIn = () => undefined } = this.#options;
    const errors = lines.flatMap((line) => errorIn(line) ?? []);
    if (errors.length > 0) return errors.join(" ");
    if (status === 0) return undefined;
    const last = lines.at(-1) ?? stdout.trim().split("\n").at(-1) ?? "";
    if (last !== "") return last;
    return status === null ? `it was ended by ${signal ?? "a signal"}` : `it ended with status ${status}`;
  }

  async #find(): Promise<string> {
    const { programs, title, installHint } = this.#options;
    for (const program of programs) {
      const found = await this.#context.processes.find(program);
      if (found !== undefined) return found;
    }
    throw new MachineError("program-missing", `${title} is not installed on this computer, or not on PATH`, {
      hint: installHint,
    });
  }
}
