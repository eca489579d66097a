/** Files of other programs that this one writes into, as it is asked to: the docker client's contexts, the user's ssh_config. */
import { realpath, rm, stat } from "node:fs/promises";
import { explainFileError } from "../system/files.ts";

/** Removes a folder and what is in it. Succeeds when there is none. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw explainFileError(error, folder, "remove");
  }
}

/** Where a path leads behind all links; undefined where nothing is there. */
export async function realPathOf(file: string): Promise<string | undefined> {
  return await realpath(file).catch(() => undefined);
}

/** The file's permission bits; undefined where nothing is there. */
export async function modeOf(file: string): Promise<number | undefined> {
  return await stat(file).then(
    ({ mode }) => mode & 0o777,
    () => undefined,
  );
}
