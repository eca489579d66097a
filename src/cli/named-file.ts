/** Files that people name on the command line, which have nothing to do with the store. */
import { constants } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { explainFileError, makePrivateDirectory, readRegularFileIfExists, writeFileAtomic } from "../system/files.ts";
import type { CliContext } from "./cli-context.ts";

/** Its text. Throws `usage` with the hint where there is no such file, and for what is none or cannot be read. */
export async function readNamedFile(file: string, hint: string | undefined, { computer }: CliContext): Promise<string> {
  const named = path.resolve(computer.cwd, file);
  const bytes = await readRegularFileIfExists(named).catch((cause: unknown) => {
    if (!isMachineError(cause, "store-unusable")) throw cause;
    throw new MachineError("usage", cause.message, { cause, hint: "Name another file, or make this one readable." });
  });
  if (bytes !== undefined) return bytes.toString("utf8");
  throw new MachineError("usage", `There is no file ${file}`, { hint });
}

/**
 * Writes it for its owner alone. What is no file, such as a pipe or a device, is written to and never replaced, and a link
 * goes on leading where it led. Throws `usage` for what cannot be written, and `disk-full`.
 */
export async function writeNamedFile(file: string, text: string, { computer }: CliContext): Promise<void> {
  const named = path.resolve(computer.cwd, file);
  try {
    const found = await fs.stat(named).catch(() => undefined);
    if (found === undefined || found.isDirectory()) await writeFileAtomic(named, text, 0o600);
    else if (found.isFile()) await writeFileAtomic(await fs.realpath(named), text, 0o600);
    else await writeInto(named, text);
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

async function writeInto(file: string, text: string): Promise<void> {
  try {
    // Without O_CREAT: what has gone meanwhile is not made anew, as a file that others may read.
    const handle = await fs.open(file, constants.O_WRONLY);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainFileError(error, file, "write");
  }
}
