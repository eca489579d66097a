/** The user's file of `--azure-custom-data`. */
import { readFileIfExists } from "../../system/files.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { AzureConfig } from "./options.ts";

export const customDataFlag = "azure-custom-data";

/** Undefined where none was given. Throws in 0.16.2's words. */
export async function readCustomData({ CustomDataFile }: AzureConfig): Promise<Uint8Array | undefined> {
  if (CustomDataFile === "") return undefined;
  const bytes = await readFileIfExists(CustomDataFile);
  if (bytes !== undefined) return bytes;
  throw new MachineError("driver-options", `custom-data file ${CustomDataFile} could not be found`, {
    hint: `Give its path with --${customDataFlag}, or leave that out.`,
  });
}
