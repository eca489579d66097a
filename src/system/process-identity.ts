/**
 * Whether a process that was noted earlier is still that process. A pid alone is reused; together with the start time
 * it names one process of one boot. Of a process of another computer nothing can be told from here.
 */
import { readFile } from "node:fs/promises";
import * as os from "node:os";
import { systemCodeOf } from "../errors/machine-error.ts";
import type { Computer } from "./computer.ts";

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot (Linux, field 22 of proc(5) stat); undefined where the system does not tell. */
  readonly startTicks?: number | undefined;
  /** Names its computer without saying which it is; undefined where it was noted for this computer alone. */
  readonly computer?: string | undefined;
}

/** Who works here, for others to read: `alice@laptop`. */
export function userHere({ userName }: Pick<Computer, "userName">): string {
  return `${userName}@${os.hostname()}`;
}

/** This process, for a note that other computers may read as well. */
export async function identifyThisProcess(): Promise<ProcessIdentity> {
  return { ...((await identifyProcess(process.pid)) ?? { pid: process.pid }), computer: await thisComputerName() };
}

/** Whether a process was noted on another computer than this one. */
export async function isElsewhere({ computer }: ProcessIdentity): Promise<boolean> {
  return computer !== undefined && computer !== (await thisComputerName());
}

let ownName: Promise<string> | undefined;

/**
 * The same from boot to boot, and another on each computer: a digest of systemd's machine-id, which is not to be told to
 * others (machine-id(5)), and of the host name, by which containers and clones with one id differ.
 */
async function thisComputerName(): Promise<string> {
  ownName ??= (async () => {
    const { createHash } = await import("node:crypto");
    const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
    return createHash("sha256").update(`docker-machine\n${id.trim()}\n${os.hostname()}`).digest("hex").slice(0, 16);
  })();
  return await ownName;
}

export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!isProcessAlive(pid)) return undefined;
  const startTicks = await readStartTicks(pid);
  return startTicks === undefined ? { pid } : { pid, startTicks };
}

/** True while the very process that was noted is running, on this computer. */
export async function isSameProcess(noted: ProcessIdentity): Promise<boolean> {
  if (await isElsewhere(noted)) return false;
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
