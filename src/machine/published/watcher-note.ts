/**
 * What a watcher tells of itself: a file in the machine's folder, for those who look whether there is one and what became
 * of which port. Information only; that there is never a second one is for its lock.
 */
import * as path from "node:path";
import type { BringOutcome, ContainerPort } from "../../driver-kit/driver.ts";
import { readRegularFileIfExists, removeFile, writeFileAtomic } from "../../system/files.ts";
import { isSameProcess, type ProcessIdentity } from "../../system/process-identity.ts";

/** In the machine's folder, as are the other two. */
const noteFile = "published.json";
export const watcherLock = "published.lock";
export const watcherLog = "published.log";

/** `inside`: it is published at an address that only the machine itself has. */
export type PortOutcome = BringOutcome | "inside";

export interface NotedPort extends ContainerPort {
  /** Names of the containers that publish it. */
  readonly containers: readonly string[];
  readonly outcome: PortOutcome;
}

export interface WatcherNote {
  /** Absent from when a command starts it until it speaks for itself. */
  readonly process?: ProcessIdentity | undefined;
  /** The name by which it knows the machine. */
  readonly machine: string;
  /** The machine's run that it watches, in the driver's word; absent as the process is. */
  readonly run?: string | undefined;
  /** Since when it has been what it is, ISO 8601 in UTC. */
  readonly since: string;
  readonly ports: readonly NotedPort[];
  /** Why the engine is not heard just now. */
  readonly trouble?: string | undefined;
}

export async function readNote(machineDir: string): Promise<WatcherNote | undefined> {
  const text = (await readRegularFileIfExists(path.join(machineDir, noteFile)).catch(() => undefined))?.toString("utf8");
  return text === undefined ? undefined : parseNote(text);
}

function parseNote(text: string): WatcherNote | undefined {
  try {
    const note = JSON.parse(text) as Partial<WatcherNote> | null;
    if (typeof note?.machine !== "string" || typeof note.since !== "string" || !Array.isArray(note.ports)) return undefined;
    return note as WatcherNote;
  } catch {
    return undefined;
  }
}

export async function writeNote(machineDir: string, note: WatcherNote): Promise<void> {
  await writeFileAtomic(path.join(machineDir, noteFile), `${JSON.stringify(note)}\n`, 0o600);
}

export async function removeNote(machineDir: string): Promise<void> {
  await removeFile(path.join(machineDir, noteFile));
}

/** Whether the watcher that noted this is there. */
export async function isThere({ process }: WatcherNote): Promise<boolean> {
  return process !== undefined && (await isSameProcess(process));
}
