/**
 * Machines of a store that was moved, copied or restored elsewhere, and machines whose folder got another name. Paths under the old place that lead nowhere, or where
 * we may not read, are taken from the store in use, in memory; `config relocate` writes them down.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import type { HostRecord } from "../../store/host-record.ts";
import { machineDirOf } from "../../store/paths.ts";
import {
  formerMachineDir,
  formerStoreRoot,
  pathsIn,
  withMachineName,
  withPaths,
  type MovedPath,
} from "../../store/relocation.ts";
import { isReadable } from "../../system/disk-files.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";

/** The record with paths that lead somewhere, as far as there are such. What can be read at the old place is left there. */
export async function readWhereItStands(record: HostRecord, storeRoot: string): Promise<HostRecord> {
  const formerRoot = formerStoreRoot(record, storeRoot);
  if (formerRoot === undefined) return await readUnderItsName(record, storeRoot);
  // What says where the record was made stays, for as long as not all of it is written down anew.
  const paths = pathsIn(record, formerRoot, storeRoot).filter(({ from }) => from !== record.hostOptions.AuthOptions.StorePath);
  const moved = await Promise.all(paths.map(async (each) => ((await isMoved(each)) ? [each] : [])));
  return withPaths(record, moved.flat());
}

/** The record of a machine whose folder has another name than it says, because a rename was cut off, or it was done by hand. */
async function readUnderItsName(record: HostRecord, storeRoot: string): Promise<HostRecord> {
  const formerDir = formerMachineDir(record, storeRoot);
  // A folder that was copied leaves a machine there that goes on to have the name.
  if (formerDir === undefined || (await isReadable(formerDir))) return record;
  const moved = withPaths(record, pathsIn(record, formerDir, machineDirOf(storeRoot, record.name)));
  return withMachineName(moved, path.basename(formerDir), record.name);
}

async function isMoved({ from, to }: MovedPath): Promise<boolean> {
  return !(await isReadable(from)) && (await isReadable(to));
}

/** What `config relocate` did with one machine's record. */
export interface Relocation {
  readonly name: string;
  /** The store that it named until now; undefined where that is the one in use. */
  readonly from?: string | undefined;
  /** Paths that it names still, because nothing is in their place in the store in use. */
  readonly left: readonly string[];
}

/** Writes the paths of the store in use into a machine's record. Throws `machine-not-found`, `record-unreadable`. */
export async function relocateMachine(context: MachineContext, name: string, signal: AbortSignal): Promise<Relocation> {
  await using _lock = await lockMachine(context, name, "config relocate", signal);
  const { store } = context;
  const record = await store.load(name);
  const from = formerStoreRoot(record, store.root);
  if (from === undefined) return { name, left: [] };
  const dir = store.machineDir(name);
  const moves = await Promise.all(
    pathsIn(record, from, store.root).map(async (each) => {
      // Its own folder is where the record is, and what will be made there is named already.
      const isThere = each.to.startsWith(dir) || (await isReadable(each.to));
      return { ...each, isThere };
    }),
  );
  const left = moves.filter(({ isThere }) => !isThere).map((each) => each.from);
  // Until nothing is left, the record must go on to say where it was made.
  const kept = left.length === 0 ? "" : record.hostOptions.AuthOptions.StorePath;
  const found = moves.filter((each) => each.isThere && each.from !== kept);
  await store.save(withPaths(record, found));
  await store.publish(name);
  return { name, from, left };
}

/** Throws `certificate-invalid`, naming the way out, where a record names a file of a store that it is not in. */
export function explainMovedStore(record: HostRecord, storeRoot: string, error: MachineError): MachineError {
  const from = formerStoreRoot(record, storeRoot);
  if (from === undefined) return error;
  return new MachineError(error.code, error.message, {
    cause: error,
    hint: `This machine's record was made in the store ${from}. Put that file into ${storeRoot} or back in its place; then write the new paths down with: docker-machine config relocate ${record.name}`,
  });
}
