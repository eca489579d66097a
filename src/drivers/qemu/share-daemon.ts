/** The processes that serve shared folders to a guest. Each ends with the QEMU that it serves. */
import type { ChildProcess } from "node:child_process";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf, openLog, removeTree } from "../../system/disk-files.ts";
import type { ProcessTable } from "../../system/process-table.ts";
import { poll } from "../../system/waiting.ts";
import { instanceFiles, shareSocket } from "./qemu-arguments.ts";
import type { Instance } from "./instance.ts";
import type { ShareMethod } from "./programs.ts";
import type { SharedFolder } from "./shared-folder.ts";

const socketTimeoutMs = 10_000;
const socketPollMs = 20;

/** Starts a daemon for each folder; on disposal, those that QEMU did not take over are ended. */
export async function startShareDaemons(
  context: DriverContext,
  processTable: ProcessTable,
  instance: Instance,
  shares: readonly SharedFolder[],
  method: ShareMethod,
  signal: AbortSignal,
): Promise<{ keep(): void } & Disposable> {
  const pids: number[] = [];
  const endAll = (): void => {
    for (const pid of pids.splice(0)) processTable.signal(pid, "SIGTERM");
  };
  try {
    if (method.by === "virtiofs")
      for (const [index, share] of shares.entries()) pids.push(await startOne(context, instance, share, index, method, signal));
  } catch (error) {
    endAll();
    throw error;
  }
  return { keep: () => void pids.splice(0), [Symbol.dispose]: endAll };
}

type Virtiofs = Extract<ShareMethod, { by: "virtiofs" }>;

async function startOne(
  context: DriverContext,
  instance: Instance,
  share: SharedFolder,
  index: number,
  method: Virtiofs,
  signal: AbortSignal,
): Promise<number> {
  if ((await factsOf(share.folder))?.isDirectory !== true) {
    throw new MachineError("driver-options", `The folder to share does not exist: ${share.folder}`, {
      hint: "Make the folder, or remove and create the machine without it.",
    });
  }
  const socket = shareSocket(index);
  await removeTree(instance.file(socket));
  const log = await openLog(instance.file(instanceFiles.log));
  try {
    const child = context.processes.spawn(method.program, daemonArguments(method, share, socket), {
      cwd: instance.folder,
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    });
    child.on("error", () => {});
    child.unref();
    const pid = requirePid(child, method.program);
    await socketOf(context, instance.file(socket), share, signal);
    return pid;
  } finally {
    await log.close();
  }
}

function daemonArguments(method: Virtiofs, share: SharedFolder, socket: string): string[] {
  if (method.dialect === "c") return [`--socket-path=${socket}`, "-o", `source=${share.folder}`];
  return [`--socket-path=${socket}`, `--shared-dir=${share.folder}`, ...(share.readOnly ? ["--readonly"] : [])];
}

async function socketOf(context: DriverContext, socket: string, share: SharedFolder, signal: AbortSignal): Promise<void> {
  const patience = { ms: socketTimeoutMs, clock: context.clock, signal };
  const late = `virtiofsd did not offer ${share.folder} within ${socketTimeoutMs / 1000} s`;
  await poll(
    patience,
    socketPollMs,
    async () => await factsOf(socket),
    () => new MachineError("driver-failed", late),
  );
}

/** A program that cannot be started has no pid. */
function requirePid(child: ChildProcess, program: string): number {
  if (child.pid === undefined) throw new MachineError("driver-failed", `${program} cannot be started`);
  return child.pid;
}
