/** Free TCP ports of this computer's loopback address. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { MachineError } from "../errors/machine-error.ts";

/**
 * Chosen ports are kept for a machine's life, so they lie below the ranges from which Linux (32768), macOS and Windows
 * (49152) take ports for outgoing connections.
 */
const lowest = 20_000;
const highest = 32_767;
const attempts = 200;

/** True when nothing listens on the port at 127.0.0.1 and it may be listened on. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
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
