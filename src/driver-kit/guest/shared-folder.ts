/** Folders of this computer that a guest on it shows. */
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf } from "../../system/disk-files.ts";

/** Throws `driver-options` where it is not there, or is no folder. */
export async function requireSharedFolder(folder: string): Promise<void> {
  if ((await factsOf(folder))?.isDirectory !== true)
    throw new MachineError("driver-options", `The folder to share does not exist: ${folder}`);
}
