/**
 * Commands through ssh2, in this process: for computers without the OpenSSH client, and for `--native-ssh`. Behaves as
 * the OpenSSH back end does, except that it knows no ssh_config, hardware keys or forwardings.
 */
import { once } from "node:events";
import { constants } from "node:os";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import type { Client, ClientChannel, SFTPWrapper } from "ssh2";
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { unlessAborted } from "../system/waiting.ts";
import { Bound, OutputMeter } from "./ssh-bounds.ts";
import type { SshExecutor, SshResult, SshRunOptions, SshSessionOptions, SshTarget } from "./executor.ts";
import { ensurePinnedKeys, firstKeysOf, pinFirstKey } from "./host-keys.ts";
import { openKeptFolder } from "./kept-folder.ts";
import { NativeConnection } from "./native-connection.ts";
import { gatherCredentials, type Credential, type Ssh2 } from "./native-credentials.ts";
import { fetchHostKey, login } from "./native-login.ts";
import { connectStreams, describeTerminal } from "./native-session.ts";
import type { PublicKey } from "./public-key.ts";
import { noisyShell, readSftpGreeting, sftpInit, silentSftp, type SftpGreeting } from "./sftp-greeting.ts";
import type { SshContext } from "./ssh-context.ts";
import { SharedResource } from "./shared-resource.ts";
import { commandTimedOut, describeAddress, executorClosed, statusMissing, unreachable } from "./ssh-errors.ts";

/** What OpenSSH reports for a session that ended without a status. */
const noStatus = 255;

export class NativeSshExecutor implements SshExecutor {
  readonly #target: SshTarget;
  readonly #context: SshContext;
  readonly #closing = new AbortController();
  readonly #connection = new SharedResource<NativeConnection>({
    open: () => this.#open(),
    isAlive: async (connection) => connection.isAlive,
    close: (connection) => connection.close(),
  });
  readonly #relays: AsyncDisposable[] = [];
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
    await this.#connectedFor(signal);
  }

  async run(command: string, options: SshRunOptions = {}): Promise<SshResult> {
    const late = (): unknown => commandTimedOut(this.#target, options.timeoutMs ?? 0);
    const meter = new OutputMeter(describeAddress(this.#target));
    using bound = new Bound(this.#context.clock, options.timeoutMs, late, options.signal, this.#closing.signal, meter.signal);
    const connection = await unlessAborted(this.#connected(), bound.signal);
    this.#commands += 1;
    const opening = connection.exec(command, undefined);
    const channel = await unlessAborted(opening, bound.signal).catch(async (error: unknown) => {
      opening.then(
        (late) => late.close(),
        () => {},
      );
      throw error;
    });
    return await closingOnAbort(channel, bound.signal, collect(connection, channel, options, meter));
  }

  async session(options: SshSessionOptions): Promise<number> {
    refuseFlags(options);
    using bound = new Bound(this.#context.clock, undefined, () => undefined, options.signal, this.#closing.signal);
    const connection = await unlessAborted(this.#connected(), bound.signal);
    this.#commands += 1;
    const terminal = describeTerminal(options, this.#context);
    const channel = await unlessAborted(connection.exec(options.command, terminal), bound.signal);
    const ending = endingOf(channel);
    await closingOnAbort(channel, bound.signal, connectStreams(channel, this.#context, terminal !== undefined));
    return statusOf(connection, await ending) ?? noStatus;
  }

  async openStream(command: string, signal?: AbortSignal): Promise<Duplex> {
    const connection = await this.#connectedFor(signal);
    this.#commands += 1;
    const channel = await connection.exec(command, undefined);
    channel.stderr.resume();
    return channel;
  }

  async forwardSocket(remotePath: string, signal?: AbortSignal): Promise<string> {
    const connection = await this.#connectedFor(signal);
    const { SocketRelay } = await import("./socket-relay.ts");
    const folder = await openKeptFolder(this.#context.computer, this.#context.processes);
    this.#relays.push(folder);
    const socketPath = path.join(folder.path, path.basename(remotePath));
    this.#relays.push(await SocketRelay.listen({ socketPath, open: () => connection.streamLocal(remotePath) }));
    return socketPath;
  }

  /**
   * A file transfer channel. The caller ends it. Throws `copy-failed` where the machine offers none, `timeout` where its
   * server does not answer.
   */
  async sftp(signal?: AbortSignal): Promise<SFTPWrapper> {
    const machine = this.#target.hostKeys.alias;
    const boundMs = this.#target.connectTimeoutMs;
    const connection = await this.#connectedFor(signal);
    using bound = new Bound(this.#context.clock, boundMs, () => silentSftp(machine, boundMs), signal, this.#closing.signal);
    this.#commands += 1;
    try {
      return await unlessAborted(connection.sftp(), bound.signal);
    } catch (error) {
      if (bound.signal.aborted) throw bound.signal.reason;
      throw await this.#whyNoSftp(connection, error, bound.signal);
    }
  }

  async #whyNoSftp(connection: NativeConnection, error: unknown, signal: AbortSignal): Promise<unknown> {
    const greeting = connection.isAlive ? await this.#greeting(connection, signal).catch(() => undefined) : undefined;
    if (greeting?.kind === "noise") return noisyShell(this.#target.hostKeys.alias, greeting.text);
    return new MachineError("copy-failed", `"${this.#target.hostKeys.alias}" offers no SFTP: ${messageOf(error)}`, {
      cause: error,
      hint: "Install an SFTP server on the machine, or run the command without --native-ssh.",
    });
  }

  /** What stands in the place of an answer. */
  async #greeting(connection: NativeConnection, signal: AbortSignal): Promise<SftpGreeting> {
    const channel = await unlessAborted(connection.subsystem("sftp"), signal);
    const answer = once(channel, "data") as Promise<[Buffer]>;
    const ended = once(channel, "close").then(() => [Buffer.alloc(0)] as const);
    channel.end(sftpInit);
    try {
      const [bytes] = await unlessAborted(Promise.race([answer, ended]), signal);
      return readSftpGreeting(bytes);
    } finally {
      channel.close();
    }
  }

  async #connectedFor(signal: AbortSignal | undefined): Promise<NativeConnection> {
    using bound = new Bound(this.#context.clock, undefined, () => undefined, signal, this.#closing.signal);
    return await unlessAborted(this.#connected(), bound.signal);
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) this.#closing.abort(executorClosed(this.#target));
    for (const relay of this.#relays.splice(0).toReversed()) await relay[Symbol.asyncDispose]();
    await this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connected(): Promise<NativeConnection> {
    this.#closing.signal.throwIfAborted();
    return await this.#connection.get();
  }

  async #open(): Promise<NativeConnection> {
    using bound = new Bound(
      this.#context.clock,

      this.#target.connectTimeoutMs,
      () => unreachable(this.#target, "timed-out"),
      this.#closing.signal,
    );
    return new NativeConnection(this.#target, await this.#login(bound.signal));
  }

  async #login(signal: AbortSignal): Promise<Client> {
    const ssh2: Ssh2 = (await import("ssh2")).default;
    const credentials = await unlessAborted(gatherCredentials(ssh2, this.#target, this.#context), signal);
    const client = await this.#meet(ssh2, credentials, signal);
    logTo(this.#context.report, "debug", `Connected to ${this.#target.hostName} through ssh2`);
    return client;
  }

  async #meet(ssh2: Ssh2, credentials: readonly Credential[], signal: AbortSignal): Promise<Client> {
    const { report } = this.#context;
    const target = this.#target;
    const first = await firstKeysOf(target);
    try {
      if (first !== undefined) {
        const onFirstKey = async (key: PublicKey): Promise<void> => await pinFirstKey(target, key, report);
        return await login(ssh2, target, { first, onFirstKey }, credentials, signal);
      }
    } catch (error) {
      // It showed none of the keys by which the user knows it, and was told nothing.
      if (first === "any" || !isMachineError(error, "host-key-mismatch")) throw error;
    }
    const pinned = await ensurePinnedKeys(target, (types) => fetchHostKey(ssh2, target, types, signal), report);
    return await login(ssh2, target, { pinned }, credentials, signal);
  }
}

function refuseFlags({ sshFlags }: SshSessionOptions): void {
  if (sshFlags === undefined || sshFlags.length === 0) return;
  throw new MachineError("usage", `The flag ${sshFlags[0]} belongs to the OpenSSH client, which --native-ssh leaves out`, {
    hint: "Run the command again without --native-ssh.",
  });
}

interface Ending {
  readonly code: number | null | undefined;
  readonly signal: string | undefined;
}

function endingOf(channel: ClientChannel): Promise<Ending> {
  return new Promise((resolve) => {
    channel.once("close", (code: number | null | undefined, signal?: string) => resolve({ code, signal }));
  });
}

/** Undefined where the server did not tell. */
function statusOf(connection: NativeConnection, { code, signal }: Ending): number | undefined {
  if (typeof code === "number") return code;
  if (code === null) return 128 + (constants.signals[signal as NodeJS.Signals] ?? noStatus - 128);
  if (!connection.isAlive) throw connection.broken();
  return undefined;
}

async function collect(
  connection: NativeConnection,
  channel: ClientChannel,
  options: SshRunOptions,
  meter: OutputMeter,
): Promise<SshResult> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  channel.on("data", (chunk: Buffer) => {
    if (!meter.take(chunk)) return;
    stdout.push(chunk);
    options.onStdout?.(chunk);
  });
  channel.stderr.on("data", (chunk: Buffer) => {
    if (!meter.take(chunk)) return;
    stderr.push(chunk);
    options.onStderr?.(chunk);
  });
  const stderrEnded = new Promise((resolve) => channel.stderr.once("close", resolve));
  const ending = endingOf(channel);
  channel.end(options.stdin);
  const [ended] = await Promise.all([ending, stderrEnded]);
  const status = statusOf(connection, ended);
  if (status === undefined) throw statusMissing(connection.target);
  return { status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}

async function closingOnAbort<T>(channel: ClientChannel, signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await unlessAborted(work, signal);
  } finally {
    if (signal.aborted) channel.close();
  }
}
