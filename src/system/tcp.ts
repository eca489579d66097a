/** One TCP connection attempt, for telling whether a port answers, and with what. */
import { connect } from "node:net";

/** Resolves true when a connection is accepted within `timeoutMs`. Rejects only with the signal's reason. */
export function acceptsConnections(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host, port });
    const finish = (answer: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      answer();
    };
    const onAbort = (): void => finish(() => reject(signal.reason as Error));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.setTimeout(timeoutMs, () => finish(() => resolve(false)));
    socket.once("connect", () => finish(() => resolve(true)));
    socket.once("error", () => finish(() => resolve(false)));
  });
}

/** The first bytes a server sends unasked, "" when it sends none within `timeoutMs` or is not there. Rejects only with the signal's reason. */
export function greetingOf(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ host, port });
    const finish = (answer: () => void): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      answer();
    };
    const onAbort = (): void => finish(() => reject(signal.reason as Error));
    signal.addEventListener("abort", onAbort, { once: true });
    socket.setTimeout(timeoutMs, () => finish(() => resolve("")));
    socket.once("data", (bytes: Buffer) => finish(() => resolve(bytes.toString("latin1"))));
    socket.once("close", () => finish(() => resolve("")));
    socket.once("error", () => finish(() => resolve("")));
  });
}
