/**
 * What of a machine's folder is the team's: the files that mean the same everywhere, with paths that do. A person's own
 * keys and client certificate, and whatever else a driver keeps there, stay on their computer. One text, made of texts.
 */
import { createHash } from "node:crypto";
import * as path from "node:path";
import { isMadeForMachine, ownKeyName } from "../driver-kit/core-files.ts";
import { localText, portableText } from "../store/portable-paths.ts";
import { keptFileName, recordFileName } from "../store/paths.ts";
import { readRegularFileIfExists, removeFile, writeFileAtomic } from "../system/files.ts";

/** Texts of files, by name. */
export type Files = Readonly<Record<string, string>>;

/** In the order in which they are written: whoever finds a record finds what it speaks of. */
const plain = ["secrets.json", "known_hosts", "server-key.pem", "server.pem"];
const keyPairs = ["id_ed25519", "id_rsa", ownKeyName];
const withPaths = [keptFileName, recordFileName];
/** Last, so that a machine that is being made is never taken for one that is whole. */
const journal = "journal.ndjson";

async function read(dir: string, name: string): Promise<string | undefined> {
  return (await readRegularFileIfExists(path.join(dir, name)))?.toString("utf8");
}

/** Undefined where there is no machine. Throws `JsonSyntaxError` for a record that cannot be read. */
export async function readShared(dir: string, storeRoot: string): Promise<Files | undefined> {
  const found: Record<string, string> = {};
  const take = async (names: readonly string[], change: (text: string) => string = (text) => text): Promise<void> => {
    for (const name of names) {
      const text = await read(dir, name);
      if (text !== undefined) found[name] = change(text);
    }
  };
  await take(plain);
  for (const name of keyPairs) if (isMadeForMachine((await read(dir, `${name}.pub`)) ?? "")) await take([name, `${name}.pub`]);
  await take(withPaths, (text) => portableText(text, storeRoot));
  await take([journal]);
  return found[recordFileName] === undefined ? undefined : found;
}

/** The files as they are in the store at `storeRoot`. What is no file of a machine is left out: others wrote the value. */
export function localFiles(files: Files, storeRoot: string): Files {
  const known = [...plain, ...keyPairs.flatMap((name) => [name, `${name}.pub`]), ...withPaths, journal];
  return Object.fromEntries(
    known.flatMap((name) => {
      const text = files[name];
      if (typeof text !== "string") return [];
      return [[name, withPaths.includes(name) ? localText(text, storeRoot) : text]];
    }),
  );
}

/** Makes a folder that stands say what the files say. */
export async function writeShared(dir: string, storeRoot: string, files: Files): Promise<void> {
  const before = (await readShared(dir, storeRoot)) ?? {};
  for (const [name, text] of Object.entries(localFiles(files, storeRoot)))
    if ((await read(dir, name)) !== text) await writeFileAtomic(path.join(dir, name), text, 0o600);
  for (const name of Object.keys(before)) if (files[name] === undefined) await removeFile(path.join(dir, name));
}

export function digestOf(files: Files): string {
  const sorted = Object.entries(files).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("base64");
}

const authorityFiles = ["ca-key.pem", "ca.pem"];

/** The store's certificate authority; undefined where it is not whole. */
export async function readAuthority(certsDir: string): Promise<Files | undefined> {
  const texts = await Promise.all(authorityFiles.map(async (name) => [name, await read(certsDir, name)] as const));
  return texts.every(([, text]) => text !== undefined) ? (Object.fromEntries(texts) as Files) : undefined;
}

/** 0.16.2 gives docker a machine's folder for its certificates: those of this computer's user are copied there. */
export async function copyCertificates(certsDir: string, dir: string): Promise<void> {
  for (const [name, text] of Object.entries(await readOwnCertificates(certsDir)))
    if ((await read(dir, name)) !== text) await writeFileAtomic(path.join(dir, name), text, 0o600);
}

/** What is copied so. */
export async function readOwnCertificates(certsDir: string): Promise<Files> {
  const found: Record<string, string> = {};
  for (const name of ["ca.pem", "cert.pem", "key.pem"]) {
    const text = await read(certsDir, name);
    if (text !== undefined) found[name] = text;
  }
  return found;
}
