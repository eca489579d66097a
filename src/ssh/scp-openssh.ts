/**
 * Copying with OpenSSH's scp, or rsync over ssh. The two machines of a copy may differ in everything, while options of
 * scp count for both: so each gets a block in an ssh_config made for this one copy.
 */
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import type { SshTarget } from "./executor.ts";
import { MachineError } from "../errors/machine-error.ts";
import { configBlock, copyLocation, opensshOptions, quotePath } from "./openssh-arguments.ts";
import { OpenSshExecutor } from "./openssh-executor.ts";
import type { SshContext } from "./ssh-context.ts";
import { makePrivateFolder } from "./private-folder.ts";
import type { CopyEndpoint, CopyRequest } from "./scp-request.ts";

/** The programs' names with 0.16.2's sentences for their absence. */
const programs = {
  scp: "You must have a copy of the scp binary locally to use the scp feature",
  rsync: "You must have a copy of the rsync binary locally to use the --delta option",
} as const;

/** Throws `copy-failed`, `program-missing`, and what connecting throws. */
export async function copyWithScp(request: CopyRequest, context: SshContext): Promise<void> {
  const program = await requireProgram("scp", context);
  await withCopyConfig(request, context, async (config, locations) => {
    const flags = [
      ...(request.recursive ? ["-r"] : []),
      ...(request.preserve === true ? ["-p"] : []),
      ...(request.quiet ? ["-q"] : []),
    ];
    const args = ["-3", "-F", config, ...flags, "--", ...locations];
    const outcome = await runCopy(program, args, request, context);
    // A machine without an SFTP server still has scp's old protocol.
    const status = outcome.hungUp ? (await runCopy(program, ["-O", ...args], request, context)).status : outcome.status;
    requireSuccess("scp", status);
  });
}

/** Throws as {@link copyWithScp}, and `usage` for two machines: rsync runs on one of the two ends itself. */
export async function copyWithRsync(request: CopyRequest, context: SshContext): Promise<void> {
  if (request.source.target !== undefined && request.destination.target !== undefined) {
    throw new MachineError("usage", "rsync cannot copy from one machine to another", {
      hint: "Run the command without --delta.",
    });
  }
  const program = await requireProgram("rsync", context);
  await withCopyConfig(request, context, async (config, locations) => {
    const flags = [
      ...(request.quiet ? ["-q"] : ["--progress"]),
      ...(request.recursive ? ["-r"] : []),
      ...(request.preserve === true ? ["-pt"] : []),
    ];
    const args = ["-e", `ssh -F ${config}`, ...flags, "--", ...locations];
    requireSuccess("rsync", (await runCopy(program, args, request, context)).status);
  });
}

async function requireProgram(name: keyof typeof programs, context: SshContext): Promise<string> {
  const program = await context.processes.find(name);
  if (program === undefined) throw new MachineError("program-missing", programs[name], { hint: `Install ${name}.` });
  return program;
}

type CopyWork = (configFile: string, locations: readonly [string, string]) => Promise<void>;

/** Connects to every machine first, so that what goes wrong there is told in our words, and lends scp the connections. */
async function withCopyConfig(request: CopyRequest, context: SshContext, work: CopyWork): Promise<void> {
  const folder = await makePrivateFolder(context.computer);
  const executors: OpenSshExecutor[] = [];
  const connect = (target: SshTarget): OpenSshExecutor => {
    const executor = new OpenSshExecutor(target, context);
    executors.push(executor);
    return executor;
  };
  try {
    const source = await describeEndpoint(request.source, "source", connect, request.signal);
    const destination = await describeEndpoint(request.destination, "destination", connect, request.signal);
    const config = path.join(folder, "config");
    await writeFile(config, source.block + destination.block + userConfiguration(request, context), { mode: 0o600 });
    await work(config, [source.location, destination.location]);
  } finally {
    await Promise.all(executors.map((executor) => executor.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface DescribedEndpoint {
  /** Its part of the ssh_config; "" for this computer. */
  readonly block: string;
  readonly location: string;
}

async function describeEndpoint(
  { target, path: file }: CopyEndpoint,
  name: string,
  connect: (target: SshTarget) => OpenSshExecutor,
  signal: AbortSignal | undefined,
): Promise<DescribedEndpoint> {
  if (target === undefined) return { block: "", location: localLocation(file) };
  const controlPath = await connect(target).controlPath(signal);
  const options = { ...opensshOptions(target), ...(controlPath === undefined ? {} : { ControlPath: controlPath }) };
  if (target.configHost !== undefined)
    return { block: configBlock(target.configHost, options), location: copyLocation(target, file) };
  return {
    block: configBlock(name, { HostName: target.hostName, ...options }),
    location: copyLocation({ ...target, configHost: name }, file),
  };
}

/** A colon before the first slash would make a machine of it. */
function localLocation(file: string): string {
  return /^[^/]*:/u.test(file) && !/^[A-Za-z]:[\\/]/u.test(file) ? `./${file}` : file;
}

/** Behind our blocks, as the first value of an option wins. */
function userConfiguration({ source, destination }: CopyRequest, context: SshContext): string {
  const wanted = [source, destination].some(({ target }) => target?.configHost !== undefined);
  return wanted ? `Match all\nInclude ${quotePath(context.sshConfigFile ?? "~/.ssh/config")}\n` : "";
}

interface CopyOutcome {
  readonly status: number | null;
  /** The other side hung up, as one without SFTP does; what scp said of that was kept back. */
  readonly hungUp: boolean;
}

async function runCopy(
  program: string,
  args: readonly string[],
  request: CopyRequest,
  context: SshContext,
): Promise<CopyOutcome> {
  const child = context.processes.spawn(program, args, { stdio: ["inherit", "inherit", "pipe"] });
  const onAbort = (): boolean => child.kill("SIGTERM");
  request.signal?.addEventListener("abort", onAbort, { once: true });
  let hungUp = false;
  child.stderr?.on("data", (chunk: Buffer) => {
    hungUp ||= /subsystem request failed|scp: Connection closed/u.test(chunk.toString("latin1"));
    if (!hungUp) (context.terminal ?? process).stderr.write(chunk);
  });
  try {
    const [status] = (await once(child, "close")) as [number | null];
    request.signal?.throwIfAborted();
    return { status, hungUp };
  } finally {
    request.signal?.removeEventListener("abort", onAbort);
  }
}

function requireSuccess(program: string, status: number | null): void {
  if (status === 0) return;
  // The program has said why; scripts know these words of 0.16.2.
  throw new MachineError("copy-failed", status === null ? `${program} was ended by a signal` : `exit status ${status}`);
}
