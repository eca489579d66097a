/**
 * A Unix socket of this computer, each connection to which is one channel of something else. Bounded where the other side
 * allows only so many channels: further connections wait, and are closed where they cannot be had.
 */
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export interface RelayOptions {
  readonly socketPath: string;
  /** Opens a channel; what it throws closes the connection that it was for. */
  readonly open: () => Promise<Duplex>;
  /** Channels at the same time. */
  readonly atMost?: number | undefined;
  /** Told why a connection was closed at once. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

export class SocketRelay implements AsyncDisposable {
  readonly #server: Server;
  readonly #options: RelayOptions;
  readonly #connections = new Set<Socket>();
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  private constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => void this.#serve(socket));
  }

  /** Listens. The folder of the socket is what keeps others out. */
  static async listen(options: RelayOptions): Promise<SocketRelay> {
    const relay = new SocketRelay(options);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen(options.socketPath, 511, () => resolve());
    });
    return relay;
  }

  async #serve(socket: Socket): Promise<void> {
    this.#connections.add(socket);
    // A client that goes away is no news.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#connections.delete(socket));
    await this.#place();
    try {
      if (socket.destroyed) return;
      const channel = await this.#options.open();
      await joined(socket, channel);
    } catch (error) {
      this.#options.onFailure?.(error);
    } finally {
      socket.destroy();
      this.#leave();
    }
  }

  async #place(): Promise<void> {
    if (this.#open < (this.#options.atMost ?? Number.POSITIVE_INFINITY)) {
      this.#open += 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#open -= 1;
    else next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }
}

/** Bytes both ways, each end of stream passed on by itself, until both are over or one side is gone. */
async function joined(socket: Socket, channel: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    channel.on("error", () => resolve());
    channel.once("close", () => resolve());
    socket.once("close", () => {
      channel.destroy();
      resolve();
    });
    socket.pipe(channel);
    channel.pipe(socket);
  });
  if (!socket.destroyed && socket.writable) await new Promise<void>((resolve) => socket.end(() => resolve()));
}
