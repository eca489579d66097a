/**
 * `docker-machine scp`: copying between this computer and machines, or from one machine to another through this
 * computer. OpenSSH's scp and rsync do it where they are the back end, SFTP in this process otherwise.
 */
import type { OsName } from "../system/computer.ts";
import type { SshBackend } from "./executor.ts";
import type { SshContext } from "./ssh-context.ts";
import type { CopyRequest } from "./scp-request.ts";

/** `[[user@]machine:]path` as the user typed it. */
export interface CopyArgument {
  /** Undefined = this computer. */
  readonly machine: string | undefined;
  readonly user: string | undefined;
  readonly path: string;
}

/**
 * As 0.16.2: what stands before the first colon is a machine, and `localhost` is this computer. As scp(1): with a slash
 * before the colon, or with `.` or `~` in front, it is a path here: no machine has such a name.
 */
export function parseCopyArgument(text: string, os: OsName): CopyArgument {
  const local = { machine: undefined, user: undefined, path: text };
  const colon = text.indexOf(":");
  if (
    colon < 0 ||
    /^[./~]/u.test(text) ||
    text.slice(0, colon).includes("/") ||
    (os === "windows" && /^[A-Za-z]:[\\/]/u.test(text))
  )
    return local;
  const [, user, machine] = /^(?:([^@]*)@)?(.*)$/su.exec(text.slice(0, colon)) ?? [];
  const path = text.slice(colon + 1);
  if (machine === "localhost") return { ...local, path };
  return { machine: machine ?? "", user: user === "" ? undefined : user, path };
}

/**
 * Copies. The programs write to this process's own output; SFTP reports `transfer` events. Throws `copy-failed`,
 * `program-missing`, and what connecting throws.
 */
export async function copyFiles(request: CopyRequest, backend: SshBackend, context: SshContext): Promise<void> {
  if (request.delta) {
    const { copyWithRsync } = await import("./scp-openssh.ts");
    await copyWithRsync(request, context);
  } else if (backend === "openssh") {
    const { copyWithScp } = await import("./scp-openssh.ts");
    await copyWithScp(request, context);
  } else {
    const { copyWithSftp } = await import("./scp-native.ts");
    await copyWithSftp(request, context);
  }
}
