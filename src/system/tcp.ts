/** One TCP connection attempt, for telling whether a port answers, and with what. */
import { connect, isIP, type Socket } from "node:net";

/** Whether a text is an IPv4 or IPv6 address and nothing else. */
export function isIpAddress(text: string): boolean {
  return isIP(text) !== 0;
}

/** Resolves true when a connection is accepted within `timeoutMs`. Rejects only with the signal's reason. */
export async function acceptsConnections(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return await firstAnswer(connect({ host, port }), timeoutMs, signal, false, (socket, answer) => {
    socket.once("connect", () => answer(true));
  });
}

/** The first bytes a server sends unasked, "" when it sends none within `timeoutMs` or is not there. Rejects only with the signal's reason. */
export async function greetingOf(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<string> {
  return await firstAnswer(connect({ host, port }), timeoutMs, signal, "", (socket, answer) => {
    socket.once("data", (bytes: Buffer) => answer(bytes.toString("latin1")));
  });
}

/** What `listen` answers, or `otherwise` when the connection fails, ends or stays silent first. Closes the socket. */
function firstAnswer<T>(
  socket: Socket,
  timeoutMs: number,
  signal: AbortSignal,
  otherwise: T,
  listen: (socket: Socket, answer: (value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      settle();
    };
    const answer = (value: T): void => finish(() => resolve(value));
    const onAbort = (): void => finish(() => reject(signal.reason as Error));
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    listen(socket, answer);
    socket.setTimeout(timeoutMs, () => answer(otherwise));
    for (const end of ["close", "error"]) socket.on(end, () => answer(otherwise));
  });
}
