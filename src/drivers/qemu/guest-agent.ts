/**
 * Commands in the guest through QEMU's guest agent (docs/interop/qemu-ga-ref), over a virtio channel that exists
 * before any network does. Whoever may open the channel's socket owns the machine anyway.
 */
import type { Duplex } from "node:stream";
import { MachineError } from "../../errors/machine-error.ts";
import type { SshExecutor, SshResult, SshRunOptions, SshSessionOptions } from "../../ssh/executor.ts";
import type { Clock } from "../../system/clock.ts";
import { poll } from "../../system/waiting.ts";
import { JsonLines, type JsonObject } from "./json-lines.ts";

/** Everything the agent answers itself is quick; under emulation "quick" is a matter of seconds. */
const answerTimeoutMs = 30_000;
const syncEveryMs = 500;
const runPace = { firstMs: 5, mostMs: 100 };
const defaultRunTimeoutMs = 600_000;
/** Makes the agent drop whatever it was parsing (guest-sync-delimited). */
const sentinel = "\xff";

export class GuestAgent implements AsyncDisposable {
  readonly #lines: JsonLines;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** The protocol has no ids, so commands take turns. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(lines: JsonLines, clock: Clock, signal: AbortSignal) {
    this.#lines = lines;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Takes over the stream and waits until the agent in the guest answers. Throws `timeout`. */
  static async open(
    stream: Duplex,
    options: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<GuestAgent> {
    const agent = new GuestAgent(new JsonLines(stream, "The guest agent", options.clock), options.clock, options.signal);
    try {
      await agent.#synchronize(options.timeoutMs);
      return agent;
    } catch (error) {
      agent.#lines.close();
      throw error;
    }
  }

  /** Until the guest has booted nobody reads the channel, and an agent that was restarted answers old questions first. */
  async #synchronize(timeoutMs: number): Promise<void> {
    const id = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    const answered = this.#lines.receive((message) => (message["return"] === id ? true : undefined), {
      what: "at all",
      timeoutMs,
      signal: this.#signal,
    });
    const stop = new AbortController();
    const asking = this.#keepAsking(id, AbortSignal.any([this.#signal, stop.signal]));
    try {
      await answered;
    } finally {
      stop.abort();
      await asking;
    }
  }

  async #keepAsking(id: number, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#lines.send({ execute: "guest-sync-delimited", arguments: { id } }, sentinel);
      await this.#clock.sleep(syncEveryMs, signal).catch(() => {});
    }
  }

  /** Runs one agent command. Throws `driver-failed` with the agent's own words. */
  execute(command: string, args?: JsonObject): Promise<unknown> {
    const result = this.#turn.then(() => this.#execute(command, args));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #execute(command: string, args: JsonObject | undefined): Promise<unknown> {
    const answer = this.#lines.receive((message) => (isLeftover(message) ? undefined : message), {
      what: command,
      timeoutMs: answerTimeoutMs,
      signal: this.#signal,
    });
    this.#lines.send({ execute: command, ...(args === undefined ? {} : { arguments: args }) });
    const message = await answer;
    const error = message["error"] as { desc?: string } | undefined;
    if (error !== undefined)
      throw new MachineError("driver-failed", `The guest agent refused ${command}: ${error.desc ?? "no reason given"}`);
    return message["return"];
  }

  /** Runs a shell command line as root in the guest, to its end. A status other than 0 is no error. */
  async run(command: string, options: SshRunOptions = {}): Promise<SshResult> {
    const timeoutMs = options.timeoutMs ?? defaultRunTimeoutMs;
    const stdin = options.stdin === undefined ? {} : { "input-data": Buffer.from(options.stdin).toString("base64") };
    const started = (await this.execute("guest-exec", {
      path: "/bin/sh",
      arg: ["-c", command],
      "capture-output": true,
      ...stdin,
    })) as { pid: number };
    const ask = async (): Promise<ExecStatus | undefined> => {
      const status = (await this.execute("guest-exec-status", { pid: started.pid })) as ExecStatus;
      return status.exited ? status : undefined;
    };
    const patience = { ms: timeoutMs, clock: this.#clock, signal: options.signal ?? this.#signal };
    return handOver(resultOf(await poll(patience, runPace, ask, "A command in the guest did not end")), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lines.close();
  }
}

/** Answers to the synchronization that came late: numbers, and complaints about its sentinel. */
function isLeftover(message: JsonObject): boolean {
  const error = message["error"] as { desc?: string } | undefined;
  return typeof message["return"] === "number" || (error?.desc?.startsWith("JSON parse error") ?? false);
}

interface ExecStatus {
  readonly exited: boolean;
  readonly exitcode?: number;
  readonly signal?: number;
  readonly "out-data"?: string;
  readonly "err-data"?: string;
}

function resultOf(status: ExecStatus): SshResult {
  return {
    status: status.exitcode ?? 128 + (status.signal ?? 0),
    stdout: Buffer.from(status["out-data"] ?? "", "base64"),
    stderr: Buffer.from(status["err-data"] ?? "", "base64"),
  };
}

/** The agent keeps the output to the end, so listeners get it in one piece. */
function handOver(result: SshResult, options: SshRunOptions): SshResult {
  if (result.stdout.length > 0) options.onStdout?.(result.stdout);
  if (result.stderr.length > 0) options.onStderr?.(result.stderr);
  return result;
}

/** The agent in the role of an SSH connection, for whoever provisions an instance that has no network yet. */
export class GuestAgentExecutor implements SshExecutor {
  readonly #agent: GuestAgent;
  #roundTrips = 0;

  constructor(agent: GuestAgent) {
    this.#agent = agent;
  }

  get roundTrips(): number {
    return this.#roundTrips;
  }

  /** The channel is there as soon as the instance runs; the first command tells whether the agent listens. */
  async connect(): Promise<void> {}

  async run(command: string, options?: SshRunOptions): Promise<SshResult> {
    this.#roundTrips++;
    return await this.#agent.run(command, options);
  }

  async session(_options: SshSessionOptions): Promise<number> {
    throw new MachineError("driver-unsupported", "The guest agent runs commands but has no interactive sessions");
  }

  async close(): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
