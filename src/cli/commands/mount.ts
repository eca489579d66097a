import { MachineError } from "../../errors/machine-error.ts";
import { openHost } from "../../machine/open-host.ts";
import { sshfsArguments } from "../../ssh/openssh-arguments.ts";
import { parseCopyArgument } from "../../ssh/scp.ts";
import type { MachinePorts } from "../../machine/ports.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { targetFor } from "../machine-paths.ts";
import { openPorts } from "../machine-ports.ts";

const defaultMachine = "default";

/** `[user@]machine:path [mountpoint]`; without a machine it is `default`, without a mount point the same path here. */
export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const ports = openPorts(context);
  const [remote = "", given] = args;
  const parsed = parseCopyArgument(remote, context.platform.os);
  const mountPoint = given ?? parsed.path;
  if (options.bool("unmount")) {
    await unmount(ports, mountPoint, context.signal);
    return;
  }
  const sshfs = await requireProgram(ports, "sshfs", "You must have a copy of the sshfs binary locally to use the mount feature");
  await using host = await openHost(ports, parsed.machine ?? defaultMachine);
  const target = await targetFor(host, parsed.user);
  // The pinned key must be on disk before sshfs starts its own ssh.
  await using ssh = await ports.openSsh(target, context.report);
  await ssh.connect();
  await runProgram(ports, sshfs, sshfsArguments(target, parsed.path, mountPoint), context.signal);
}

async function unmount(ports: MachinePorts, mountPoint: string, signal: AbortSignal): Promise<void> {
  if (ports.platform.os !== "linux") return await runProgram(ports, "umount", [mountPoint], signal);
  const program = (await ports.processes.find("fusermount")) ?? (await ports.processes.find("fusermount3"));
  if (program === undefined)
    throw new MachineError("program-missing", "You must have a copy of the fusermount binary locally to use the unmount option");
  await runProgram(ports, program, ["-u", mountPoint], signal);
}

async function requireProgram(ports: MachinePorts, name: string, message: string): Promise<string> {
  const program = await ports.processes.find(name);
  if (program !== undefined) return program;
  throw new MachineError("program-missing", message, { hint: `Install it; on Debian and Ubuntu: apt-get install ${name}` });
}

async function runProgram(ports: MachinePorts, program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const { status, stderr } = await ports.processes.run(program, args, { signal });
  if (status !== 0)
    throw new MachineError("copy-failed", stderr.toString("utf8").trim() || `${program} ended with status ${status}`);
}
