/** Folders of this computer that the machine shows: by default all homes, under the names that 0.16.2 gave them. No I/O. */
import type { OsName } from "../../system/computer.ts";

export interface Share {
  readonly hostPath: string;
  /** VirtualBox takes none with a space. */
  readonly name: string;
}

/** `DIR:NAME`, split at the last colon: a drive of Windows has one. Undefined for what is none. */
export function parseShare(text: string): Share | undefined {
  const at = text.lastIndexOf(":");
  const [hostPath, name] = [text.slice(0, at), text.slice(at + 1)];
  return at > 0 && /^[^\s\\:]+$/u.test(name) ? { hostPath, name } : undefined;
}

const homes: Readonly<Record<OsName, Share>> = {
  linux: { hostPath: "/home", name: "hosthome" },
  darwin: { hostPath: "/Users", name: "Users" },
  windows: { hostPath: "\\\\?\\c:\\Users", name: "c/Users" },
};

export interface ShareWish {
  readonly ShareFolder: string;
  readonly NoShare: boolean;
}

/** What is shared; undefined for nothing. */
export function shareOf({ ShareFolder, NoShare }: ShareWish, os: OsName): Share | undefined {
  if (ShareFolder !== "") return parseShare(ShareFolder);
  return NoShare ? undefined : homes[os];
}

/** Line of fstab, in parts. The module is the kernel's own, so nothing of VirtualBox need be in the guest; its first user has these ids. */
export function mountOf({ name }: Share): readonly string[] {
  return [name, `/${name}`, "vboxsf", "uid=1000,gid=1000,nofail"];
}
