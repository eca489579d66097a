/**
 * The way to a logged-in ssh2 client: socket, key exchange, host key, authentication. ssh2 checks no host key by
 * itself, so a verifier is always set here, and it only ever accepts keys it is given.
 */
import { once } from "node:events";
import * as net from "node:net";
import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import { messageOf, systemCodeOf } from "../errors/machine-error.ts";
import { unlessAborted } from "../system/waiting.ts";
import { isOwnBound, keepalive } from "./ssh-bounds.ts";
import type { SshTarget } from "./executor.ts";
import { hostKeyAlgorithms, type FirstKeys } from "./host-keys.ts";
import type { Credential, Ssh2 } from "./native-credentials.ts";
import { fingerprintOf, publicKeyFromBlob, sameKey, type PublicKey } from "./public-key.ts";
import { authenticationRefused, hostKeyMismatch, tooManyKeys, unreachable, type UnreachableReason } from "./ssh-errors.ts";

/** All that ssh2 knows and that does not rest on SHA-1. */
const hostKeyTypes = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"] as const;

/** A dead connection is noticed after about a minute, as with the OpenSSH client. */
const liveness = { keepaliveInterval: keepalive.intervalMs, keepaliveCountMax: keepalive.unanswered } as const;

const socketReasons: Readonly<Record<string, UnreachableReason>> = {
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timed-out",
  EHOSTUNREACH: "no-route",
  ENETUNREACH: "no-route",
  EHOSTDOWN: "no-route",
  ENOTFOUND: "unknown-host",
  EAI_AGAIN: "unknown-host",
  ECONNRESET: "hung-up",
  EPIPE: "hung-up",
};

/** Which host key may be shown: one that is pinned, or one that is pinned then, before anything else is said to the host. */
type HostKeyTrust =
  | { readonly pinned: readonly PublicKey[] }
  | { readonly first: FirstKeys; readonly onFirstKey: (key: PublicKey) => Promise<void> };

/** Logs in. Throws what the failure is, or the signal's reason. */
export async function login(
  ssh2: Ssh2,
  target: SshTarget,
  trust: HostKeyTrust,
  credentials: readonly Credential[],
  signal: AbortSignal,
): Promise<Client> {
  const attempt = await Attempt.start(ssh2, target, signal);
  return await attempt.login(trust, credentials);
}

/** Lets the host show a key of the given types, and goes away. Undefined where it has none of these. */
export async function fetchHostKey(
  ssh2: Ssh2,
  target: SshTarget,
  keyTypes: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<PublicKey | undefined> {
  const attempt = await Attempt.start(ssh2, target, signal);
  return await attempt.fetchHostKey(keyTypes ?? hostKeyTypes);
}

type Verify = (key: PublicKey) => boolean | Promise<boolean>;

/** One TCP connection and what has come of it. */
class Attempt {
  readonly #target: SshTarget;
  readonly #socket: net.Socket;
  readonly #client: Client;
  readonly #signal: AbortSignal;
  /** The first bytes the server sent: they tell a server of another kind from a slow one. */
  #greeting = "";
  #presented: PublicKey | undefined;
  /** What the next key exchange may show. */
  #accepted: FirstKeys = [];
  /** Why the first key could not be pinned. */
  #pinFailure: unknown;
  readonly #tried: string[] = [];
  #offered: string | undefined;

  private constructor(target: SshTarget, socket: net.Socket, client: Client, signal: AbortSignal) {
    this.#target = target;
    this.#socket = socket;
    this.#client = client;
    this.#signal = signal;
  }

  static async start(ssh2: Ssh2, target: SshTarget, signal: AbortSignal): Promise<Attempt> {
    return new Attempt(target, await openSocket(target, signal), new ssh2.Client(), signal);
  }

  async login(trust: HostKeyTrust, credentials: readonly Credential[]): Promise<Client> {
    const accepted = "pinned" in trust ? trust.pinned : trust.first;
    this.#accepted = accepted;
    const types = [...new Set([...(accepted === "any" ? [] : accepted.map((key) => key.type)), ...hostKeyTypes])];
    const verify: Verify = (key) =>
      this.#accepts(key) && ("pinned" in trust || this.#accepted !== accepted || this.#take(key, trust.onFirstKey));
    try {
      await this.#untilReady(types, verify, this.#authHandler(credentials));
      return this.#client;
    } catch (error) {
      this.#socket.destroy();
      if (this.#pinFailure !== undefined) throw this.#pinFailure;
      const presented = this.#presented;
      if (presented !== undefined && this.#accepted !== "any" && !this.#accepts(presented))
        throw hostKeyMismatch(this.#target, this.#accepted.map(fingerprintOf), presented);
      throw this.#explain(error);
    }
  }

  #accepts(key: PublicKey): boolean {
    return this.#accepted === "any" || this.#accepted.some((known) => sameKey(known, key));
  }

  async #take(key: PublicKey, onFirstKey: (key: PublicKey) => Promise<void>): Promise<boolean> {
    this.#accepted = [key];
    try {
      await onFirstKey(key);
      return true;
    } catch (error) {
      this.#pinFailure = error;
      return false;
    }
  }

  /** Every key is declined, so that the exchange ends with it and nothing else is sent. */
  async fetchHostKey(types: readonly string[]): Promise<PublicKey | undefined> {
    try {
      await this.#untilReady(
        types,
        () => false,
        () => false,
      );
      throw new TypeError("A login without a host key");
    } catch (error) {
      if (this.#presented !== undefined) return this.#presented;
      if (isAlgorithmMismatch(error)) return undefined;
      throw this.#explain(error);
    } finally {
      this.#socket.destroy();
    }
  }

  async #untilReady(types: readonly string[], verify: Verify, authHandler: ConnectConfig["authHandler"]): Promise<void> {
    const ready = Promise.withResolvers<void>();
    this.#client.once("ready", () => ready.resolve());
    this.#client.on("error", (error) => {
      if (!isPassing(error)) ready.reject(error);
    });
    this.#client.once("close", () => ready.reject(new Error("the server closed the connection")));
    this.#socket.on("data", (chunk: Buffer) => {
      if (this.#greeting.length < 1_024) this.#greeting += chunk.toString("latin1");
    });
    this.#client.connect({
      sock: this.#socket,
      username: this.#target.userName,
      algorithms: { serverHostKey: hostKeyAlgorithms(types) as ServerHostKeyAlgorithm[] },
      hostVerifier: (blob: Buffer, answer: (accepted: boolean) => void) => this.#present(blob, verify, answer),
      authHandler,
      readyTimeout: 0,
      ...liveness,
    } as ConnectConfig);
    await unlessAborted(ready.promise, this.#signal);
  }

  /** Called again when keys are renewed in a long connection: the host must show an accepted key then, too. */
  #present(blob: Buffer, verify: Verify, answer: (accepted: boolean) => void): void {
    const key = publicKeyFromBlob(blob);
    this.#presented = key;
    const accepted = key !== undefined && verify(key);
    if (typeof accepted === "boolean") answer(accepted);
    else void accepted.then(answer);
  }

  #authHandler(credentials: readonly Credential[]): ConnectConfig["authHandler"] {
    const queue = [...credentials];
    return (methodsLeft: readonly string[] | null): unknown => {
      this.#offered = methodsLeft?.join(",");
      const next = queue.shift();
      if (next === undefined) return false;
      this.#tried.push(next.label);
      return next.method;
    };
  }

  #explain(error: unknown): unknown {
    if (isOwnBound(this.#signal)) return unreachable(this.#target, this.#stageReached(), { cause: error });
    if (this.#signal.aborted) return this.#signal.reason;
    if (/Too many authentication failures/iu.test(messageOf(error))) return tooManyKeys(this.#target, this.#tried.length);
    if (isAuthenticationFailure(error)) return authenticationRefused(this.#target, this.#tried, this.#offered);
    if (isAlgorithmMismatch(error)) return unreachable(this.#target, "no-common-algorithm", { cause: error });
    // sshd says so in the place of its greeting.
    if (/^(?:Not allowed at this time|Exceeded MaxStartups)\r?$/mu.test(this.#greeting))
      return unreachable(this.#target, "refused-for-now", { cause: error });
    if (this.#greeting !== "" && !this.#sawSshGreeting()) return unreachable(this.#target, "not-ssh", { cause: error });
    return unreachable(this.#target, socketReasons[systemCodeOf(error) ?? ""] ?? "hung-up", {
      cause: error,
      detail: messageOf(error),
    });
  }

  #stageReached(): UnreachableReason {
    return this.#sawSshGreeting() ? "handshake-timed-out" : "silent";
  }

  #sawSshGreeting(): boolean {
    return /^SSH-[\d.]+-[^\n]*\n/mu.test(this.#greeting);
  }
}

/** Every small packet leaves at once: with Nagle's algorithm a command costs 40 ms more. */
async function openSocket(target: SshTarget, signal: AbortSignal): Promise<net.Socket> {
  const socket = net.connect({ host: target.hostName, port: target.port === 0 ? 22 : target.port, noDelay: true });
  try {
    await unlessAborted(once(socket, "connect"), signal);
    gatherWrites(socket);
    return socket;
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : unreachable(target, socketReasonOf(error), { cause: error });
  }
}

/** ssh2 writes each packet in three pieces, and many packets at once: what is written in one turn leaves by one call. */
function gatherWrites(socket: net.Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let isGathering = false;
  const leave = (): void => {
    isGathering = false;
    socket.uncork();
  };
  socket.write = (...args: unknown[]): boolean => {
    if (!isGathering) {
      isGathering = true;
      socket.cork();
      process.nextTick(leave);
    }
    return write(...args);
  };
}

/** A name with several addresses fails with all their errors; the first that we know speaks for them. */
function socketReasonOf(error: unknown): UnreachableReason {
  const errors = error instanceof AggregateError ? error.errors : [error];
  return errors.map((one) => socketReasons[systemCodeOf(one) ?? ""]).find((reason) => reason !== undefined) ?? "other";
}

/** Errors of one key or of the agent: ssh2 reports them and goes on with the next. */
function isPassing(error: unknown): boolean {
  const { level } = error as { level?: unknown };
  return level === "agent" || (level === "client-authentication" && !isAuthenticationFailure(error));
}

function isAuthenticationFailure(error: unknown): boolean {
  return /All configured authentication methods failed|Too many authentication failures/iu.test(messageOf(error));
}

function isAlgorithmMismatch(error: unknown): boolean {
  return /no matching/iu.test(messageOf(error));
}
