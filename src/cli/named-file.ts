/** Files that people name on the command line, which have nothing to do with the store. */
import * as path from "node:path";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { readRegularFileIfExists, writeFileAtomic } from "../system/files.ts";
import type { CliContext } from "./cli-context.ts";

/** Its text. Throws `usage` with the hint where there is no such file. */
export async function readNamedFile(file: string, hint: string | undefined, { computer }: CliContext): Promise<string> {
  const bytes = await readRegularFileIfExists(path.resolve(computer.cwd, file));
  if (bytes !== undefined) return bytes.toString("utf8");
  throw new MachineError("usage", `There is no file ${file}`, { hint });
}

/** Writes it for its owner alone. Throws `usage` for what cannot be written, and `disk-full`. */
export async function writeNamedFile(file: string, text: string, { computer }: CliContext): Promise<void> {
  try {
    await writeFileAtomic(path.resolve(computer.cwd, file), text, 0o600);
  } catch (cause) {
    if (!isMachineError(cause, "store-unusable")) throw cause;
    throw new MachineError("usage", cause.message, { cause, hint: "Name another file." });
  }
}
