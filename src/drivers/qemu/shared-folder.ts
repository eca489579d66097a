/** `--qemu-share-folder`: folders of this computer that the guest mounts, by virtiofs or 9p. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";

export interface SharedFolder {
  readonly folder: string;
  /** Absolute path in the guest. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** Parses `FOLDER[:PATH][:ro]`; the path defaults to the folder's own. Throws `driver-options`. */
export function parseSharedFolder(text: string): SharedFolder {
  const readOnly = text.endsWith(":ro");
  const bare = readOnly ? text.slice(0, -3) : text;
  // A colon behind a single letter is a drive of Windows.
  const split = bare.indexOf(":", /^[a-z]:[\\/]/iu.test(bare) ? 2 : 0);
  const folder = split < 0 ? bare : bare.slice(0, split);
  const target = split < 0 ? folder : bare.slice(split + 1);
  if (folder !== "" && path.posix.isAbsolute(target) && !/[\s,:]/u.test(target))
    return { folder, target: path.posix.normalize(target), readOnly };
  throw new MachineError(
    "driver-options",
    `--qemu-share-folder ${JSON.stringify(text)} is not FOLDER[:PATH][:ro] with an absolute PATH without spaces`,
  );
}

/** Name under which the guest finds the folder. */
export function mountTag(index: number): string {
  return `share${index}`;
}
