/**
 * From events to streams: which stream a line goes to, what is shown without --debug, secrets out, text or NDJSON.
 * The one sink of everything that is not a result.
 */
import type { LogLevel, ProgressEvent, Report } from "../../log/event.ts";
import { withoutControls } from "../../log/plain-text.ts";
import type { Redactor } from "../../log/redact.ts";
import type { Clock } from "../../system/clock.ts";
import { renderEvent } from "./render-event.ts";
import type { Screen, StreamName } from "./screen.ts";

export interface ReporterOptions {
  readonly screen: Screen;
  readonly redactor: Redactor;
  readonly clock: Clock;
  readonly debug: boolean;
  readonly format: "text" | "json";
  /** See `Command.output`: with `facts` nothing but results goes to standard output. */
  readonly output: "facts" | "progress";
}

export class Reporter {
  readonly #options: ReporterOptions;
  /** Where events go. */
  readonly eventStream: StreamName;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.eventStream = options.output === "facts" ? "stderr" : "stdout";
  }

  /** Events of the command itself. */
  readonly report: Report = (event) => this.#show(event, undefined, "");

  /** Events of one machine; with `prefixed` every line begins with the machine's name. */
  reportFor(machineName: string, prefixed: boolean): Report {
    return (event) => this.#show(event, machineName, prefixed ? `(${machineName}) ` : "");
  }

  /** One line of NDJSON on the stream of events. */
  writeObject(object: Readonly<Record<string, unknown>>): void {
    const stamped = { time: this.#options.clock.now().toISOString(), ...object };
    this.#options.screen.write(this.eventStream, `${this.redact(JSON.stringify(stamped))}\n`);
  }

  redact(text: string): string {
    return this.#options.redactor.redact(text);
  }

  #show(event: ProgressEvent, machineName: string | undefined, prefix: string): void {
    if (event.type === "log" && event.level === "debug" && !this.#options.debug) return;
    if (this.#options.format === "json") {
      this.writeObject({ ...(machineName === undefined ? {} : { machine: machineName }), ...event });
      return;
    }
    const rendered = renderEvent(event);
    if (rendered === undefined) return;
    const text = withoutControls(this.redact(rendered.text));
    // A driver's line bears the machine's name already, and so do lines that scripts match, such as `Starting "web"...`.
    const isNamed = (event.type === "log" && event.machine !== undefined) || text.includes(`"${machineName}"`);
    this.#options.screen.write(this.#streamOf(rendered.level), `${isNamed ? text : prefixLines(text, prefix)}\n`);
  }

  /** As 0.16.2: what informs and warns goes where results of its commands go. */
  #streamOf(level: LogLevel): StreamName {
    return level === "info" || level === "warn" ? this.eventStream : "stderr";
  }
}

function prefixLines(text: string, prefix: string): string {
  return prefix === "" ? text : text.replaceAll(/^/gmu, prefix);
}
