/**
 * scp's old protocol, for machines without SFTP. In it the sending side names the files and the receiving side writes
 * them: a hostile machine may send other files than were asked for. So it is taken by itself only where a name of ours
 * decides what is written: for what goes to a machine, and for one file from there. Else `--legacy` must ask for it, and
 * then everything is received in an empty folder, looked at, and only then put where it was to go.
 */
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import * as path from "node:path";
import { posix } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";
import { deepestFolder, mostEntries } from "./copy-bounds.ts";
import type { CopyProgram } from "./copy-program.ts";
import { copyFailed } from "./file-tree.ts";
import { matchesFileGlob } from "./glob.ts";
import { inPrivateFolder } from "./private-folder.ts";
import { escapeForShell, isPattern } from "./remote-path.ts";
import type { CopyRequest } from "./scp-request.ts";

const lookEveryMs = 500;

/** Whether a machine that speaks the old protocol would name what is written by this copy. */
export function mayChooseNames({ source, destination, recursive }: CopyRequest): boolean {
  if (source.target === undefined) return false;
  return destination.target !== undefined || recursive || isPattern(source.path);
}

/** Throws `copy-failed` where the old protocol is not taken unasked. */
export function refuseOldProtocol(request: CopyRequest, machine: string): void {
  if (!mayChooseNames(request)) return;
  const between = request.destination.target !== undefined;
  const what = between ? "from one machine to another" : request.recursive ? "folders from it" : "a pattern of files from it";
  throw new MachineError(
    "copy-failed",
    `"${machine}" offers no SFTP, and to copy ${what} by scp's old protocol would let it choose the names of the files`,
    {
      hint: "Install an SFTP server there, or add --legacy: what arrives is then looked at before it is put where it belongs.",
    },
  );
}

export async function copyByOldProtocol(scp: CopyProgram): Promise<void> {
  const { source, destination, request } = scp;
  if (source.machine === undefined) await send(scp, [source.location()]);
  else if (destination.machine !== undefined) {
    await inPrivateFolder(scp.context.computer, async (parent) => {
      const folder = await mkdtemp(path.join(parent, "received-"));
      await send(
        scp,
        (await receive(scp, folder)).map((name) => path.join(folder, name)),
      );
    });
  } else if (request.recursive || isPattern(source.path)) await receiveMany(scp);
  else await receiveOne(scp);
}

async function send(scp: CopyProgram, files: readonly string[]): Promise<void> {
  const { destination, configFile, flags } = scp;
  const to =
    destination.machine === undefined
      ? destination.location()
      : destination.location(escapeForShell(destination.path, "destination"));
  await scp.run([...oldProtocol(scp), "-F", configFile, ...flags, "--", ...files, to]);
}

/** The name is ours, and so is all that is written: to a path that is no folder, scp writes nothing else. */
async function receiveOne(scp: CopyProgram): Promise<void> {
  const { source, destination, configFile, flags } = scp;
  const into = await isFolder(destination.path);
  const file = into ? path.join(destination.path, posix.basename(source.path)) : destination.path;
  if (into && (await isFolder(file))) throw copyFailed(file, "it is a folder, and a file is to go there");
  await scp.run([...oldProtocol(scp), "-F", configFile, ...flags, "--", sourceOf(scp), destination.location(file)]);
}

async function receiveMany(scp: CopyProgram): Promise<void> {
  const { destination, request } = scp;
  const into = await isFolder(destination.path);
  const parent = into ? destination.path : path.dirname(path.resolve(destination.path));
  const folder = await mkdtemp(path.join(parent, ".docker-machine-scp-"));
  try {
    const names = await receive(scp, folder);
    if (names.length > 1 && !into) throw copyFailed(destination.path, "not a folder, but several files are to go there");
    for (const name of names) {
      const target = into ? path.join(destination.path, name) : destination.path;
      await cp(path.join(folder, name), target, { recursive: true, preserveTimestamps: request.preserve ?? false });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Fills an empty folder, watched while it grows; gives the names in it, which are those that were asked for. */
async function receive(scp: CopyProgram, folder: string): Promise<string[]> {
  const { source, configFile, flags, request } = scp;
  const done = new AbortController();
  const stop = new AbortController();
  const signals = [stop.signal, ...(request.signal === undefined ? [] : [request.signal])];
  const watching = watch(folder, source.path, done.signal).catch((error: unknown) => stop.abort(error));
  try {
    await scp.run(
      [...oldProtocol(scp), "-F", configFile, ...flags, "--", sourceOf(scp), `${folder}/`],
      undefined,
      AbortSignal.any(signals),
    );
  } finally {
    done.abort();
    await watching;
    await requireBounded(folder, source.path);
  }
  const names = await readdir(folder);
  for (const name of names) requireAsked(source.path, name);
  return names;
}

function oldProtocol({ knowsSftp }: CopyProgram): string[] {
  return knowsSftp ? ["-O"] : [];
}

function sourceOf({ source }: CopyProgram): string {
  return source.location(escapeForShell(source.path, "source"));
}

function requireAsked(asked: string, name: string): void {
  if (matchesFileGlob(posix.basename(asked), name) || isHome(asked)) return;
  throw copyFailed(asked, `the machine sent ${JSON.stringify(name)} instead`);
}

/** The home has a name that is not known here. */
function isHome(asked: string): boolean {
  return /^(?:~\/*|\.?\/*)$/u.test(asked);
}

async function watch(folder: string, asked: string, done: AbortSignal): Promise<void> {
  while (!done.aborted) {
    await requireBounded(folder, asked);
    await delay(lookEveryMs, undefined, { signal: done }).catch(() => {});
  }
}

async function requireBounded(folder: string, asked: string): Promise<void> {
  let [entries, level, depth] = [0, [folder], 0];
  while (level.length > 0) {
    const below: string[] = [];
    for (const parent of level) {
      const found = await readdir(parent, { withFileTypes: true });
      entries += found.length;
      for (const entry of found) if (entry.isDirectory()) below.push(path.join(parent, entry.name));
    }
    if (entries > mostEntries) throw copyFailed(asked, `it holds more than ${mostEntries} files and folders`);
    if (depth > deepestFolder) throw copyFailed(asked, `its folders are more than ${deepestFolder} deep`);
    level = below;
    depth += 1;
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file === "" ? "." : file)).isDirectory();
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}
