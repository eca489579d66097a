/** Files that people name on the command line, which have nothing to do with the store. */
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { isMachineError, MachineError, systemCodeOf } from "../errors/machine-error.ts";
import { systemClock } from "../system/clock.ts";
import { explainFileError, makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../system/files.ts";
import { poll } from "../system/waiting.ts";
import type { CliContext } from "./cli-context.ts";

/** Its text. Throws `usage` for what is there and is no file, and, with the hint, where there is nothing. */
export async function readNamedFile(file: string, hint: string | undefined, context: CliContext): Promise<string> {
  return (await readNamedBytes(file, hint, context)).toString("utf8");
}

/** As {@link readNamedFile}, for what may be no text. */
export async function readNamedBytes(file: string, hint: string | undefined, { computer }: CliContext): Promise<Buffer> {
  if (file === "") throw new MachineError("usage", "The name of the file is empty", { hint });
  const named = path.resolve(computer.cwd, file);
  const bytes = await readRegularFileIfExists(named).catch(async (cause: unknown) => {
    if (!isMachineError(cause, "store-unusable")) throw cause;
    const found = await fs.stat(named).catch(() => undefined);
    if (found?.isDirectory() === true) throw noFile(`${file} is a folder`, "Name the file in it.", cause);
    if (found?.isFile() === false)
      throw noFile(`${file} is a pipe or a device, not a file`, "Save as a file what comes out of it, and name that.", cause);
    throw noFile(cause.message, "Check its owner and its permissions.", cause);
  });
  if (bytes === undefined) throw noFile(await sentenceOfNothing(file, named), hint);
  return bytes;
}

function noFile(sentence: string, hint: string | undefined, cause?: unknown): MachineError {
  return new MachineError("usage", sentence, { cause, hint });
}

/** A link is there, and what it leads to is not. */
async function sentenceOfNothing(file: string, named: string): Promise<string> {
  const target = await fs.readlink(named).catch(() => undefined);
  return target === undefined ? `There is no file ${file}` : `${file} is a link to ${target}, which is not there`;
}

/**
 * Writes it for its owner alone. What is no file, such as a pipe or a device, is written to and never replaced, and a link
 * goes on leading where it led. Throws `usage` for what cannot be written, and `disk-full`.
 */
export async function writeNamedFile(file: string, text: string, { computer, signal }: CliContext): Promise<void> {
  const named = path.resolve(computer.cwd, file);
  try {
    const found = await fs.stat(named).catch(() => undefined);
    if (found === undefined || found.isDirectory()) await writeFileAtomic(named, text, 0o600);
    else if (found.isFile()) await writeFileAtomic(await fs.realpath(named), text, 0o600);
    else await writeInto(named, text, found.isFIFO() ? "pipe" : "device", signal);
  } catch (cause) {
    if (!isMachineError(cause, "store-unusable")) throw cause;
    throw new MachineError("usage", cause.message, { cause, hint: "Name another file." });
  }
}

/** Makes it, for its owner alone, where there is none. Throws `usage` for what cannot be made, and `disk-full`. */
export async function makeNamedFolder(folder: string, { computer }: CliContext): Promise<void> {
  try {
    await makePrivateDirectory(path.resolve(computer.cwd, folder));
  } catch (cause) {
    if (!isMachineError(cause, "store-unusable")) throw cause;
    throw new MachineError("usage", cause.message, { cause, hint: "Name another folder." });
  }
}

/** Without O_CREAT: what has gone meanwhile is not made anew, as a file that others may read. And nothing of it blocks, so that it can be interrupted. */
const flags = constants.O_WRONLY | (constants.O_NONBLOCK ?? 0);
const pauseMs = 50;

/** A pipe is waited for until somebody reads it. */
async function writeInto(file: string, text: string, kind: "pipe" | "device", signal: AbortSignal): Promise<void> {
  try {
    const patience = { ms: Number.POSITIVE_INFINITY, clock: systemClock, signal };
    const handle = await poll(
      patience,
      pauseMs,
      async () => await unless(kind === "pipe" ? "ENXIO" : "", fs.open(file, flags)),
      "",
    );
    try {
      let left = Buffer.from(text);
      while (left.length > 0) {
        const rest = left;
        const { bytesWritten } = await poll(patience, pauseMs, async () => await unless("EAGAIN", handle.write(rest)), "");
        left = left.subarray(bytesWritten);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCodeOf(error) === "EPIPE") throw noFile(`Whoever read ${file} has gone before its end`, undefined, error);
    if (systemCodeOf(error) === "ENXIO") throw noFile(`Cannot write ${file}: nobody is there`, undefined, error);
    throw explainFileError(error, file, "write");
  }
}

/** Undefined where the work fails with that code, and is to be tried again. */
async function unless<T>(code: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (systemCodeOf(error) === code) return undefined;
    throw error;
  }
}
