/** PowerShell, a process for each step: what it answers, and what its errors mean. */
import * as path from "node:path";
import { CliTool } from "../../driver-kit/cli-tool.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { failureError } from "../../driver-kit/provider-error.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { failures, fullDisk } from "./failures.ts";
import { powershellArguments, type Script } from "./script.ts";

/** A number of cmdlets of which none works long. */
const questionMs = 60_000;

/** What Windows takes as one command line (CreateProcess). */
const longestArgument = 32_000;

/** An object of an answer, as far as it was asked for. */
export type Fields = Readonly<Record<string, unknown>>;

/** By the variable's name; nothing where PowerShell had nothing. */
export type Answers = Readonly<Record<string, readonly unknown[]>>;

export class PowerShell {
  readonly #tool: CliTool;
  readonly #machineName: string;

  constructor({ processes, clock, computer, machineName }: DriverContext) {
    const windows = computer.env["SystemRoot"] ?? "C:\\Windows";
    this.#machineName = machineName;
    this.#tool = new CliTool(
      {
        title: "PowerShell",
        programs: ["powershell", path.win32.join(windows, "System32\\WindowsPowerShell\\v1.0\\powershell"), "pwsh"],
        installHint: "It is part of Windows; put C:\\Windows\\System32\\WindowsPowerShell\\v1.0 back on PATH.",
        failures,
        // What ends a script before it begins; all else is in its answer.
        errorIn: (line) => /\w*ConstrainedLanguage\w*/u.exec(line)?.[0],
      },
      { processes, clock },
    );
  }

  /** Throws `program-missing`, in 0.16.2's words. */
  async require(): Promise<void> {
    try {
      await this.#tool.program();
    } catch (error) {
      if (!isMachineError(error, "program-missing")) throw error;
      throw new MachineError("program-missing", "Powershell was not found in the path", { cause: error, hint: error.hint });
    }
  }

  /** Throws what the table makes of a failure, `disk-full`, `timeout`, or the signal's reason. */
  async run(script: Script, signal: AbortSignal, timeoutMs: number = questionMs): Promise<Answers> {
    const args = powershellArguments(script);
    if ((args.at(-1) ?? "").length > longestArgument)
      throw new MachineError("driver-failed", "The paths of this machine are too long for a command line of Windows", {
        hint: "Choose a shorter place for the store with --storage-path.",
      });
    const { stdout } = await this.#tool.run(args, { timeoutMs, signal, facts: { name: this.#machineName } });
    return this.#read(stdout);
  }

  #read(stdout: string): Answers {
    const line = stdout.trim().split(/\r?\n/u).at(-1) ?? "";
    const answer = parseObject(line);
    if (answer === undefined) throw this.#failed("", `PowerShell answered ${JSON.stringify(line.slice(0, 200))}`);
    const error = answer["error"] as Fields | undefined;
    if (error !== undefined) throw this.#failed(textOf(error["id"]).split(",")[0] ?? "", textOf(error["message"]));
    return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, listOf(value)]));
  }

  #failed(code: string, message: string): MachineError {
    if (fullDisk.test(message))
      return new MachineError("disk-full", `Hyper-V could not write the disk of "${this.#machineName}": no space left`, {
        hint: "Free some space there, or choose another store with --storage-path.",
      });
    const kind = code === "" ? "server" : "invalid";
    return failureError("Hyper-V", { kind, code, message }, failures, { name: this.#machineName });
  }
}

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** A list, the one element of one, or PowerShell 5.1's object of a list and its length. */
function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.filter((one) => one !== null);
  if (value === null || value === undefined) return [];
  const wrapped = value as { readonly value?: unknown; readonly Count?: unknown };
  return typeof wrapped === "object" && Array.isArray(wrapped.value) && typeof wrapped.Count === "number"
    ? listOf(wrapped.value)
    : [value];
}

/** A field of an answer, which may be null, a number or a text. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** Whether an answer is True, of whatever kind the value is. */
export function isTrue(answers: Answers, name: string): boolean {
  return (answers[name] ?? []).some((value) => value === true || value === "True");
}
