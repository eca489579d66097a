/** Files that people name on the command line, which have nothing to do with the store. */
import * as path from "node:path";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { writeFileAtomic } from "../system/files.ts";
import type { CliContext } from "./cli-context.ts";

/** Writes it for its owner alone. Throws `usage` for what cannot be written, and `disk-full`. */
export async function writeNamedFile(file: string, text: string, { computer }: CliContext): Promise<void> {
  try {
    await writeFileAtomic(path.resolve(computer.cwd, file), text, 0o600);
  } catch (cause) {
    if (!isMachineError(cause, "store-unusable")) throw cause;
    throw new MachineError("usage", cause.message, { cause, hint: "Name another file." });
  }
}
