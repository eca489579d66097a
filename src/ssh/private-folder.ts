/** A folder of our own for sockets and logs of one connection: only the user may enter it, and its path is short. */
import { mkdtemp, rm } from "node:fs/promises";
import * as path from "node:path";
import { explainFileError } from "../system/files.ts";
import type { Computer } from "../system/computer.ts";

/**
 * `sun_path` holds 104 bytes on macOS and the BSDs. OpenSSH first binds to the path with a dot and 16 characters more;
 * ours takes 10 for `dm-XXXXXX/` and 1 for the socket's name.
 */
const longestParent = 104 - 1 - 17 - 1 - 10 - 1;

/** Makes the folder. The caller removes it. */
export async function makePrivateFolder(computer: Pick<Computer, "env" | "os">): Promise<string> {
  const prefix = path.join(chooseParent(computer), "dm-");
  try {
    return await mkdtemp(prefix);
  } catch (error) {
    throw explainFileError(error, prefix, "create");
  }
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
  return usable ? configured : "/tmp";
}
