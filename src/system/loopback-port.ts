/** Ports of this computer: whether they can be listened on, and free ones of its loopback address. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";

/**
 * Chosen ports are kept for a machine's life, so they lie below the ranges from which Linux (32768), macOS and Windows
 * (49152) take ports for outgoing connections.
 */
const lowest = 20_000;
const highest = 32_767;
const attempts = 200;

/** True when nothing listens on the TCP port at 127.0.0.1 and it may be listened on. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryPort({ protocol: "tcp", address: "127.0.0.1", port })) === "free";
}

export interface LocalPort {
  readonly protocol: "tcp" | "udp";
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/** What listening on a port would come to. `no-such-address`: this computer has not got the address. */
export type PortVerdict = "free" | "in-use" | "no-such-address" | "not-allowed";

const verdicts: Readonly<Record<string, PortVerdict>> = {
  EADDRINUSE: "in-use",
  EADDRNOTAVAIL: "no-such-address",
  EACCES: "not-allowed",
  EPERM: "not-allowed",
};

/** Listens for a moment. What the system refuses for any other reason counts as in use. */
export async function tryPort({ protocol, address, port }: LocalPort): Promise<PortVerdict> {
  const tried = protocol === "tcp" ? await listenTcp(address, port) : await bindUdp(address, port);
  return tried === undefined ? "free" : (verdicts[systemCodeOf(tried) ?? ""] ?? "in-use");
}

function listenTcp(host: string, port: number): Promise<unknown> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

async function bindUdp(address: string, port: number): Promise<unknown> {
  const { createSocket } = await import("node:dgram");
  return await new Promise((resolve) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error) => socket.close(() => resolve(error)));
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}

/** A free port that is none of `taken`, picked at random so that machines created at the same time do not meet. */
export async function pickFreePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(lowest, highest + 1);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new MachineError("port-taken", `No free port between ${lowest} and ${highest} was found on 127.0.0.1`);
}
