/**
 * Who uses the lab at the moment. A process holds a lease that ends with it, also when it is killed; the command line
 * holds one for each folder from which hosts were started, until they are taken down.
 */
import { mkdir, readdir, rm } from "node:fs/promises";
import * as path from "node:path";
import { createHash } from "node:crypto";
import { readFileIfExists, writeFileAtomic } from "../../src/system/files.ts";
import { identifyProcess, isSameProcess, type ProcessIdentity } from "../../src/system/process-identity.ts";
import { labPaths } from "./paths.ts";

/** `process` ends with the process; `folder` stays until it is given back. */
export type Lease = { readonly id: string } & (
  | { readonly kind: "process"; readonly process: ProcessIdentity }
  | { readonly kind: "folder"; readonly folder: string }
);

export async function processLease(): Promise<Lease> {
  const identity = (await identifyProcess(process.pid)) ?? { pid: process.pid };
  return { kind: "process", id: `process-${identity.pid}-${identity.startTicks ?? 0}`, process: identity };
}

export function folderLease(folder: string): Lease {
  return { kind: "folder", id: `folder-${createHash("sha256").update(folder).digest("hex").slice(0, 12)}`, folder };
}

export async function takeLease(lease: Lease): Promise<void> {
  await mkdir(labPaths.leases, { recursive: true });
  await writeFileAtomic(fileOf(lease.id), JSON.stringify(lease), 0o600);
}

export async function giveBack(lease: Lease): Promise<void> {
  await rm(fileOf(lease.id), { force: true });
}

/** Leases in force; those whose process has ended are removed. */
export async function listLeases(): Promise<Lease[]> {
  const names = await readdir(labPaths.leases).catch(() => []);
  const leases = await Promise.all(names.filter((name) => name.endsWith(".json")).map(loadLease));
  return leases.filter((lease) => lease !== undefined);
}

async function loadLease(name: string): Promise<Lease | undefined> {
  const text = await readFileIfExists(path.join(labPaths.leases, name));
  if (text === undefined) return undefined;
  const lease = JSON.parse(text.toString()) as Lease;
  if (lease.kind === "folder" || (await isSameProcess(lease.process))) return lease;
  await giveBack(lease);
  return undefined;
}

function fileOf(id: string): string {
  return path.join(labPaths.leases, `${id}.json`);
}
