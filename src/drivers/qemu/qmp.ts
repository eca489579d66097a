/**
 * QEMU's monitor protocol (docs/interop/qmp-spec): greeting, capability negotiation, then commands with ids. QEMU
 * serves one client at a time, so connections are short. Knows no file and no process.
 */
import type { Duplex } from "node:stream";
import { MachineError } from "../../errors/machine-error.ts";
import type { Clock } from "../../system/clock.ts";
import { JsonLines, type JsonObject } from "./json-lines.ts";

/** A monitor answers at once or is busy with another client. */
export const monitorTimeoutMs = 5_000;

/** Of QAPI's RunState the ones that tell the driver something. */
export type RunState = "running" | "paused" | "inmigrate" | "prelaunch" | "shutdown" | "suspended" | (string & {});

export class QmpClient implements AsyncDisposable {
  readonly #lines: JsonLines;
  readonly #signal: AbortSignal;
  #nextId = 1;

  private constructor(lines: JsonLines, signal: AbortSignal) {
    this.#lines = lines;
    this.#signal = signal;
  }

  /** Takes over the stream. Throws `timeout` when another client has the monitor. */
  static async open(stream: Duplex, clock: Clock, signal: AbortSignal, timeoutMs = monitorTimeoutMs): Promise<QmpClient> {
    const lines = new JsonLines(stream, "QEMU's monitor", clock);
    const client = new QmpClient(lines, signal);
    try {
      await lines.receive((message) => message["QMP"], { what: "with its greeting", timeoutMs, signal });
      await client.execute("qmp_capabilities");
      return client;
    } catch (error) {
      lines.close();
      throw error;
    }
  }

  /** Runs one command and gives its `return` value. Throws `driver-failed` with QEMU's own words. */
  async execute(command: string, args?: JsonObject, timeoutMs = monitorTimeoutMs): Promise<unknown> {
    const id = this.#nextId++;
    const answer = this.#lines.receive((message) => (message["id"] === id ? message : undefined), {
      what: command,
      timeoutMs,
      signal: this.#signal,
    });
    this.#lines.send({ execute: command, ...(args === undefined ? {} : { arguments: args }), id });
    const message = await answer;
    const error = message["error"] as { desc?: string } | undefined;
    if (error !== undefined)
      throw new MachineError("driver-failed", `QEMU refused ${command}: ${error.desc ?? "no reason given"}`);
    return message["return"];
  }

  /** A command of the human monitor, for what QMP lacks; gives what it prints, which is "" on success of most. */
  async human(commandLine: string): Promise<string> {
    return String(await this.execute("human-monitor-command", { "command-line": commandLine })).trim();
  }

  async runState(): Promise<RunState> {
    return ((await this.execute("query-status")) as { status: RunState }).status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lines.close();
  }
}
