/**
 * Whether a process that was noted earlier is still that process. A pid alone is reused; together with the start time
 * it names one process of one boot.
 */
import { readFile } from "node:fs/promises";
import { systemCodeOf } from "../errors/machine-error.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot (Linux, field 22 of proc(5) stat); undefined where the system does not tell. */
  readonly startTicks?: number | undefined;
}

export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!isProcessAlive(pid)) return undefined;
  const startTicks = await readStartTicks(pid);
  return startTicks === undefined ? { pid } : { pid, startTicks };
}

/** True while the very process that was noted is running. */
export async function isSameProcess(noted: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(noted.pid);
  if (now === undefined) return false;
  return noted.startTicks === undefined || now.startTicks === undefined || noted.startTicks === now.startTicks;
}

/** Whether a process of that id runs on this computer, as far as this process can see. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
}

async function readStartTicks(pid: number): Promise<number | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything; fields are counted behind it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z") return -1;
  return Number(fields[19]);
}
