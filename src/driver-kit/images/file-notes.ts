/**
 * What is noted beside files of the cache when they are complete, and whether they are still so. Sizes and times are
 * looked at each time; a file whose time has changed is read, for it may have been copied with its whole cache.
 */
import * as path from "node:path";
import { factsOf, fingerprintFile } from "../../system/disk-files.ts";

export interface FileNote {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Of the content. Absent where the file is too large to be read for it. */
  readonly fingerprint?: string | undefined;
}

export type FileNotes = Readonly<Record<string, FileNote>>;

/**
 * Notes the files of these names, of those that are there.
 * @param read files of up to this many bytes get a fingerprint, for which they are read whole.
 */
export async function noteFiles(
  folder: string,
  names: readonly string[],
  signal: AbortSignal,
  read = Number.POSITIVE_INFINITY,
): Promise<FileNotes> {
  const notes: Record<string, FileNote> = {};
  for (const name of names) {
    const file = path.join(folder, name);
    const found = await factsOf(file);
    if (found === undefined) continue;
    const fingerprint = found.sizeBytes <= read ? await fingerprintFile(file, signal) : undefined;
    notes[name] = { sizeBytes: found.sizeBytes, modifiedMs: found.modifiedMs, fingerprint };
  }
  return notes;
}

/** Why a file is not as it was noted, as the end of a sentence; undefined when it is. */
export async function problemOf(
  folder: string,
  name: string,
  note: FileNote | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const file = path.join(folder, name);
  const found = await factsOf(file);
  if (found === undefined) return `${name} is missing`;
  if (found.isDirectory) return `${name} is a folder`;
  if (note !== undefined && found.sizeBytes !== note.sizeBytes)
    return `${name} has ${found.sizeBytes} bytes instead of ${note.sizeBytes}`;
  if (note?.fingerprint === undefined || found.modifiedMs === note.modifiedMs) return undefined;
  return (await fingerprintFile(file, signal)) === note.fingerprint ? undefined : `${name} was changed`;
}

/** Whether the files bear the times that were noted, so that none of them will be read again. */
export async function haveNotedTimes(folder: string, notes: FileNotes): Promise<boolean> {
  for (const [name, { modifiedMs }] of Object.entries(notes))
    if ((await factsOf(path.join(folder, name)))?.modifiedMs !== modifiedMs) return false;
  return true;
}

/** Notes out of a description that anyone may have written; undefined where there are none. Throws `TypeError` for what are none. */
export function parseNotes(value: unknown): FileNotes | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null) throw new TypeError("no notes of files");
  for (const note of Object.values(value as Record<string, Partial<FileNote> | null>)) {
    const isNote = typeof note?.sizeBytes === "number" && typeof note.modifiedMs === "number";
    if (!isNote || (note.fingerprint !== undefined && typeof note.fingerprint !== "string"))
      throw new TypeError("no note of a file");
  }
  return value as FileNotes;
}
