/**
 * Folders of this computer that the machine shows. The guest mounts them by `vmhgfs-fuse`, which comes with open-vm-tools:
 * an image without those shows them once they are installed. No I/O.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import type { OsName } from "../../system/computer.ts";

export interface Share {
  readonly hostPath: string;
  /** Absolute path in the guest. */
  readonly target: string;
}

/** Parses `FOLDER[:PATH]`; the path defaults to the folder's own. Throws `driver-options`. */
export function parseShare(text: string, cwd: string): Share {
  // A colon behind a single letter is a drive of Windows.
  const at = text.indexOf(":", /^[a-z]:[\\/]/iu.test(text) ? 2 : 0);
  const folder = at === -1 ? text : text.slice(0, at);
  const target = at === -1 ? folder : text.slice(at + 1);
  // A quote would end the value in the machine's description.
  if (folder !== "" && !/["|\p{Cc}]/u.test(folder) && path.posix.isAbsolute(target) && !/[\s,:"|]/u.test(target))
    return { hostPath: path.resolve(cwd, folder), target: path.posix.normalize(target) };
  throw new MachineError(
    "driver-options",
    `--vmwarefusion-share-folder ${JSON.stringify(text)} is not FOLDER[:PATH] with an absolute PATH without spaces, and no quote in either`,
  );
}

export function shareText({ hostPath, target }: Share): string {
  return `${hostPath}:${target}`;
}

/** What the record says of them: each folder as {@link shareText}, and whether none are wished for. */
interface SharesRecord {
  readonly NoShare: boolean;
  readonly ShareFolders: readonly string[];
}

/** All homes, as 0.16.2 did it on the one system that it knew. */
const homes: Readonly<Partial<Record<OsName, Share>>> = { darwin: { hostPath: "/Users", target: "/Users" } };

export function sharesOf({ NoShare, ShareFolders }: SharesRecord, os: OsName): readonly Share[] {
  const home = homes[os];
  if (ShareFolders.length === 0) return NoShare || home === undefined ? [] : [home];
  return ShareFolders.map((text) => {
    const at = text.lastIndexOf(":");
    return { hostPath: text.slice(0, at), target: text.slice(at + 1) };
  });
}

/** Under which the guest finds a folder. */
export function shareName({ target }: Share): string {
  return target.replaceAll(/[^a-zA-Z0-9]+/gu, "-").replaceAll(/^-|-$/gu, "") || "root";
}

/** Line of fstab, in parts: mounted when it is looked at, since no image has the program for it from the start. */
export function mountOf(share: Share): readonly string[] {
  return [`.host:/${shareName(share)}`, share.target, "fuse.vmhgfs-fuse", "allow_other,nofail,noauto,x-systemd.automount"];
}
