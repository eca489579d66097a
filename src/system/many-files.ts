/**
 * Many files at once. Each is whole for whoever sees it, and all of them outlive a crash of the computer together, once their
 * file system was flushed: to wait for the disk at each of a hundred thousand takes minutes.
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { explainFileError, syncDirectory } from "./files.ts";

/** The disk, and threads of the runtime that wait for it. */
const atOnce = 16;

/** Does all of it, some at a time, and throws the first that goes wrong once none is under way. */
export async function eachAtOnce<T>(all: readonly T[], work: (each: T) => Promise<void>): Promise<void> {
  const left = all.values();
  const worker = async (): Promise<void> => {
    for (const each of left) await work(each);
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnce }, worker));
  const failed = ended.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** A new file that a crash of the computer may still take. Throws `disk-full`, `store-unusable`. */
export async function writeUnflushed(file: string, text: string, mode: number): Promise<void> {
  try {
    // Nothing waits for the disk here: the way through the runtime's threads and back would cost more than the file.
    writeFileSync(file, text, { flag: "wx", mode });
  } catch (error) {
    throw explainFileError(error, file, "write");
  }
}

/** What was written into these folders, and their names in the one they are in, outlive a crash of the computer. */
export async function flushFolders(parent: string, folders: readonly string[]): Promise<void> {
  if (await flushFileSystem(parent)) return;
  await eachAtOnce(folders, async (folder) => {
    for (const name of await fs.readdir(folder)) {
      const handle = await fs.open(path.join(folder, name), "r+");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    }
    await syncDirectory(folder);
  });
  await syncDirectory(parent);
}

/** False where this system has no program for it, or one that does not wait. */
async function flushFileSystem(folder: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  return await new Promise((resolve) => execFile("sync", ["-f", folder], { env: {} }, (error) => resolve(error === null)));
}
