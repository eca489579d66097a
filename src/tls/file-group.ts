/**
 * Several files that are only right together, changed as one. First all of them are written into one file, durably;
 * from then on the change has happened, and whoever comes next finishes copying them to their places. Writers hold a
 * lock; readers hold none and look into that file first.
 */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { makePrivateDirectory, readRegularFileIfExists, removeFile, syncDirectory, writeFileAtomic } from "../system/files.ts";

export interface GroupedFile {
  readonly path: string;
  readonly text: string;
  /** Permissions of the file. */
  readonly mode: number;
}

const logMode = 0o600;

/** Changes all files or, if the process ends early, none or all of them by the next {@link finishGroup}. */
export async function writeGroup(logFile: string, files: readonly GroupedFile[]): Promise<void> {
  await makePrivateDirectory(path.dirname(logFile));
  await writeFileAtomic(logFile, JSON.stringify({ files }), logMode);
  await applyGroup(logFile, files);
}

/** Completes a change that was cut off. */
export async function finishGroup(logFile: string): Promise<void> {
  const files = await readLog(logFile);
  if (files !== undefined) await applyGroup(logFile, files);
}

async function applyGroup(logFile: string, files: readonly GroupedFile[]): Promise<void> {
  for (const file of files) {
    await makePrivateDirectory(path.dirname(file.path));
    await writeFileAtomic(file.path, file.text, file.mode);
  }
  await removeFile(logFile);
  await syncDirectory(path.dirname(logFile));
}

export interface GroupReading {
  /** The texts by path, as they belong together; undefined for a file that does not exist. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  /** A change is being made, or was cut off and waits to be finished. */
  readonly isPending: boolean;
}

/** Reads files of one group without a lock, all of them from before or from after a change. */
export async function readGroup(logFile: string, paths: readonly string[]): Promise<GroupReading> {
  for (;;) {
    const pending = await readLog(logFile);
    const found = await Promise.all(paths.map(readText));
    // A change that began in between shows itself now; one that had begun is taken from its log.
    if (pending === undefined && (await readLog(logFile)) !== undefined) continue;
    const newTextOf = (file: string): string | undefined => pending?.find((candidate) => candidate.path === file)?.text;
    return {
      texts: new Map(paths.map((file, index) => [file, newTextOf(file) ?? found[index]])),
      isPending: pending !== undefined,
    };
  }
}

async function readLog(logFile: string): Promise<readonly GroupedFile[] | undefined> {
  const text = await readText(logFile);
  if (text === undefined) return undefined;
  try {
    return (JSON.parse(text) as { files: GroupedFile[] }).files;
  } catch (error) {
    throw new MachineError("certificate-invalid", `${logFile} is damaged`, {
      cause: error,
      hint: "It holds certificates that were being written. Move it away and run the command again.",
    });
  }
}

async function readText(file: string): Promise<string | undefined> {
  return (await readRegularFileIfExists(file))?.toString("utf8");
}
