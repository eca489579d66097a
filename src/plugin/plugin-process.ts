/** A plugin's program: started with its token, read line by line, and ended by its pid when it does not end itself. */
import type { ChildProcess } from "node:child_process";
import { isIP } from "node:net";
import * as path from "node:path";
import { MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import type { ProcessRunner } from "../system/process.ts";
import { formatBound } from "../system/time-text.ts";
import { answerWithin, type PluginBounds } from "./plugin-bounds.ts";
import type { PluginLocation } from "./discover.ts";
import { LinePace } from "./line-pace.ts";
import { LineSplitter } from "../system/line-splitter.ts";
import { driverNameVariable, token, tokenVariable } from "./plugin-environment.ts";

/** What it takes to run plugins on this computer. */
export interface PluginHost {
  readonly computer: Computer;
  readonly processes: ProcessRunner;
  readonly clock: Clock;
  readonly bounds: PluginBounds;
}

/** A line that a plugin logged: `info` from its standard output, `debug` from its standard error. */
export type PluginLog = (level: "info" | "debug", line: string) => void;

export interface PluginAddress {
  readonly host: string;
  readonly port: number;
}

const closingWords = "Closing plugin on server side";
const keptLines = 8;
const keptLineLength = 500;
/** How Go's runtime begins to say why it ends a program. */
const breakdown = /^(?:panic|fatal error): /u;
/** How long output of an ended program may still be on its way. A grandchild that holds the pipe would keep it open for good. */
const drainMs = 200;

/** A longer line is shown in pieces. */
const longestLine = 1024 * 1024;
/** What is read at a time before all else has its turn. */
const bytesAtOnce = 256 * 1024;
const restMs = 50;

/** Programs that were started and have not ended. */
const running = new Set<ChildProcess>();

/** None outlives us, whatever ends us: short of a SIGKILL, after which a plugin misses our heartbeats. */
function killRemaining(): void {
  for (const child of running) child.kill("SIGKILL");
}

export class PluginProcess {
  readonly location: PluginLocation;
  readonly #host: PluginHost;
  readonly #child: ChildProcess;
  readonly #lastLines: string[] = [];
  /** What a Go program says when it breaks down: the reason stands first, and more than is kept comes after it. */
  #lastWords: string[] | undefined;
  /** Resolves when the program ended or turned out not to start. */
  readonly ended: Promise<void>;
  #ending: string | undefined;
  #launchError: Error | undefined;
  #firstLine = Promise.withResolvers<string>();
  #sawFirstLine = false;

  /** Starts the program. Throws `plugin-failed` where that is not even tried; else `address` tells how it went. */
  constructor(location: PluginLocation, host: PluginHost, log: PluginLog) {
    this.location = location;
    this.#host = host;
    this.#child = spawnPlugin(location, host);
    if (running.size === 0) process.once("exit", killRemaining);
    running.add(this.#child);
    this.#firstLine.promise.catch(() => {});
    this.ended = this.#watchEnd();
    const pace = new LinePace(host.clock);
    this.#read("stdout", (line) => (this.#sawFirstLine ? this.#keep("info", line, log, pace) : this.#takeFirstLine(line)));
    this.#read("stderr", (line) => this.#keep("debug", line, log, pace));
  }

  /** Where the plugin listens: its first line of output. Throws `plugin-failed` when it is none, late or missing. */
  async address(signal?: AbortSignal): Promise<PluginAddress> {
    const { launchMs } = this.#host.bounds;
    const line = answerWithin(this.#firstLine.promise, launchMs, this.#host.clock, signal);
    const text = await line.catch(async (error: unknown) => {
      signal?.throwIfAborted();
      throw await this.#launchFailure(error, launchMs);
    });
    const address = parseAddress(text);
    if (address !== undefined) return address;
    throw this.failure(`printed something other than its address first: ${JSON.stringify(text.slice(0, keptLineLength))}`);
  }

  /** `plugin-failed`, with the last lines that the plugin logged. */
  failure(whatItDid: string, cause?: unknown): MachineError {
    const kept = (this.#ending === undefined ? undefined : this.#lastWords) ?? this.#lastLines;
    const lines = kept.length === 0 ? "" : `\nIts last lines were:\n${kept.map((line) => `  ${line}`).join("\n")}`;
    return new MachineError("plugin-failed", `The driver plugin ${this.location.program} ${whatItDid}${lines}`, { cause });
  }

  /** How the program ended, such as `exit status 1`; undefined while it runs. Waits up to `ms` for an end that is near. */
  async ending(ms: number): Promise<string | undefined> {
    await this.#waitForEnd(ms);
    return this.#ending;
  }

  /**
   * Sees to the end of the program: waits for it where it `agreed` to end, then asks by signal, then kills. Each step
   * takes `closeMs` at most.
   */
  async end(agreed: boolean): Promise<void> {
    const { closeMs } = this.#host.bounds;
    if (agreed && (await this.#waitForEnd(closeMs))) return;
    this.#child.kill("SIGTERM");
    if (!(await this.#waitForEnd(closeMs))) await this.kill();
  }

  /** Ends a program that is of no more use, at once. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#waitForEnd(this.#host.bounds.closeMs);
  }

  async #waitForEnd(ms: number): Promise<boolean> {
    return await answerWithin(this.ended, ms, this.#host.clock).then(
      () => true,
      () => false,
    );
  }

  async #watchEnd(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once("error", (error) => {
      this.#launchError = error;
      resolve();
    });
    this.#child.once("exit", (status, signal) => {
      this.#ending = signal === null ? `exit status ${status}` : `signal ${signal}`;
      resolve();
    });
    const closed = new Promise<void>((done) => this.#child.once("close", () => done()));
    await promise;
    running.delete(this.#child);
    if (running.size === 0) process.off("exit", killRemaining);
    await answerWithin(closed, drainMs, this.#host.clock).catch(() => {});
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#firstLine.reject(new Error("ended"));
  }

  #read(name: "stdout" | "stderr", onLine: (line: string) => void): void {
    const splitter = new LineSplitter(onLine, longestLine);
    const stream = this.#child[name];
    if (stream === null) return;
    const { clock } = this.#host;
    let sinceRest = 0;
    stream.on("data", (chunk: Buffer) => {
      splitter.push(chunk);
      sinceRest += chunk.length;
      if (sinceRest < bytesAtOnce) return;
      // Else one that floods us keeps everything else from its turn, the answer to a question and Ctrl-C as well.
      sinceRest = 0;
      stream.pause();
      void clock.sleep(restMs).then(() => stream.resume());
    });
    stream.on("end", () => splitter.end());
    stream.on("error", () => {});
  }

  #takeFirstLine(line: string): void {
    this.#sawFirstLine = true;
    this.#firstLine.resolve(line);
  }

  #keep(level: "info" | "debug", line: string, log: PluginLog, pace: LinePace): void {
    const kept = line.slice(0, keptLineLength);
    this.#lastLines.push(kept);
    if (this.#lastLines.length > keptLines) this.#lastLines.shift();
    if (breakdown.test(line)) this.#lastWords = [];
    if (this.#lastWords !== undefined && this.#lastWords.length < keptLines) this.#lastWords.push(kept);
    const verdict = pace.take(line);
    // Some forks say this where it is shown; it is news for nobody.
    if (verdict === "shown") log(line.includes(closingWords) ? "debug" : level, line);
    else if (verdict === "first-dropped") {
      log("info", `${path.basename(this.location.program)} prints more than can be shown; some of its lines are left out`);
    }
  }

  async #launchFailure(error: unknown, launchMs: number): Promise<MachineError> {
    if (this.#launchError !== undefined) return launchFailure(this.location.program, this.#launchError);
    if (this.#ending !== undefined) return this.failure(`ended before it was ready (${this.#ending})`);
    return this.failure(`did not print its address within ${formatBound(launchMs)}`, error);
  }
}

function spawnPlugin({ name, program }: PluginLocation, { processes, computer }: PluginHost): ChildProcess {
  const [command, ...args] = commandOf(program, computer);
  try {
    return processes.spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...computer.env, [tokenVariable]: token, [driverNameVariable]: path.basename(name) },
      // Ctrl-C in the terminal reaches our process group only: so there is time to learn what a create has made.
      detached: computer.os !== "windows",
    });
  } catch (error) {
    throw launchFailure(program, error);
  }
}

/** On Windows, plugins installed by script package managers are batch files, which only the command interpreter runs. */
export function commandOf(program: string, { os, env }: Pick<Computer, "os" | "env">): [string, ...string[]] {
  if (os !== "windows" || !/\.(?:cmd|bat)$/iu.test(program)) return [program];
  return [env["ComSpec"] ?? "cmd.exe", "/d", "/c", program];
}

/** `HOST:PORT` on this computer; a plugin elsewhere would be sent the machine's credentials over the network. */
export function parseAddress(line: string): PluginAddress | undefined {
  const found = /^\s*(?:\[(?<six>[0-9a-f:]+)\]|(?<host>[^\s:]+)):(?<port>\d{1,5})\s*$/iu.exec(line)?.groups;
  const host = found?.["six"] ?? found?.["host"] ?? "";
  const port = Number(found?.["port"]);
  return isLoopback(host) && port > 0 && port < 65_536 ? { host, port } : undefined;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

function launchFailure(program: string, error: unknown): MachineError {
  const reasons: Record<string, string> = {
    ENOENT: "the program, or the interpreter that its first line names, does not exist",
    EACCES: "permission denied",
    ENOEXEC: "it is not a program for this system",
    ETXTBSY: "the file is being written",
  };
  const reason = reasons[systemCodeOf(error) ?? ""] ?? messageOf(error);
  return new MachineError("plugin-failed", `Cannot start the driver plugin ${program}: ${reason}`, { cause: error });
}
