import { MachineError } from "../../errors/machine-error.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { sshfsArguments } from "../../ssh/openssh-arguments.ts";
import { parseCopyArgument } from "../../ssh/scp.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { targetFor } from "../machine-paths.ts";
import { requireFreeMountPoint } from "../mount-point.ts";
import { openContext } from "../open-context.ts";

const defaultMachine = "default";

/** `[user@]machine:path [mountpoint]`; without a machine it is `default`, without a mount point the same path here. */
export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const [remote = "", given] = args;
  const parsed = parseCopyArgument(remote, context.computer.os);
  const mountPoint = given ?? parsed.path;
  if (options.bool("unmount")) {
    await unmount(machineContext, mountPoint, context.signal);
    return;
  }
  const sshfs = await requireProgram(
    machineContext,
    "sshfs",
    "You must have a copy of the sshfs binary locally to use the mount feature",
  );
  await using host = await openHost(machineContext, parsed.machine ?? defaultMachine);
  const target = await targetFor(host, parsed.user);
  await requireFreeMountPoint(machineContext, target, mountPoint);
  // The pinned key must be on disk before sshfs starts its own ssh.
  await using ssh = await machineContext.openSsh(target, context.report);
  await ssh.connect();
  await runProgram(machineContext, sshfs, sshfsArguments(target, parsed.path, mountPoint), context.signal);
}

async function unmount(machineContext: MachineContext, mountPoint: string, signal: AbortSignal): Promise<void> {
  if (machineContext.computer.os !== "linux") return await runProgram(machineContext, "umount", [mountPoint], signal);
  const program = (await machineContext.processes.find("fusermount")) ?? (await machineContext.processes.find("fusermount3"));
  if (program === undefined)
    throw new MachineError("program-missing", "You must have a copy of the fusermount binary locally to use the unmount option");
  await runProgram(machineContext, program, ["-u", mountPoint], signal);
}

async function requireProgram(machineContext: MachineContext, name: string, message: string): Promise<string> {
  const program = await machineContext.processes.find(name);
  if (program !== undefined) return program;
  throw new MachineError("program-missing", message, { hint: `Install it; on Debian and Ubuntu: apt-get install ${name}` });
}

async function runProgram(
  machineContext: MachineContext,
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { status, stderr } = await machineContext.processes.run(program, args, { signal });
  if (status !== 0)
    throw new MachineError("copy-failed", stderr.toString("utf8").trim() || `${program} ended with status ${status}`);
}
