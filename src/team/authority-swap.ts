/**
 * Another certificate authority in the place of the store's. The one that was there is kept in a folder beside `certs/`, and
 * machines whose engines believe it go on with it: their records name where it is. One that was kept comes back the same way.
 */
import * as path from "node:path";
import { isMachineError } from "../errors/machine-error.ts";
import type { FileStore } from "../store/file-store.ts";
import { isKeptCertsDir, keptCertsDirOf } from "../store/kept-certs.ts";
import { pathsIn, withPaths } from "../store/relocation.ts";
import type { LockRequest } from "../store/store.ts";
import { removeFolder } from "../store/foreign-files.ts";
import { listFolder } from "../system/disk-files.ts";
import { authorityLogOf, authorityPaths, readAuthority, type AuthorityTexts } from "../tls/authority-files.ts";
import { writeGroup, type GroupedFile } from "../tls/file-group.ts";

/** PEM texts. */
export interface NewAuthority {
  readonly certificate: string;
  readonly key: string;
}

export interface SwapRequest {
  /** Where the present one is kept, if it is another. A number is put behind it where something else is there. */
  readonly keepIn: string;
  /** Whether a machine stays with the authority that it has; the others are said to have the new one. */
  readonly stays: (name: string) => Promise<boolean>;
  /** On behalf of a command; for each machine. */
  readonly lock: LockRequest;
}

export interface Swapped {
  /** Absolute. */
  readonly keptIn: string;
  /** Who goes on with it. */
  readonly machines: readonly string[];
}

/**
 * The caller holds the lock of the certificates. Cut off anywhere, every machine has an authority that its engine believes, and
 * the next one finishes it. Undefined where none was to be kept. Throws `machine-busy`.
 */
export async function swapAuthority(store: FileStore, next: NewAuthority, request: SwapRequest): Promise<Swapped | undefined> {
  const { certsDir } = store;
  const present = await readAuthority(authorityPaths(certsDir));
  const isSame = present.caCert === next.certificate;
  const swapped = isSame || present.caCert === undefined ? undefined : await keep(store, present, request);
  const kept = await keptWith(store.root, next.certificate);
  if (!isSame) await writeGroup(authorityLogOf(certsDir), filesOf(certsDir, await withClient(next, kept)));
  for (const folder of kept) {
    for (const name of await machinesWith(store, folder)) await lead(store, name, [folder, certsDir], request.lock);
    await removeFolder(folder);
  }
  return swapped;
}

/** Machines whose records name that folder of certificates. What cannot be read names nothing. */
export async function machinesWith(store: FileStore, certsDir: string): Promise<string[]> {
  const names: string[] = [];
  for (const name of (await store.list()).toSorted()) {
    const record = await store.load(name).catch((error: unknown) => {
      if (isMachineError(error)) return undefined;
      throw error;
    });
    if (record !== undefined && pathsIn(record, certsDir, certsDir).length > 0) names.push(name);
  }
  return names;
}

/**
 * The authority comes back that a team's took the place of, and that one is kept for whose engines believe it. Undefined where
 * none was kept. As {@link swapAuthority} otherwise.
 */
export async function bringBackAuthority(store: FileStore, team: string, lock: LockRequest): Promise<Swapped | undefined> {
  const before = keptCertsDirOf(store.root, "before", team);
  for (const folder of (await keptCertsDirs(store.root)).toReversed()) {
    if (!folder.startsWith(before) || !/^(?:-\d+)?$/u.test(folder.slice(before.length))) continue;
    const { caCert: certificate, caKey: key } = await readAuthority(authorityPaths(folder));
    if (certificate === undefined || key === undefined) continue;
    const keepIn = keptCertsDirOf(store.root, "of", team);
    return await swapAuthority(store, { certificate, key }, { keepIn, stays: async () => true, lock });
  }
  return undefined;
}

async function keep(store: FileStore, present: AuthorityTexts, { keepIn, stays, lock }: SwapRequest): Promise<Swapped> {
  const { certsDir } = store;
  const keptIn = await placeFor(keepIn, present.caCert);
  await writeGroup(authorityLogOf(keptIn), filesOf(keptIn, present));
  const machines: string[] = [];
  for (const name of await machinesWith(store, certsDir)) {
    if (!(await stays(name))) continue;
    await lead(store, name, [certsDir, keptIn], lock);
    machines.push(name);
  }
  return { keptIn, machines };
}

/** The folder, or the first numbered one in which no other authority is. */
async function placeFor(folder: string, certificate: string | undefined): Promise<string> {
  for (let number = 1; ; number += 1) {
    const place = number === 1 ? folder : `${folder}-${number}`;
    const { caCert } = await readAuthority(authorityPaths(place));
    if (caCert === undefined || caCert === certificate) return place;
  }
}

/** Folders in which that authority is kept. */
async function keptWith(root: string, certificate: string): Promise<string[]> {
  const found: string[] = [];
  for (const folder of await keptCertsDirs(root))
    if ((await readAuthority(authorityPaths(folder))).caCert === certificate) found.push(folder);
  return found;
}

/** All of a store, absolute, in the order of their names. */
async function keptCertsDirs(root: string): Promise<string[]> {
  return (await listFolder(root))
    .map((entry) => path.join(root, entry))
    .filter((folder) => isKeptCertsDir(root, folder))
    .toSorted();
}

/** With the client's pair that was kept with it: the old one fits no more. */
async function withClient({ certificate, key }: NewAuthority, [kept]: readonly string[]): Promise<Partial<AuthorityTexts>> {
  const client = kept === undefined ? undefined : await readAuthority(authorityPaths(kept));
  return { caCert: certificate, caKey: key, clientCert: client?.clientCert, clientKey: client?.clientKey };
}

/** Keys first: whoever finds a certificate, finds its key too. */
function filesOf(folder: string, { caCert, caKey, clientCert, clientKey }: Partial<AuthorityTexts>): GroupedFile[] {
  const { caCertPath, caKeyPath, clientCertPath, clientKeyPath } = authorityPaths(folder);
  const files = [
    { path: caKeyPath, text: caKey, mode: 0o600 },
    { path: caCertPath, text: caCert, mode: 0o644 },
    { path: clientKeyPath, text: clientKey, mode: 0o600 },
    { path: clientCertPath, text: clientCert, mode: 0o644 },
  ];
  return files.flatMap(({ text, ...file }) => (text === undefined ? [] : [{ ...file, text }]));
}

async function lead(store: FileStore, name: string, [from, to]: readonly [string, string], request: LockRequest): Promise<void> {
  await using _lock = await store.lockMachine(name, request);
  const record = await store.load(name);
  await store.save(withPaths(record, pathsIn(record, from, to)));
}
