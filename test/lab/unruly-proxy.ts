/**
 * A TCP relay in the test's own process that stands in front of a host, or of anything else, and spoils the
 * connection in the ways networks and machines do.
 */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export type Misbehaviour =
  /** Relays as it should. */
  | { readonly kind: "none" }
  /** Resets both sides once the target has sent so many bytes. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** Accepts, reads, and never says anything. */
  | { readonly kind: "black-hole" }
  /** Relays what the target says one byte at a time. */
  | { readonly kind: "trickle"; readonly everyMs: number }
  /** Accepts and closes at once, as a full or starting server does. */
  | { readonly kind: "hang-up" };

export interface UnrulyProxy extends AsyncDisposable {
  readonly address: "127.0.0.1";
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /** Bytes that clients have sent so far, over all connections. */
  readonly received: Buffer;
  /** For connections that come from now on. */
  behave(misbehaviour: Misbehaviour): void;
  /** Resets all connections that are open now. */
  resetAll(): void;
  close(): Promise<void>;
}

export interface ProxyTarget {
  readonly address: string;
  readonly port: number;
}

export async function openUnrulyProxy(target: ProxyTarget, first: Misbehaviour): Promise<UnrulyProxy> {
  const open = new Set<Socket>();
  const received: Buffer[] = [];
  let misbehaviour = first;
  let connections = 0;
  const keep = (socket: Socket): void => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
  };
  const server = createServer((client) => {
    connections += 1;
    keep(client);
    client.on("data", (chunk) => received.push(chunk));
    if (misbehaviour.kind === "hang-up") client.destroy();
    if (misbehaviour.kind === "hang-up" || misbehaviour.kind === "black-hole") return;
    const host = connect({ host: target.address, port: target.port });
    keep(host);
    relay(client, host, misbehaviour);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of open) socket.destroy();
    await once(server, "close");
  };
  return {
    address: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    get received() {
      return Buffer.concat(received);
    },
    behave: (next) => {
      misbehaviour = next;
    },
    resetAll: () => {
      for (const socket of open) socket.resetAndDestroy();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function relay(client: Socket, host: Socket, misbehaviour: Misbehaviour): void {
  client.pipe(host);
  client.once("close", () => host.destroy());
  host.once("close", () => client.end());
  if (misbehaviour.kind === "cut") cutAfter(client, host, misbehaviour.afterBytes);
  else if (misbehaviour.kind === "trickle") trickle(client, host, misbehaviour.everyMs);
  else host.pipe(client);
}

function cutAfter(client: Socket, host: Socket, limit: number): void {
  let left = limit;
  host.on("data", (chunk) => {
    if (left > 0) client.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left > 0) return;
    // What was let through must arrive before the reset discards it.
    client.write("", () => client.resetAndDestroy());
    host.resetAndDestroy();
  });
}

function trickle(client: Socket, host: Socket, everyMs: number): void {
  const waiting: number[] = [];
  host.on("data", (chunk) => waiting.push(...chunk));
  const timer = setInterval(() => {
    const byte = waiting.shift();
    if (byte !== undefined && client.writable) client.write(Buffer.of(byte));
  }, everyMs);
  client.once("close", () => clearInterval(timer));
}
