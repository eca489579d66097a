/**
 * From events to streams: which stream a line goes to, what is shown without --debug, secrets out, text or NDJSON.
 * The one sink of everything that is not a result.
 */
import type { ProgressEvent, Report } from "../log/event.ts";
import type { Redactor } from "../log/redact.ts";
import type { OutputStream, Streams } from "./context.ts";
import { renderEvent } from "./render-event.ts";

export interface ReporterOptions {
  readonly streams: Streams;
  readonly redactor: Redactor;
  readonly debug: boolean;
  readonly format: "text" | "json";
  /** See `Command.output`: with `facts` nothing but results goes to standard output. */
  readonly output: "facts" | "progress";
}

export class Reporter {
  readonly #options: ReporterOptions;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Events of the command itself. */
  readonly report: Report = (event) => this.#show(event, undefined, "");

  /** Events of one machine; with `prefixed` every line begins with the machine's name. */
  reportFor(machineName: string, prefixed: boolean): Report {
    return (event) => this.#show(event, machineName, prefixed ? `(${machineName}) ` : "");
  }

  /** One line of NDJSON on the stream of events. */
  writeObject(object: Readonly<Record<string, unknown>>): void {
    this.#eventStream().write(`${this.#options.redactor.redact(JSON.stringify(object))}\n`);
  }

  #show(event: ProgressEvent, machineName: string | undefined, prefix: string): void {
    if (event.type === "log" && event.level === "debug" && !this.#options.debug) return;
    if (this.#options.format === "json") {
      this.writeObject({ time: new Date().toISOString(), ...(machineName === undefined ? {} : { machine: machineName }), ...event });
      return;
    }
    const rendered = renderEvent(event);
    if (rendered === undefined) return;
    const named = event.type === "log" && event.machine === machineName && machineName !== undefined;
    const text = this.#options.redactor.redact(rendered.text);
    this.#streamOf(rendered.level).write(`${named ? text : prefixLines(text, prefix)}\n`);
  }

  #streamOf(level: "debug" | "info" | "warn" | "error"): OutputStream {
    return level === "info" || level === "warn" ? this.#eventStream() : this.#options.streams.stderr;
  }

  #eventStream(): OutputStream {
    return this.#options.output === "facts" ? this.#options.streams.stderr : this.#options.streams.stdout;
  }
}

function prefixLines(text: string, prefix: string): string {
  return prefix === "" ? text : text.replaceAll(/^/gmu, prefix);
}
