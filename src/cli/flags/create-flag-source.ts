/** The flags of `create` for the driver that the command line names. */
import { isMachineError } from "../../errors/machine-error.ts";
import type { CreateFlag } from "../../driver-kit/create-flag.ts";
import type { Computer } from "../../system/computer.ts";
import { compatDefaultDriverName, defaultDriverName, mergeCreateFlags, sharedCreateFlagsFor } from "../create/shared-flags.ts";
import type { CliFlag } from "./flag.ts";
import { findDriverName } from "./driver-name.ts";

/** Throws `driver-not-found` for a driver that was asked for; the default one may be missing, so that help still works. */
export async function createFlagsFor(
  words: readonly string[],
  computer: Computer,
  compat: boolean,
  flagsOf: (driverName: string) => Promise<readonly CreateFlag[]>,
): Promise<readonly CliFlag[]> {
  const shared = sharedCreateFlagsFor(compat);
  const asked = findDriverName(words, shared, computer.env);
  if (asked !== undefined) return mergeCreateFlags(shared, await flagsOf(asked));
  return mergeCreateFlags(shared, await flagsOfDefault(compat, flagsOf));
}

async function flagsOfDefault(
  compat: boolean,
  flagsOf: (driverName: string) => Promise<readonly CreateFlag[]>,
): Promise<readonly CreateFlag[]> {
  try {
    return await flagsOf(compat ? compatDefaultDriverName : defaultDriverName);
  } catch (error) {
    if (isMachineError(error, "driver-not-found")) return [];
    throw error;
  }
}
