/**
 * Running scp and rsync. The two machines of a copy may differ in everything, while options of these programs count for
 * both: so each gets a block in an ssh_config made for this one copy, and a connection that is open before.
 */
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type { SshTarget } from "./executor.ts";
import { configBlock, copyLocation, opensshOptions, quotePath } from "./openssh-arguments.ts";
import { OpenSshExecutor } from "./openssh-executor.ts";
import { makePrivateFolder } from "./private-folder.ts";
import type { CopyEndpoint, CopyRequest } from "./scp-request.ts";
import type { SshContext } from "./ssh-context.ts";

/** The programs' names with 0.16.2's sentences for their absence. */
const programs = {
  scp: "You must have a copy of the scp binary locally to use the scp feature",
  rsync: "You must have a copy of the rsync binary locally to use the --delta option",
} as const;

export interface Machine {
  readonly target: SshTarget;
  readonly executor: OpenSshExecutor;
}

/** One side of a copy as the programs are told of it. */
export interface CopySide {
  /** Undefined = this computer. */
  readonly machine: Machine | undefined;
  /** As typed. */
  readonly path: string;
  /** The argument for a path on this side; for its own where none is given. */
  location(path?: string): string;
}

/** Looks at what the program says on standard error; shows what is for people, and may stop it. */
export type ErrorWatch = (stderr: NodeJS.ReadableStream, show: (text: string) => void, stop: (reason: Error) => void) => void;

export interface CopyProgram {
  readonly request: CopyRequest;
  readonly context: SshContext;
  readonly configFile: string;
  /** Of scp. */
  readonly flags: readonly string[];
  /** Whether this computer's scp can use SFTP; before OpenSSH 8.7 it knows its old protocol only, and no flag for it. */
  readonly knowsSftp: boolean;
  readonly source: CopySide;
  readonly destination: CopySide;
  /** Runs it to its end. Throws `copy-failed` with 0.16.2's words: the program has said why. */
  run(args: readonly string[], watch?: ErrorWatch, signal?: AbortSignal): Promise<void>;
}

/** Connects to every machine first, so that what goes wrong there is told in our words, and lends the connections. */
export async function withCopyProgram(
  name: keyof typeof programs,
  request: CopyRequest,
  context: SshContext,
  work: (program: CopyProgram) => Promise<void>,
): Promise<void> {
  const program = await context.processes.find(name);
  if (program === undefined) throw new MachineError("program-missing", programs[name], { hint: `Install ${name}.` });
  const sftp = name === "rsync" ? Promise.resolve(true) : knowsSftp(context);
  sftp.catch(() => {});
  const folder = await makePrivateFolder(context.computer);
  const configFile = path.join(folder, "config");
  const executors: OpenSshExecutor[] = [];
  const connect = (target: SshTarget): OpenSshExecutor => {
    const executor = new OpenSshExecutor(target, context);
    executors.push(executor);
    return executor;
  };
  try {
    const source = await describeSide(request.source, "source", connect, request.signal);
    const destination = await describeSide(request.destination, "destination", connect, request.signal);
    await writeFile(configFile, source.block + destination.block + userConfiguration(request, context), { mode: 0o600 });
    await work({
      request,
      context,
      configFile,
      flags: flagsOf(request),
      knowsSftp: await sftp,
      source: source.side,
      destination: destination.side,
      run: async (args, watch, signal) => await run(name, program, args, context, signal ?? request.signal, watch),
    });
  } finally {
    await Promise.all(executors.map((executor) => executor.close()));
    await rm(folder, { recursive: true, force: true });
  }
}

function flagsOf(request: CopyRequest): string[] {
  return [...(request.recursive ? ["-r"] : []), ...(request.preserve === true ? ["-p"] : []), ...(request.quiet ? ["-q"] : [])];
}

async function knowsSftp(context: SshContext): Promise<boolean> {
  const { stderr } = await context.processes.run("ssh", ["-V"], { timeoutMs: 10_000 });
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/u.exec(stderr.toString("latin1")) ?? [];
  return major === undefined || Number(major) * 100 + Number(minor) >= 807;
}

async function describeSide(
  { target, path: file }: CopyEndpoint,
  name: string,
  connect: (target: SshTarget) => OpenSshExecutor,
  signal: AbortSignal | undefined,
): Promise<{ readonly block: string; readonly side: CopySide }> {
  if (target === undefined) {
    return { block: "", side: { machine: undefined, path: file, location: (other = file) => localLocation(other) } };
  }
  const executor = connect(target);
  const controlPath = await executor.controlPath(signal);
  const options = { ...opensshOptions(target), ...(controlPath === undefined ? {} : { ControlPath: controlPath }) };
  const named = { ...target, configHost: target.configHost ?? name };
  const block = configBlock(
    named.configHost,
    target.configHost === undefined ? { HostName: target.hostName, ...options } : options,
  );
  return { block, side: { machine: { target, executor }, path: file, location: (other = file) => copyLocation(named, other) } };
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

async function run(
  name: string,
  program: string,
  args: readonly string[],
  context: SshContext,
  signal: AbortSignal | undefined,
  watch: ErrorWatch | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const child = context.processes.spawn(program, args, { stdio: ["inherit", "inherit", "pipe"] });
  let stopped: Error | undefined;
  // A shared connection has the pipe as well, for as long as the other side has a session open.
  const end = (): void => {
    child.kill("SIGTERM");
    child.stderr?.destroy();
  };
  const stop = (reason: Error): void => {
    stopped ??= reason;
    end();
  };
  const onAbort = (): void => end();
  signal?.addEventListener("abort", onAbort, { once: true });
  const { stderr } = context.terminal ?? process;
  if (child.stderr !== null) {
    if (watch === undefined) child.stderr.on("data", (chunk: Buffer) => void stderr.write(chunk));
    else watch(child.stderr, (text) => void stderr.write(text), stop);
  }
  try {
    const [status] = (await once(child, "close")) as [number | null];
    signal?.throwIfAborted();
    if (stopped !== undefined) throw stopped;
    if (status === 0) return;
    // Scripts know these words of 0.16.2.
    throw new MachineError("copy-failed", status === null ? `${name} was ended by a signal` : `exit status ${status}`);
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
