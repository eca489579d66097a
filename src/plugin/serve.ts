/**
 * Serves a driver of ours as a plugin to another program: prints where it listens, answers calls side by side, and ends
 * when it is told to or hears no more heartbeats. Knows nothing of the tool on the other side.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";
import type { DriverModule } from "../driver-kit/driver.ts";
import type { ProgressEvent } from "../log/event.ts";
import type { Redactor } from "../log/redact.ts";
import { RpcServer, type RpcServices } from "../gocompat/netrpc/server.ts";
import type { Clock } from "../system/clock.ts";
import { formatBound } from "../system/time-text.ts";
import { isPluginEnvironment, withoutPluginVariables } from "./plugin-environment.ts";
import { heartbeatTimeoutMs, protocolVersion, serviceNames } from "./protocol.ts";
import { errorTextOf, ServedDriver, type ServedSurroundings } from "./served-driver.ts";

export type { ServedMachine } from "./served-driver.ts";

export interface ServeOptions extends Omit<ServedSurroundings, "report" | "secret"> {
  /** Writes to standard output; never throws, also when nobody reads any more. Nothing may have been written before. */
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
  readonly redactor: Redactor;
  /** Ends the plugin, as `Close` does. */
  readonly signal: AbortSignal;
}

const exitStatus = { closed: 0, refused: 1, abandoned: 1 } as const;

/** What a plugin says that was started by hand; word for word as plugins always did. */
const notByHand = `This is a Docker Machine plugin binary.
Plugin binaries are not intended to be invoked directly.
Please use this plugin through the main 'docker-machine' binary.
(API version: ${protocolVersion})
`;

/**
 * Timers run before input that has long arrived is read: after a pause of the whole process there is this much time to
 * read the heartbeat that waits.
 */
const graceMs = 200;

/** Serves until the end; gives the exit status. What the driver still has under way is left to the end of the process. */
export async function serveDriver(module: DriverModule, options: ServeOptions): Promise<number> {
  if (!isPluginEnvironment(options.computer)) {
    options.writeErr(notByHand);
    return exitStatus.refused;
  }
  const closed = Promise.withResolvers<number>();
  const heart = new Heart(options.clock);
  const ending = new AbortController();
  const lifetime = {
    signal: ending.signal,
    onHeartbeat: () => heart.beat(),
    onClose: () => {
      writeLines(options, "debug", "Closing plugin on server side");
      // The answer to this very call goes out first.
      setImmediate(() => closed.resolve(exitStatus.closed));
    },
  };
  options.signal.addEventListener("abort", () => closed.resolve(exitStatus.closed), { once: true });
  const report = (event: ProgressEvent): void => {
    if (event.type === "log") writeLines(options, event.level, event.text);
  };
  const surroundings = {
    ...options,
    computer: withoutPluginVariables(options.computer),
    report,
    secret: (value: string) => options.redactor.add(value),
  };
  const service = new ServedDriver(module, surroundings, lifetime).service();
  const stop = await listen(Object.fromEntries(serviceNames.map((name) => [name, service])), options);
  const status = await Promise.race([closed.promise, heart.stopped(ending.signal).then(() => abandoned(options))]);
  ending.abort();
  stop();
  return status;
}

function abandoned(options: ServeOptions): number {
  writeLines(options, "debug", `No heartbeat for ${formatBound(heartbeatTimeoutMs)}: ending`);
  return exitStatus.abandoned;
}

/** Listens on this computer only, and says where in the first line of output. Gives the way to stop. */
async function listen(services: RpcServices, options: ServeOptions): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const rpc = new RpcServer({
      services,
      send: (bytes) => socket.write(bytes),
      close: () => socket.end(),
      errorText: (thrown) => options.redactor.redact(errorTextOf(thrown)),
    });
    socket.on("data", (chunk) => rpc.receive(chunk));
    socket.on("error", () => {});
    socket.on("close", () => {
      rpc.end();
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  options.writeOut(`127.0.0.1:${(server.address() as AddressInfo).port}\n`);
  return () => {
    server.close();
    for (const socket of sockets) socket.end();
  };
}

/** When the last heartbeat was. */
class Heart {
  readonly #clock: Clock;
  #lastMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  beat(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** Resolves when heartbeats have stayed out; never after the signal. */
  async stopped(signal: AbortSignal): Promise<void> {
    for (;;) {
      const lastMs = this.#lastMs;
      await this.#pause(lastMs + heartbeatTimeoutMs - this.#clock.monotonicMs(), signal);
      if (lastMs !== this.#lastMs) continue;
      await this.#pause(graceMs, signal);
      if (lastMs === this.#lastMs) return;
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(0, ms), signal).catch(() => new Promise(() => {}));
  }
}

/** Go's reader gives up at 64 KiB without a line feed, and its tool then no longer empties the pipe. */
const maxLineLength = 15_000;

/** Logs as plugins do: what informs goes to standard output, the rest to standard error; no level is told. */
function writeLines({ writeOut, writeErr, redactor }: ServeOptions, level: string, text: string): void {
  const write = level === "info" || level === "warn" ? writeOut : writeErr;
  for (const line of redactor.redact(text).split("\n")) {
    for (let at = 0; at === 0 || at < line.length; at += maxLineLength) write(`${line.slice(at, at + maxLineLength)}\n`);
  }
}
