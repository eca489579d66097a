/** Copying over SFTP in this process; between two machines the bytes stream through this computer. */
import { posix } from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { mostEntries } from "./copy-bounds.ts";
import { copyTree, type FileTree } from "./file-tree.ts";
import { localTree } from "./local-tree.ts";
import { NativeSshExecutor } from "./native-executor.ts";
import type { SshContext } from "./ssh-context.ts";
import type { CopyEndpoint, CopyRequest } from "./scp-request.ts";
import { SftpTree } from "./sftp-tree.ts";

/** A file's progress is reported at most once for so many bytes, and at its end. */
const reportEveryBytes = 1 << 20;

/** Throws `copy-failed`, `timeout` for a server that does not answer, `usage`, and what connecting throws. */
export async function copyWithSftp(request: CopyRequest, context: SshContext): Promise<void> {
  if (request.legacy === true) {
    throw new MachineError("usage", "--legacy asks for scp's old protocol, which --native-ssh does not speak", {
      hint: "Run the command again without one of the two.",
    });
  }
  await withTree(request.source, request.signal, context, async (from) => {
    await withTree(request.destination, request.signal, context, async (to) => {
      await copyTree(from, treePath(request.source, context), to, treePath(request.destination, context), {
        recursive: request.recursive,
        preserve: request.preserve ?? false,
        mostEntries: request.source.target === undefined ? undefined : mostEntries,
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
  await work(new SftpTree(await executor.sftp(signal), target.hostKeys.alias, context.clock, signal));
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
