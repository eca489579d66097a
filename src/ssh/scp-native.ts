/** Copying over SFTP in this process; between two machines the bytes stream through this computer. */
import { posix } from "node:path";
import { MachineError, messageOf } from "../errors/machine-error.ts";
import type { SshTarget } from "./executor.ts";
import { copyTree, type FileTree } from "./file-tree.ts";
import { localTree } from "./local-tree.ts";
import { NativeSshExecutor } from "./native-executor.ts";
import type { SshContext } from "./ssh-context.ts";
import type { CopyEndpoint, CopyRequest } from "./scp-request.ts";
import { SftpTree } from "./sftp-tree.ts";

/** A file's progress is reported at most once for so many bytes, and at its end. */
const reportEveryBytes = 1 << 20;

export async function copyWithSftp(request: CopyRequest, context: SshContext): Promise<void> {
  await withTree(request.source, request.signal, context, async (from) => {
    await withTree(request.destination, request.signal, context, async (to) => {
      await copyTree(from, treePath(request.source, context), to, treePath(request.destination, context), {
        recursive: request.recursive,
        preserve: request.preserve ?? false,
        signal: request.signal,
        onProgress: request.quiet ? undefined : (file, done, total) => reportTransfer(context, file, done, total),
      });
    });
  });
}

async function withTree(
  { target }: CopyEndpoint,
  signal: AbortSignal | undefined,
  context: SshContext,
  work: (tree: FileTree) => Promise<void>,
): Promise<void> {
  if (target === undefined) return await work(localTree);
  await using executor = new NativeSshExecutor(target, context);
  await executor.connect(signal);
  await work(await openTree(target, executor));
}

async function openTree(target: SshTarget, executor: NativeSshExecutor): Promise<FileTree> {
  try {
    return new SftpTree(await executor.sftp(), target.hostKeys.alias);
  } catch (error) {
    throw new MachineError("copy-failed", `"${target.hostKeys.alias}" offers no SFTP: ${messageOf(error)}`, {
      cause: error,
      hint: "Install an SFTP server on the machine, or run the command without --native-ssh.",
    });
  }
}

/** With slashes on this computer; on a machine the home is where relative paths begin, and `~/` says the same. */
function treePath({ target, path }: CopyEndpoint, context: SshContext): string {
  if (target === undefined) return context.computer.os === "windows" ? path.replaceAll("\\", "/") : path;
  const relative = path.replace(/^~(?:\/+|$)/u, "");
  return relative === "" ? "." : relative;
}

function reportTransfer(context: SshContext, file: string, doneBytes: number, totalBytes: number): void {
  const crossed = Math.floor(doneBytes / reportEveryBytes) > Math.floor((doneBytes - 1) / reportEveryBytes);
  if (!crossed && doneBytes < totalBytes) return;
  context.report({ type: "transfer", what: posix.basename(file), doneBytes, totalBytes });
}
