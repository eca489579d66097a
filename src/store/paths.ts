/** Where things are in a store. Knows names of folders and nothing of their contents; does no I/O. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type { Computer } from "../system/computer.ts";

/** Where a record stands: facts that old versions of config.json lack. */
export interface RecordPlace {
  /** The machine's name: its folder's, whatever the text says. */
  readonly name: string;
  /** Absolute path of the store. */
  readonly storeRoot: string;
}

export const recordFileName = "config.json";

/** In the store's root: says that it is a team's, and where the others' is. */
export const teamFileName = "team.json";

/** Beside config.json: what 0.16.2 drops when it saves that. */
export const keptFileName = "kept.json";

/**
 * The store's root as an absolute path: `--storage-path` or MACHINE_STORAGE_PATH (the caller passes whichever was given),
 * else `.docker/machine` in the home directory. Throws `store-unusable` when there is neither.
 */
export function resolveStoreRoot(computer: Pick<Computer, "homeDir" | "cwd" | "os">, given: string | undefined): string {
  if (given !== undefined && given !== "") return path.resolve(computer.cwd, given);
  if (computer.homeDir !== undefined) return path.resolve(computer.cwd, computer.homeDir, ".docker", "machine");
  const variable = computer.os === "windows" ? "USERPROFILE" : "HOME";
  throw new MachineError("store-unusable", `Cannot tell where the machines are stored: ${variable} is not set`, {
    hint: `Set ${variable}, or name the folder with --storage-path or MACHINE_STORAGE_PATH.`,
  });
}

/** `removed` holds machines that are gone but whose instance could still appear at its provider; 0.16.2 never looks there. */
export type MachinesFolder = "machines" | "removed";

export function machinesDirOf(storeRoot: string, folder: MachinesFolder = "machines"): string {
  return path.join(storeRoot, folder);
}

export function machineDirOf(storeRoot: string, name: string, folder: MachinesFolder = "machines"): string {
  return path.join(machinesDirOf(storeRoot, folder), name);
}

export function certsDirOf(storeRoot: string): string {
  return path.join(storeRoot, "certs");
}

export function cacheDirOf(storeRoot: string): string {
  return path.join(storeRoot, "cache");
}

/** Beside `machines/` and not in it: whoever lists that folder, 0.16.2 among them, takes each entry for a machine. */
export function locksDirOf(storeRoot: string): string {
  return path.join(storeRoot, "locks");
}

/** The lock of a machine. Without case, so that names which are one on some file systems have one lock. */
export function machineLockOf(storeRoot: string, name: string): string {
  return path.join(locksDirOf(storeRoot), `machine-${name.toLowerCase()}.lock`);
}

/** The machine of a lock's file name, as far as its case is known. */
export function machineOfLock(fileName: string): string | undefined {
  return /^machine-(.+)\.lock$/u.exec(fileName)?.[1];
}

/** As a machine's, without case. */
export function fleetLockOf(storeRoot: string, fleet: string): string {
  return path.join(locksDirOf(storeRoot), `fleet-${fleet.toLowerCase()}.lock`);
}

export function certificatesLockOf(storeRoot: string): string {
  return path.join(locksDirOf(storeRoot), "certificates.lock");
}

/** The store that a machine's folder belongs to. */
export function storeRootOf(machineDir: string): string {
  return path.dirname(path.dirname(machineDir));
}

/**
 * Whether a name is one folder directly in `machines/`. Weaker than what `create` asks of a name, because stores hold
 * names that older versions allowed.
 */
export function isFolderName(name: string): boolean {
  return name !== "" && !name.startsWith(".") && !/[/\\\0]/u.test(name);
}
