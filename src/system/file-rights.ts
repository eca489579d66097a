/** Whose files are, who else may read them, and how much room is left beside them. */
import { chmod, lstat, readdir, readFile, statfs } from "node:fs/promises";
import * as dns from "node:dns/promises";
import * as path from "node:path";
import { messageOf, systemCodeOf } from "../errors/machine-error.ts";

export interface FileRights {
  readonly file: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly isFolder: boolean;
}

/** Undefined for what is not there, or cannot be looked at. */
export async function rightsOf(file: string): Promise<FileRights | undefined> {
  try {
    const { mode, uid, isDirectory } = await lstat(file).then((stats) => ({
      mode: stats.mode & 0o7777,
      uid: stats.uid,
      isDirectory: stats.isDirectory(),
    }));
    return { file, mode, uid, isFolder: isDirectory };
  } catch {
    return undefined;
  }
}

/** The folder, and what is directly in it. */
export async function rightsIn(folder: string): Promise<FileRights[]> {
  const names = await readdir(folder).catch(() => []);
  const all = await Promise.all([folder, ...names.map((name) => path.join(folder, name))].map(rightsOf));
  return all.flatMap((found) => found ?? []);
}

export async function setMode(file: string, mode: number): Promise<void> {
  await chmod(file, mode);
}

export interface FileSystemLook {
  readonly freeMiB: number;
  /** By its magic number (statfs(2)). */
  readonly isNfs: boolean;
}

const nfsMagic = 0x6969;

/** Undefined where it cannot be told. */
export async function fileSystemOf(folder: string): Promise<FileSystemLook | undefined> {
  try {
    const { bavail, bsize, type } = await statfs(folder);
    return { freeMiB: Math.floor((bavail * bsize) / 1024 / 1024), isNfs: type === nfsMagic };
  } catch {
    return undefined;
  }
}

/** Addresses of a host name, as programs of this computer find them. */
export async function addressesOf(name: string): Promise<{ readonly addresses: readonly string[]; readonly error?: string }> {
  try {
    return { addresses: (await dns.lookup(name, { all: true })).map(({ address }) => address) };
  } catch (error) {
    return {
      addresses: [],
      error: systemCodeOf(error) === "ENOTFOUND" ? `Could not resolve hostname ${name}` : messageOf(error),
    };
  }
}

/**
 * IPv4 networks that this computer has routes to by other devices than those of container engines; none where the system
 * does not tell (/proc/net/route: addresses in hexadecimal digits, lowest byte first).
 */
export async function routesHere(): Promise<string[]> {
  const table = await readFile("/proc/net/route", "utf8").catch(() => "");
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [device = "", destination = "", , , , , , mask = ""] = line.split("\t");
      if (destination === "" || mask === "00000000" || /^(?:docker|br-|veth|lo)/u.test(device)) return [];
      const bits = Number.parseInt(mask, 16).toString(2).replaceAll("0", "").length;
      return [`${[6, 4, 2, 0].map((at) => Number.parseInt(destination.slice(at, at + 2), 16)).join(".")}/${bits}`];
    });
}
