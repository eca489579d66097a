/**
 * Connections to a socket of this computer by its file name (on Windows: to a named pipe). A name may be longer than
 * the 100-odd bytes that a socket address holds.
 */
import * as fs from "node:fs/promises";
import { connect, type Socket } from "node:net";
import * as os from "node:os";
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";

/** sun_path is 108 bytes on Linux and 104 on macOS, with a terminating zero. */
const longestSocketPath = 100;

/** Connects within `timeoutMs`. Rejects with the system error (`ENOENT`, `ECONNREFUSED`), `timeout`, or the signal's reason. */
export async function connectLocal(file: string, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  if (file.startsWith("\\\\") || Buffer.byteLength(file) <= longestSocketPath) return await open(file, timeoutMs, signal);
  // The address is resolved while connecting, so a short-lived symbolic link to the folder is enough.
  const scratch = await fs.mkdtemp(path.join(os.tmpdir(), "dm-"));
  const link = path.join(scratch, "d");
  try {
    await fs.symlink(path.dirname(file), link);
    return await open(path.join(link, path.basename(file)), timeoutMs, signal);
  } finally {
    await fs.rm(scratch, { recursive: true, force: true });
  }
}

function open(file: string, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect({ path: file });
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error as Error);
    };
    const onAbort = (): void => fail(signal.reason);
    const timer = setTimeout(
      () => fail(new MachineError("timeout", `${file} did not accept a connection within ${timeoutMs} ms`)),
      timeoutMs,
    );
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", fail);
    socket.once("connect", () => {
      settle();
      socket.removeListener("error", fail);
      // Until whoever asked listens: an error that nobody hears ends the process. It stays readable as `errored`.
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}
