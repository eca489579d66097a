/** Exit codes, decided here alone. */
import type { ErrorCode } from "../errors/codes.ts";
import { isMachineError } from "../errors/machine-error.ts";
import { SeveralFailedError } from "../machine/many.ts";
import { FlagError } from "./usage-error.ts";

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** With `--detailed-exitcode`, where no error is 2. */
  differs: 2,
  preCreateCheck: 3,
  machineNotFound: 4,
  interrupted: 130,
} as const;

export const codesOfErrors: Partial<Record<ErrorCode, number>> = {
  usage: exitCodes.usage,
  "pre-create-check": exitCodes.preCreateCheck,
  "machine-not-found": exitCodes.machineNotFound,
  "nothing-selected": exitCodes.machineNotFound,
  interrupted: exitCodes.interrupted,
};

/** What 0.16.2 gives: it knows no code of its own for usage errors and missing machines. */
const compatCodesOfErrors: Partial<Record<ErrorCode, number>> = {
  "pre-create-check": exitCodes.preCreateCheck,
  interrupted: exitCodes.interrupted,
};

/** How a command's exit status is told. */
export interface ExitRules {
  readonly compat: boolean;
  /** The command that was found on the command line, if any. */
  readonly commandName: string | undefined;
  /** 2 says that something differs: every error is 1. */
  readonly detailed: boolean;
}

/** The flag of commands that tell by their exit status whether something differs. */
export const detailedExitCode = "detailed-exitcode";

/** Whether `--detailed-exitcode` is among the words, which may be wrong in something else. */
export function asksForDetails(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end === -1 ? words.length : end).some((word) => /^--?detailed-exitcode(?:=(?:1|t|true))?$/iu.test(word));
}

export function exitCodeOfError(error: unknown, { compat, commandName, detailed }: ExitRules): number {
  if (!isMachineError(error)) return exitCodes.failure;
  // Work on many machines that was stopped: some may have failed by themselves before, or have ended well.
  if (error instanceof SeveralFailedError && error.failed.some((each) => isMachineError(each.error, "interrupted")))
    return exitCodes.interrupted;
  if (detailed) return error.code === "interrupted" ? exitCodes.interrupted : exitCodes.failure;
  if (compat && error instanceof FlagError) return commandName === "create" ? exitCodes.failure : exitCodes.ok;
  return (compat ? compatCodesOfErrors : codesOfErrors)[error.code] ?? exitCodes.failure;
}

/** The exit code for what a command's `run` gave: for `ssh` the remote status, which 0.16.2 collapses to 1; for `with` the program's. */
export function exitCodeOfResult(result: number | void, { compat, commandName, detailed }: ExitRules): number {
  const status = result ?? exitCodes.ok;
  return compat && status !== exitCodes.ok && commandName !== "with" && !detailed ? exitCodes.failure : status;
}
