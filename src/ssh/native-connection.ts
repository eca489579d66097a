/**
 * One SSH connection by ssh2, in this process: reached, its host key verified, logged in. Opens channels, one after the
 * other where the server allows no more at a time. Failures are told in the words of `ssh-errors.ts`.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Client, ClientChannel, PseudoTtyOptions, SFTPWrapper } from "ssh2";
import { messageOf } from "../errors/machine-error.ts";
import type { SshTarget } from "./executor.ts";
import { connectionClosed } from "./ssh-errors.ts";

type OpenChannel = ClientChannel | SFTPWrapper;
type Opener<T> = (done: (error: Error | undefined | null, channel: T) => void) => void;

const closeGraceMs = 1_000;

/** A server counts a session for a moment after it was closed: how often, and how long, to bear that. */
const refusalsBorne = 50;
const refusalPauseMs = 20;

export class NativeConnection {
  readonly target: SshTarget;
  readonly #client: Client;
  readonly #channels = new Set<OpenChannel>();
  #lastOpening: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => {};
  #failure: unknown;
  readonly #gone = Promise.withResolvers<void>();
  #alive = true;

  /** The client has logged in. */
  constructor(target: SshTarget, client: Client) {
    this.target = target;
    this.#client = client;
    client.on("error", (error) => {
      this.#failure ??= error;
    });
    client.once("close", () => this.#end());
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Starts a command, or the login shell; with a terminal where one is described. */
  async exec(command: string | undefined, terminal: PseudoTtyOptions | undefined): Promise<ClientChannel> {
    return await this.#open((done) => {
      if (command === undefined) this.#client.shell(terminal ?? false, done);
      else this.#client.exec(command, terminal === undefined ? {} : { pty: terminal }, done);
    });
  }

  /** A subsystem's plain stream. */
  async subsystem(name: string): Promise<ClientChannel> {
    return await this.#open((done) => this.#client.subsys(name, done));
  }

  async sftp(): Promise<SFTPWrapper> {
    return await this.#open((done) => this.#client.sftp(done));
  }

  /** A channel to a Unix socket of the machine (OpenSSH's PROTOCOL, 2.4). Rejects where the server opens none. */
  async streamLocal(remotePath: string): Promise<ClientChannel> {
    if (!this.#alive) throw this.broken();
    const opened = await attemptToOpen<ClientChannel>((done) =>
      this.#client.openssh_forwardOutStreamLocal(remotePath, done as never),
    );
    if (opened instanceof Error) throw this.#alive ? connectionClosed(this.target, opened.message, opened) : this.broken();
    return opened;
  }

  /** The error for a channel that ended because the connection did. */
  broken(): unknown {
    return connectionClosed(this.target, this.#failure === undefined ? undefined : messageOf(this.#failure), this.#failure);
  }

  async close(): Promise<void> {
    this.#client.end();
    const timer = setTimeout(() => this.#client.destroy(), closeGraceMs);
    if (this.#alive) await this.#gone.promise;
    clearTimeout(timer);
  }

  /** One after the other, so that a refusal always means: as many as the server allows are open. */
  #open<T extends OpenChannel>(start: Opener<T>): Promise<T> {
    const opening = this.#lastOpening.then(() => this.#openWhenAllowed(start));
    this.#lastOpening = opening.catch(() => {});
    return opening;
  }

  async #openWhenAllowed<T extends OpenChannel>(start: Opener<T>): Promise<T> {
    for (let patience = refusalsBorne; ;) {
      if (!this.#alive) throw this.broken();
      const opened = await attemptToOpen(start);
      if (!(opened instanceof Error)) return this.#keep(opened);
      if (!isRefusal(opened)) throw this.#alive ? connectionClosed(this.target, opened.message, opened) : this.broken();
      if (this.#channels.size > 0) await this.#oneClosed();
      else if (patience-- > 0) await delay(refusalPauseMs);
      else throw connectionClosed(this.target, "the server refuses to open a session", opened);
    }
  }

  #oneClosed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #keep<T extends OpenChannel>(channel: T): T {
    this.#channels.add(channel);
    (channel as ClientChannel).once("close", () => {
      this.#channels.delete(channel);
      this.#wake();
    });
    return channel;
  }

  #end(): void {
    this.#alive = false;
    this.#gone.resolve();
    this.#wake();
  }
}

async function attemptToOpen<T>(start: Opener<T>): Promise<T | Error> {
  return await new Promise((resolve) => {
    try {
      start((error, channel) => resolve(error ?? channel));
    } catch (error) {
      // ssh2 throws where the socket is already gone.
      resolve(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

/** The server's answer to a channel request (RFC 4254 §5.1), as against a connection that broke meanwhile. */
function isRefusal(error: Error): boolean {
  return typeof (error as { reason?: unknown }).reason === "number";
}
