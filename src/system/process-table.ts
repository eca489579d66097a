/** Other processes of this computer, by pid: what they are and ending them. */
import { readdir, readFile } from "node:fs/promises";
import { systemCodeOf } from "../errors/machine-error.ts";
import type { Computer } from "./computer.ts";
import type { ProcessRunner } from "./process.ts";

export interface ProcessTable {
  /** The command line of a running process, words separated by blanks; undefined when there is none of that pid. */
  commandLine(pid: number): Promise<string | undefined>;
  /** Pids of processes whose command line holds the text. Empty where the system cannot be asked. */
  findByCommandLine(text: string): Promise<readonly number[]>;
  /** Whether a signal or a debugger holds the process still (SIGSTOP); false where the system does not tell. */
  isFrozen(pid: number): Promise<boolean>;
  /** Sends a signal. A process that is gone is no error. */
  signal(pid: number, signal: NodeJS.Signals): void;
}

const listTimeoutMs = 5_000;

export class SystemProcessTable implements ProcessTable {
  readonly #computer: Computer;
  readonly #processes: ProcessRunner;

  constructor(computer: Computer, processes: ProcessRunner) {
    this.#computer = computer;
    this.#processes = processes;
  }

  async commandLine(pid: number): Promise<string | undefined> {
    if (this.#computer.os === "linux") return await fromProc(pid);
    const [program, args] = listCommand(this.#computer.os, pid);
    const result = await this.#processes.run(program, args, { timeoutMs: listTimeoutMs });
    const line = result.stdout.toString("utf8").trim();
    return result.status === 0 && line !== "" ? line : undefined;
  }

  async findByCommandLine(text: string): Promise<readonly number[]> {
    if (this.#computer.os !== "linux") return await this.#findInList(text);
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name)).map(Number);
    const lines = await Promise.all(pids.map(async (pid) => ({ pid, line: await fromProc(pid) })));
    return lines.filter(({ line }) => line?.includes(text) ?? false).map(({ pid }) => pid);
  }

  async #findInList(text: string): Promise<readonly number[]> {
    if (this.#computer.os === "windows") return [];
    const result = await this.#processes.run("ps", ["-axww", "-o", "pid=,command="], { timeoutMs: listTimeoutMs });
    const lines = result.stdout
      .toString("utf8")
      .split("\n")
      .filter((line) => line.includes(text));
    return lines.map((line) => Number.parseInt(line, 10));
  }

  async isFrozen(pid: number): Promise<boolean> {
    if (this.#computer.os === "windows") return false;
    return /^[Tt]/u.test(this.#computer.os === "linux" ? await stateInProc(pid) : await this.#stateInList(pid));
  }

  async #stateInList(pid: number): Promise<string> {
    const result = await this.#processes.run("ps", ["-o", "state=", "-p", String(pid)], { timeoutMs: listTimeoutMs });
    return result.stdout.toString("utf8").trim();
  }

  signal(pid: number, signal: NodeJS.Signals): void {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (systemCodeOf(error) !== "ESRCH") throw error;
    }
  }
}

/** A zombie has an empty command line: it runs no more. */
async function fromProc(pid: number): Promise<string | undefined> {
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return words === "" ? undefined : words.replaceAll("\0", " ").trim();
}

/** The letter behind the program's name, which stands in parentheses and may hold anything (proc(5)). */
async function stateInProc(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2);
}

function listCommand(os: Computer["os"], pid: number): [string, string[]] {
  if (os === "darwin") return ["ps", ["-ww", "-o", "command=", "-p", String(pid)]];
  return ["powershell", ["-NoProfile", "-Command", `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`]];
}
