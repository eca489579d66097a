/** What the library reports (`progress-event.ts`), and how: types alone stand there, which cost no command its start. */
import type { LogLevel, ProgressEvent } from "./progress-event.ts";

export type { LogLevel, ProgressEvent } from "./progress-event.ts";

/** Receives events; must not throw and must not block. */
export type Report = (event: ProgressEvent) => void;

/** Reports nothing: the default of every `report` parameter. */
export const reportNothing: Report = () => {};

/** Shorthand for a `log` event. */
export function logTo(report: Report, level: LogLevel, text: string): void {
  report({ type: "log", level, text });
}
