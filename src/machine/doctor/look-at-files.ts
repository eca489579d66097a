/** Files of the store as they are: whose, who else may read them, whether more can be made, and how much room is left. */
import { fileSystemOf, writeErrorOf, type FileRights } from "../../system/file-rights.ts";
import type { FileProblem, StoreLook } from "./subject.ts";

/** @param uid the user's; undefined where the system has no such rights */
export async function lookAtFiles(root: string, files: readonly FileRights[], uid: number | undefined): Promise<StoreLook> {
  const system = await fileSystemOf(root);
  return {
    root,
    writeError: await writeErrorOf(root),
    problems: files.flatMap((rights) => problemOf(rights, uid)),
    freeMiB: system?.freeMiB,
    isOnNfs: system?.isNfs ?? false,
  };
}

/** Keys and records; in a folder that only its owner may enter, who may read what else is there does not matter. */
const secretFile = /(?:^|\/)(?:id_[a-z0-9]+|.*-?key(?:\.pem)?|config\.json|secrets\.json)$/u;

function problemOf({ file, mode, uid, isFolder }: FileRights, own: number | undefined): FileProblem[] {
  if (own === undefined) return [];
  if (own !== 0 && uid !== own) return [{ file, what: `belongs to the user ${uid}` }];
  if (isFolder && (mode & 0o077) !== 0) return [{ file, what: `has the mode ${mode.toString(8)}`, mode: mode & 0o700 }];
  if (!isFolder && secretFile.test(file) && !file.endsWith(".pub") && (mode & 0o077) !== 0)
    return [{ file, what: `has the mode ${mode.toString(8)}`, mode: mode & 0o700 }];
  return [];
}
