/**
 * Commands through the OpenSSH client: the user's agents, hardware keys and ssh_config work as they do by hand. All
 * commands share one connection, which is opened by the first and reopened when it was lost between two.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { constants } from "node:os";
import * as path from "node:path";
import { Duplex } from "node:stream";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { unlessAborted } from "../system/waiting.ts";
import { Bound, OutputMeter } from "./ssh-bounds.ts";
import type { SshExecutor, SshResult, SshRunOptions, SshSessionOptions, SshTarget } from "./executor.ts";
import type { FirstKeys } from "./host-keys.ts";
import { noForwardings, opensshDestination, socketForwardOptions, type OpenSshOptions } from "./openssh-arguments.ts";
import { OpenSshClient, readText } from "./openssh-client.ts";
import { diagnose, endedWithoutStatus, failedBeforeLogin, lastWords, spokenLines, statusArrived } from "./openssh-diagnosis.ts";
import { forwardTo, OpenSshMaster } from "./openssh-master.ts";
import type { SshContext } from "./ssh-context.ts";
import { makePrivateFolder } from "./private-folder.ts";
import { readSftpGreeting, sftpInit, type SftpGreeting } from "./sftp-greeting.ts";
import { SharedResource } from "./shared-resource.ts";
import { commandTimedOut, connectionClosed, describeAddress, executorClosed, statusMissing, unreachable } from "./ssh-errors.ts";

/** The status with which ssh reports its own failures, and which a command may have as well. */
const failureOfSsh = 255;

/** From the end of a connection's sessions to its own. */
const breakingMs = 50;

/** Where the commands of an executor find their connection. */
interface Line {
  readonly client: OpenSshClient;
  readonly folder: string;
  /** Undefined where OpenSSH cannot share connections (Windows): each command opens its own. */
  readonly master: OpenSshMaster | undefined;
}

export class OpenSshExecutor implements SshExecutor {
  readonly #target: SshTarget;
  readonly #context: SshContext;
  readonly #closing = new AbortController();
  readonly #line = new SharedResource<Line>({ open: () => this.#openLine(), isAlive: isUsable, close: closeLine });
  /** Sockets of the host that a connection leads to from its start. */
  readonly #forwards = new Set<string>();
  #commands = 0;

  /** Does nothing yet: the first command connects. */
  constructor(target: SshTarget, context: SshContext) {
    this.#target = target;
    this.#context = context;
  }

  get roundTrips(): number {
    return this.#commands;
  }

  async connect(signal?: AbortSignal): Promise<void> {
    const { master } = await this.#lineFor(signal);
    // Where no connection is shared, a command alone shows that the machine lets its user in.
    if (master === undefined) await this.run("exit 0", { signal });
  }

  async run(command: string, options: SshRunOptions = {}): Promise<SshResult> {
    const late = (): unknown => commandTimedOut(this.#target, options.timeoutMs ?? 0);
    const meter = new OutputMeter(describeAddress(this.#target));
    using bound = new Bound(this.#context.clock, options.timeoutMs, late, options.signal, this.#closing.signal, meter.signal);
    const line = await unlessAborted(this.#connected(), bound.signal);
    return await this.#withLog(line, async (logFile) => {
      const args = [
        ...clientArguments(line, { LogLevel: "DEBUG2" }),
        "-E",
        logFile,
        "-T",
        "--",
        opensshDestination(this.#target),
        command,
      ];
      const { stdin, onStdout, onStderr } = options;
      const result = await this.#context.processes.run(line.client.program, args, {
        stdin,
        onStdout: (chunk) => void (meter.take(chunk) && onStdout?.(chunk)),
        onStderr: (chunk) => void (meter.take(chunk) && onStderr?.(chunk)),
        signal: bound.signal,
      });
      const status = await this.#remoteStatus(line, result.status, await readText(logFile));
      return { status, stdout: result.stdout, stderr: result.stderr };
    });
  }

  async session(options: SshSessionOptions): Promise<number> {
    using bound = new Bound(this.#context.clock, undefined, () => undefined, options.signal, this.#closing.signal);
    if (options.sshFlags !== undefined && options.sshFlags.length > 0)
      return await this.#ownSession(options, options.sshFlags, bound.signal);
    const line = await unlessAborted(this.#connected(), bound.signal);
    return await this.#withLog(line, async (logFile) => {
      const args = [
        ...clientArguments(line, {}),
        "-E",
        logFile,
        ...terminalFlags(options),
        ...destinationAndCommand(this.#target, options),
      ];
      const status = await this.#runInteractively(line.client, args, bound.signal);
      const told = this.#remoteStatus(line, status, await readText(logFile));
      // At a terminal the client hears of an interrupt as soon as this process, and may have ended before that has.
      return await told.finally(() => bound.signal.throwIfAborted());
    });
  }

  async openStream(command: string, signal?: AbortSignal): Promise<Duplex> {
    const line = await this.#lineFor(signal);
    this.#commands += 1;
    const args = [...clientArguments(line, {}), "-T", "--", opensshDestination(this.#target), command];
    const child = this.#context.processes.spawn(line.client.program, args, { stdio: ["pipe", "pipe", "ignore"] });
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new TypeError("A process without pipes");
    const stream = Duplex.from({ writable: stdin, readable: stdout });
    stream.once("close", () => child.kill("SIGTERM"));
    return stream;
  }

  /**
   * The shared connection itself listens: such channels are none of the sessions that a server counts. Before it is opened
   * it is told to from the start, unless an entry of ssh_config could bring forwardings of its own.
   */
  async forwardSocket(remotePath: string, signal?: AbortSignal): Promise<string> {
    const isFromTheStart = this.#line.isUnopened && this.#target.configHost === undefined;
    if (isFromTheStart) this.#forwards.add(remotePath);
    const { client, master } = await this.#lineFor(signal);
    if (master === undefined) throw notHere();
    const forward = forwardTo(master.folder, remotePath);
    if (isFromTheStart) return forward.path;
    this.#commands += 1;
    const args = [
      ...client.arguments({ ...socketForwardOptions, ControlPath: master.controlPath }),
      ...["-O", "forward", ...forward.arguments, "--", opensshDestination(this.#target)],
    ];
    const { status, stderr } = await this.#context.processes.run(client.program, args, { signal });
    if (status === 0) return forward.path;
    throw connectionClosed(client.resolved, lastWords(stderr.toString("utf8")) ?? "it takes no forwarding");
  }

  async #lineFor(signal: AbortSignal | undefined): Promise<Line> {
    using bound = new Bound(this.#context.clock, undefined, () => undefined, signal, this.#closing.signal);
    return await unlessAborted(this.#connected(), bound.signal);
  }

  /** The socket of the shared connection, for scp and its like; undefined where there is none. Connects first. */
  async controlPath(signal?: AbortSignal): Promise<string | undefined> {
    return (await this.#lineFor(signal)).master?.controlPath;
  }

  /** What the machine answers to the first packet of SFTP. Throws what `late` makes after the bound on connecting. */
  async greetSftp(late: () => unknown, signal?: AbortSignal): Promise<SftpGreeting> {
    using closing = new Bound(this.#context.clock, undefined, () => undefined, signal, this.#closing.signal);
    const line = await unlessAborted(this.#connected(), closing.signal);
    using bound = new Bound(this.#context.clock, this.#target.connectTimeoutMs, late, closing.signal);
    return await this.#withLog(line, async (logFile) => {
      const args = [...clientArguments(line, {}), "-E", logFile, "-T", "-s", "--", opensshDestination(this.#target), "sftp"];
      return readSftpGreeting(await this.#firstAnswer(line.client.program, args, sftpInit, bound.signal));
    });
  }

  /** What a command says first to an input that stays open; empty where it ends without a word. */
  async #firstAnswer(program: string, args: readonly string[], input: Buffer, signal: AbortSignal): Promise<Buffer> {
    const child = this.#context.processes.spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
    child.stdin?.on("error", () => {});
    child.stdin?.write(input);
    const answer = once(child.stdout as NodeJS.EventEmitter, "data") as Promise<[Buffer]>;
    const nothing = once(child, "close").then(() => [Buffer.alloc(0)] as const);
    try {
      const [bytes] = await unlessAborted(Promise.race([answer, nothing]), signal);
      return bytes;
    } finally {
      child.kill("SIGTERM");
      child.stdin?.destroy();
      child.stdout?.destroy();
    }
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort(executorClosed(this.#target));
    await this.#line.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connected(): Promise<Line> {
    this.#closing.signal.throwIfAborted();
    return await this.#line.get();
  }

  async #openLine(): Promise<Line> {
    using bound = new Bound(
      this.#context.clock,
      this.#target.connectTimeoutMs,
      () => unreachable(this.#target, "timed-out"),
      this.#closing.signal,
    );
    const client = await OpenSshClient.prepare(this.#target, this.#context, bound.signal);
    const isShared = this.#context.computer.os !== "windows";
    const first = isShared ? await client.firstKeys() : undefined;
    if (first === undefined) await client.establishTrust(bound.signal);
    if (!isShared) {
      return { client, folder: await makePrivateFolder(this.#context.computer), master: undefined };
    }
    const master = await this.#openMaster(client, first, bound.signal);
    logTo(this.#context.report, "debug", `Connected to ${client.resolved.hostName} through ${client.program}`);
    return { client, folder: master.folder, master };
  }

  async #openMaster(client: OpenSshClient, first: FirstKeys | undefined, signal: AbortSignal): Promise<OpenSshMaster> {
    const forwards = [...this.#forwards];
    try {
      return await OpenSshMaster.open(client, { forwards, first }, signal);
    } catch (error) {
      // It showed none of the keys by which the user knows it, and was told nothing.
      if (first === undefined || first === "any" || !isMachineError(error, "host-key-mismatch")) throw error;
      await client.establishTrust(signal);
      return await OpenSshMaster.open(client, { forwards, first: undefined }, signal);
    }
  }

  /** A session with flags of the user's own: forwardings and the like must not end up in a shared connection. */
  async #ownSession(options: SshSessionOptions, flags: readonly string[], signal: AbortSignal): Promise<number> {
    using bound = new Bound(
      this.#context.clock,
      this.#target.connectTimeoutMs,
      () => unreachable(this.#target, "timed-out"),
      signal,
    );
    const client = await OpenSshClient.prepare(this.#target, this.#context, bound.signal);
    await client.establishTrust(bound.signal);
    const args = [...client.arguments({}), ...terminalFlags(options), ...flags, ...destinationAndCommand(this.#target, options)];
    this.#commands += 1;
    return (await this.#runInteractively(client, args, signal)) ?? failureOfSsh;
  }

  async #runInteractively(client: OpenSshClient, args: readonly string[], signal: AbortSignal): Promise<number | null> {
    const child = this.#context.processes.spawn(client.program, args, { stdio: "inherit" });
    const onAbort = (): boolean => child.kill("SIGTERM");
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const [status, endedBy] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      signal.throwIfAborted();
      return endedBy === null ? status : 128 + constants.signals[endedBy];
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #withLog<T>(line: Line, work: (logFile: string) => Promise<T>): Promise<T> {
    this.#commands += 1;
    const logFile = path.join(line.folder, `command-${this.#commands}`);
    try {
      return await work(logFile);
    } finally {
      await rm(logFile, { force: true });
    }
  }

  /** Tells a command's own 255 from ssh's, and throws what ssh failed of. */
  async #remoteStatus({ client, master }: Line, status: number | null, log: string): Promise<number> {
    if (status !== failureOfSsh && status !== null) return status;
    if (statusArrived(log)) return failureOfSsh;
    if (master !== undefined && !(await master.isAlive())) {
      throw connectionClosed(client.resolved, lastWords(log) ?? lastWords(await master.log()));
    }
    if (failedBeforeLogin(log)) throw await diagnose(client.resolved, log, true, client.encryptedKey);
    if (status === null || spokenLines(log).length > 0) throw connectionClosed(client.resolved, lastWords(log));
    if (master === undefined || !endedWithoutStatus(log, await master.log())) return failureOfSsh;
    // A connection that breaks takes its sessions along before it is gone itself.
    await this.#context.clock.sleep(breakingMs, this.#closing.signal).catch(() => {});
    throw (await master.isAlive())
      ? statusMissing(client.resolved)
      : connectionClosed(client.resolved, lastWords(await master.log()));
  }
}

function clientArguments(line: Line, options: OpenSshOptions): string[] {
  const shared = line.master === undefined ? {} : { ControlPath: line.master.controlPath };
  return line.client.arguments({ ...noForwardings, ...options, ...shared });
}

function terminalFlags({ terminal }: SshSessionOptions): string[] {
  return { yes: ["-t"], force: ["-tt"], no: ["-T"], auto: [] }[terminal];
}

function destinationAndCommand(target: SshTarget, { command }: SshSessionOptions): string[] {
  return ["--", opensshDestination(target), ...(command === undefined ? [] : [command])];
}

function notHere(): MachineError {
  return new MachineError("driver-unsupported", "The OpenSSH client of this computer cannot share a connection", {
    hint: "Run the command again with --native-ssh.",
  });
}

async function isUsable({ master }: Line): Promise<boolean> {
  return master === undefined || (await master.isAlive());
}

async function closeLine(line: Line): Promise<void> {
  if (line.master === undefined) await rm(line.folder, { recursive: true, force: true });
  else await line.master.close();
}
