/**
 * Progress on a terminal. One machine: 0.16.2's lines, how long each phase of a driver's work took, and below them what
 * has been running for how long. Several: one line each with its current step; what must not scroll away unseen (warnings, host keys) is printed.
 */
import { oneLine } from "../../log/plain-text.ts";
import type { ProgressEvent, Report } from "../../log/event.ts";
import type { Clock } from "../../system/clock.ts";
import type { ProgressView } from "../cli-context.ts";
import { messageOf } from "../../errors/machine-error.ts";
import { renderEvent } from "./render-event.ts";
import type { Reporter } from "./reporter.ts";
import type { Screen, StreamName } from "./screen.ts";

interface Row {
  step: string;
  stepSinceMs: number;
  /** The step's name where no line above the footer tells it. */
  phase: string;
  /** What of how much, behind the step. */
  detail: string;
  outcome: "running" | "done" | "failed";
  endedMs: number;
}

const tickMs = 1_000;
/** Steps shorter than this show no time. */
const patienceMs = 2_000;
const bytesPerMiB = 1_048_576;

export class LiveProgress implements ProgressView {
  readonly #reporter: Reporter;
  readonly #screen: Screen;
  readonly #stream: StreamName;
  readonly #clock: Clock;
  readonly #startedMs: number;
  readonly #rows: Map<string, Row>;
  readonly #closed = new AbortController();

  constructor(reporter: Reporter, screen: Screen, stream: StreamName, clock: Clock, machineNames: readonly string[]) {
    this.#reporter = reporter;
    this.#screen = screen;
    this.#stream = stream;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    this.#rows = new Map(machineNames.map((name) => [name, newRow(this.#startedMs)]));
    void this.#tick();
  }

  reportFor(machineName: string): Report {
    const several = this.#rows.size > 1;
    const print = this.#reporter.reportFor(machineName, several);
    return (event) => {
      this.#take(machineName, event);
      if (!several || mustBeSeen(event)) print(event);
      if (!several && event.type === "phase-finished") this.#keepPhase(event.phase, event.durationMs);
      this.#redraw();
    };
  }

  finish(machineName: string, error?: unknown): void {
    const row = this.#rows.get(machineName);
    if (row === undefined) return;
    row.outcome = error === undefined ? "done" : "failed";
    row.step = error === undefined ? "done" : `failed: ${this.#firstLine(messageOf(error))}`;
    row.detail = "";
    row.endedMs = this.#clock.monotonicMs();
    this.#redraw();
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    // Why it failed is told once, by the errors that follow.
    for (const row of this.#rows.values()) if (row.outcome === "failed") row.step = "failed";
    const summary = this.#rows.size > 1 ? this.#lines() : [];
    this.#screen.setFooter(this.#stream, []);
    for (const line of summary) this.#screen.write(this.#stream, `${line}\n`);
  }

  #take(machineName: string, event: ProgressEvent): void {
    const row = this.#rows.get(machineName);
    if (row === undefined) return;
    if (event.type === "transfer") row.detail = transferText(event.doneBytes, event.totalBytes);
    const step = stepOf(event);
    if (step === undefined && event.type !== "phase-finished") return;
    if (step !== undefined) row.step = this.#firstLine(step);
    row.phase = event.type === "phase-started" ? row.step : "";
    row.detail = "";
    row.stepSinceMs = this.#clock.monotonicMs();
  }

  #keepPhase(phase: string, durationMs: number): void {
    this.#screen.write(this.#stream, `  ${phase}: ${(durationMs / 1_000).toFixed(1)} s\n`);
  }

  #firstLine(text: string): string {
    return oneLine(this.#reporter.redact(text).split("\n", 1)[0] ?? "");
  }

  #redraw(): void {
    if (!this.#closed.signal.aborted) this.#screen.setFooter(this.#stream, this.#lines());
  }

  #lines(): string[] {
    const now = this.#clock.monotonicMs();
    const [only] = this.#rows.values();
    if (this.#rows.size === 1 && only !== undefined) return singleLine(only, now);
    const width = Math.max(...[...this.#rows.keys()].map((name) => name.length));
    return [...this.#rows].map(([name, row]) => {
      const sinceMs = (row.outcome === "running" ? now : row.endedMs) - this.#startedMs;
      return [name.padEnd(width), seconds(sinceMs).padStart(6), row.step, row.detail].join("  ").trimEnd();
    });
  }

  async #tick(): Promise<void> {
    try {
      for (;;) {
        await this.#clock.sleep(tickMs, this.#closed.signal);
        this.#redraw();
      }
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    }
  }
}

function newRow(nowMs: number): Row {
  return { step: "", stepSinceMs: nowMs, phase: "", detail: "", outcome: "running", endedMs: nowMs };
}

function singleLine(row: Row, nowMs: number): string[] {
  const elapsedMs = nowMs - row.stepSinceMs;
  const saysMore = row.phase !== "" || row.detail !== "";
  if (row.outcome !== "running" || (elapsedMs < patienceMs && !saysMore)) return [];
  const words = [seconds(elapsedMs), row.phase, row.detail].filter((word) => word !== "");
  return [`  ${words.join("  ")}`];
}

/** What the machine does from now on; undefined where the event does not tell. */
function stepOf(event: ProgressEvent): string | undefined {
  if (event.type === "phase-started") return event.phase;
  const rendered = renderEvent(event);
  return rendered?.level === "info" ? rendered.text : undefined;
}

function mustBeSeen(event: ProgressEvent): boolean {
  return event.type === "host-key-pinned" || (event.type === "log" && event.level !== "info");
}

function transferText(doneBytes: number, totalBytes: number | undefined): string {
  const done = Math.floor(doneBytes / bytesPerMiB);
  if (totalBytes === undefined || totalBytes <= 0) return `${done} MiB`;
  return `${done} of ${Math.ceil(totalBytes / bytesPerMiB)} MiB, ${Math.floor((doneBytes / totalBytes) * 100)} %`;
}

function seconds(durationMs: number): string {
  return `${Math.floor(durationMs / 1_000)} s`;
}
