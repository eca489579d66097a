/** Progress as plain lines, or NDJSON: with several machines every line bears its machine's name. */
import type { Report } from "../../log/event.ts";
import type { ProgressView } from "../cli-context.ts";
import type { Reporter } from "./reporter.ts";

export class LineProgress implements ProgressView {
  readonly #reporter: Reporter;
  readonly #prefixed: boolean;

  constructor(reporter: Reporter, machineNames: readonly string[]) {
    this.#reporter = reporter;
    this.#prefixed = machineNames.length > 1;
  }

  reportFor(machineName: string): Report {
    return this.#reporter.reportFor(machineName, this.#prefixed);
  }

  finish(): void {}

  close(): void {}
}
