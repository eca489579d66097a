/**
 * A running plugin and the one connection to it: handshake, calls, heartbeats beside them, and an end on every path.
 * Knows the protocol's calls, not what they mean for a machine.
 */
import { connect, type Socket } from "node:net";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { RpcClient } from "../gocompat/netrpc/client.ts";
import type { RpcMethod } from "../gocompat/netrpc/messages.ts";
import { RpcError } from "../gocompat/netrpc/rpc-error.ts";
import { formatBound } from "../system/time-text.ts";
import { unlessAborted } from "../system/waiting.ts";
import { answerWithin, isOverdue } from "./plugin-bounds.ts";
import type { PluginLocation } from "./discover.ts";
import { PluginProcess, type PluginAddress, type PluginHost, type PluginLog } from "./plugin-process.ts";
import {
  methods,
  notRunningText,
  protocolVersion,
  serviceNames,
  type ArgumentOf,
  type MethodName,
  type ReplyOf,
  type ServiceName,
} from "./protocol.ts";

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Undefined = as long as the plugin answers heartbeats. */
  readonly timeoutMs?: number | undefined;
}

/** How long the exit status of a plugin that closed the connection is waited for, to tell it in the message. */
const exitStatusMs = 500;

export class PluginSession {
  readonly #process: PluginProcess;
  readonly #host: PluginHost;
  readonly #socket: Socket;
  readonly #rpc: RpcClient;
  readonly #closing = new AbortController();
  #service: ServiceName = serviceNames[0];
  #failure: MachineError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(process: PluginProcess, host: PluginHost, socket: Socket) {
    this.#process = process;
    this.#host = host;
    this.#socket = socket;
    this.#rpc = new RpcClient({ send: (bytes) => socket.write(bytes), onProtocolError: () => socket.destroy() });
    socket.on("data", (chunk) => this.#rpc.receive(chunk));
    socket.on("close", () => this.#rpc.end());
  }

  /**
   * Starts a plugin, agrees on the version and hands it a machine's configuration. Throws what `call` throws; nothing is
   * left running then.
   */
  static async open(
    location: PluginLocation,
    host: PluginHost,
    config: string,
    log: PluginLog,
    signal?: AbortSignal,
  ): Promise<PluginSession> {
    const process = new PluginProcess(location, host, log);
    let socket: Socket | undefined;
    try {
      socket = await connectTo(await process.address(signal), process, host, signal);
      const session = new PluginSession(process, host, socket);
      await session.#handshake(config, signal);
      void session.#beat();
      return session;
    } catch (error) {
      socket?.destroy();
      await process.kill();
      throw error;
    }
  }

  /** Resolves when the program has ended. */
  get ended(): Promise<void> {
    return this.#process.ended;
  }

  /** Whether calls can still be made. */
  get isOpen(): boolean {
    return this.#failure === undefined && this.#closed === undefined && !this.#socket.destroyed;
  }

  /**
   * Calls a method. Throws `driver-failed` with the plugin's own text, `machine-not-running` and `driver-unsupported`
   * where the text says so, `plugin-failed`, or the signal's reason.
   */
  async call<Name extends MethodName>(name: Name, argument: ArgumentOf<Name>, options: CallOptions = {}): Promise<ReplyOf<Name>> {
    options.signal?.throwIfAborted();
    const method = methods[name] as unknown as RpcMethod<ArgumentOf<Name>, ReplyOf<Name>>;
    const answer = this.#rpc.call(`${this.#service}.${name}`, method, argument);
    try {
      return await this.#bounded(name, answer, options);
    } catch (error) {
      throw error instanceof RpcError ? await this.#explain(name, error) : error;
    }
  }

  /** Asks the plugin to end, and sees to it that it does. Idempotent; never fails. */
  async close(): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    const agreed = !this.#socket.destroyed && (await this.#askToClose());
    this.#socket.destroy();
    await this.#process.end(agreed);
  }

  /** Whether the plugin took note: its answer races with its end. */
  async #askToClose(): Promise<boolean> {
    const answer = this.#rpc.call(`${this.#service}.Close`, methods.Close, {});
    return await answerWithin(answer, this.#host.bounds.closeMs, this.#host.clock).then(
      () => true,
      (error: unknown) => error instanceof RpcError && error.kind === "closed",
    );
  }

  async #bounded<T>(name: MethodName, answer: Promise<T>, { signal, timeoutMs }: CallOptions): Promise<T> {
    if (timeoutMs === undefined) return signal === undefined ? await answer : await unlessAborted(answer, signal);
    try {
      return await answerWithin(answer, timeoutMs, this.#host.clock, signal);
    } catch (error) {
      if (!isOverdue(error, signal)) throw error;
      throw this.#process.failure(`did not answer ${name} within ${formatBound(timeoutMs)}`, error);
    }
  }

  async #explain(name: MethodName, error: RpcError): Promise<MachineError> {
    if (error.kind === "remote") return remoteError(error.message);
    if (this.#failure !== undefined) return this.#failure;
    if (error.kind === "protocol") return this.#process.failure(`broke the protocol: ${error.message}`, error);
    const ending = await this.#process.ending(exitStatusMs);
    return this.#process.failure(`${ending === undefined ? "closed the connection" : `ended (${ending})`} during ${name}`, error);
  }

  /** The first call settles the service's name: any error makes Go try the old one, and keep it. */
  async #handshake(config: string, signal: AbortSignal | undefined): Promise<void> {
    const options = { signal, timeoutMs: this.#host.bounds.handshakeMs };
    const version = await this.call("GetVersion", {}, options).catch(async (error: unknown) => {
      if (!isMachineError(error) || error.code === "plugin-failed") throw error;
      this.#service = serviceNames[1];
      return await this.call("GetVersion", {}, options);
    });
    if (version !== protocolVersion) {
      throw new MachineError("plugin-failed", `Driver binary uses an incompatible API version (${version})`, {
        hint: `Replace ${this.#process.location.program} by a release for API version ${protocolVersion}.`,
      });
    }
    await this.call("SetConfigRaw", Buffer.from(config), options);
  }

  /** Until the session closes: a plugin ends itself when heartbeats stay out, and hangs when it does not answer them. */
  async #beat(): Promise<void> {
    const { clock, bounds } = this.#host;
    try {
      for (;;) {
        await clock.sleep(bounds.heartbeatIntervalMs, this.#closing.signal);
        const answer = this.#rpc.call(`${this.#service}.Heartbeat`, methods.Heartbeat, {});
        await answerWithin(answer, bounds.heartbeatAnswerMs, clock, this.#closing.signal);
      }
    } catch (error) {
      // A connection that ended is told by the call that was under way; an old plugin's missing method does not matter.
      if (isMachineError(error, "timeout")) await this.#giveUp();
    }
  }

  async #giveUp(): Promise<void> {
    this.#failure = this.#process.failure(
      `answered no heartbeat for ${formatBound(this.#host.bounds.heartbeatAnswerMs)} and was ended`,
    );
    this.#socket.destroy();
    await this.#process.kill();
  }
}

function connectTo(
  { host: address, port }: PluginAddress,
  process: PluginProcess,
  { bounds, clock }: PluginHost,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const refused = `did not accept a connection at ${address}:${port}`;
  const socket = connect({ host: address, port, noDelay: true });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    // Stays: an error later on is told by the end of the connection.
    socket.on("error", (error) => reject(process.failure(refused, error)));
  });
  return answerWithin(connected, bounds.handshakeMs, clock, signal).catch((error: unknown) => {
    socket.destroy();
    throw isOverdue(error, signal) ? process.failure(`${refused} within ${formatBound(bounds.handshakeMs)}`, error) : error;
  });
}

/** An error that a plugin answered with: text is all there is. */
function remoteError(text: string): MachineError {
  if (text === notRunningText) return new MachineError("machine-not-running", text);
  if (/^rpc: can't find (method|service) /u.test(text)) return new MachineError("driver-unsupported", text);
  return new MachineError("driver-failed", text);
}
