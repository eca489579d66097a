/** A folder of our own for sockets and logs of one connection: only the user may enter it, and its path is short. */
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { explainFileError } from "../system/files.ts";
import type { Computer } from "../system/computer.ts";

/**
 * `sun_path` holds 104 bytes on macOS and the BSDs. OpenSSH first binds to the path with a dot and 16 characters more;
 * ours takes 10 for `dm-XXXXXX/` and 1 for the socket's name.
 */
const longestParent = 104 - 1 - 17 - 1 - 10 - 1;

/** Names the process that made the folder, so that another can tell whether it is of use any more. */
const ownerFile = "owner";

/** A folder that names nobody is one whose maker was killed at once, or that another part of the program made. */
const namelessMs = 24 * 3_600_000;

const systemFolder = "/tmp";

/** Makes the folder. The caller removes it; where that is killed, {@link sweepPrivateFolders} does. */
export async function makePrivateFolder(computer: Pick<Computer, "env" | "os">): Promise<string> {
  const chosen = chooseParent(computer);
  const parents = computer.os === "windows" || chosen === systemFolder ? [chosen] : [chosen, systemFolder];
  let failure: unknown;
  for (const parent of parents) {
    const prefix = path.join(parent, "dm-");
    try {
      const folder = await mkdtemp(prefix);
      await writeFile(path.join(folder, ownerFile), `${process.pid}\n`, { mode: 0o600 });
      return folder;
    } catch (error) {
      // A folder that TMPDIR names may be gone: that of a session which has ended, or of another machine.
      failure ??= explainFileError(error, prefix, "create");
    }
  }
  throw failure;
}

/** Gives `work` a folder that is gone afterwards. */
export async function inPrivateFolder<T>(
  computer: Pick<Computer, "env" | "os">,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await makePrivateFolder(computer);
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function chooseParent({ env, os }: Pick<Computer, "env" | "os">): string {
  if (os === "windows") return env["TEMP"] ?? env["TMP"] ?? "C:\\Windows\\Temp";
  const configured = env["TMPDIR"] ?? "";
  // Plain characters only: OpenSSH splits at blanks and expands percent signs in paths.
  const usable = /^\/[\w./-]*$/u.test(configured) && configured.length <= longestParent;
  return usable ? configured : systemFolder;
}

/** Removes what killed commands of this user left: folders whose process is gone. Never throws. */
export async function sweepPrivateFolders(computer: Pick<Computer, "env" | "os">, now: Date): Promise<void> {
  const parent = chooseParent(computer);
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((entry) => /^dm-[A-Za-z0-9]{6}$/u.test(entry))) {
    const folder = path.join(parent, name);
    if (await isAbandoned(folder, now)) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

async function isAbandoned(folder: string, now: Date): Promise<boolean> {
  try {
    const { uid, mtimeMs, isDirectory } = await lstat(folder).then((stats) => ({
      uid: stats.uid,
      mtimeMs: stats.mtimeMs,
      isDirectory: stats.isDirectory(),
    }));
    if (!isDirectory || (process.getuid !== undefined && uid !== process.getuid())) return false;
    const owner = Number(await readFile(path.join(folder, ownerFile), "utf8").catch(() => ""));
    return owner > 0 ? !isRunning(owner) : now.getTime() - mtimeMs > namelessMs;
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
