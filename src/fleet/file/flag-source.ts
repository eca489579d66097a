/** Where a fleet's file gets the create flags from, whose words are its keys: given by whoever knows the tables. */
import type { CreateFlag, DriverOptions, FlagValue } from "../../driver-kit/create-flag.ts";

export type FileFlag = CreateFlag & {
  /** The only values allowed. */
  readonly choices?: readonly string[] | undefined;
};

export interface FlagSource {
  /** All flags of `create` for a driver, shared ones among them. Throws `driver-not-found`. */
  flagsOf(driverName: string): Promise<readonly FileFlag[]>;
  /** The driver that has a flag, or undefined. */
  ownerOf(flag: string): Promise<string | undefined>;
  /** Names of all drivers here, plugins among them. */
  driverNames(): Promise<readonly string[]>;
  /** What `create` would be given: these values, and of other flags what the environment says, else their defaults. */
  optionsFor(driverName: string, values: Readonly<Record<string, FlagValue>>): Promise<DriverOptions>;
  /** For `${NAME}` in values. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Flags that a file has no use for, and those that it has under another key. */
export const flagsNotInFiles: ReadonlySet<string> = new Set(["driver", "profile", "dry-run", "help", "parallel"]);
