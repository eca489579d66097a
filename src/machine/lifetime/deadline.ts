/** Deadlines and spans of time, as people type and read them. Pure. */
import { MachineError } from "../../errors/machine-error.ts";
import { formatInstant, readTimeText } from "../../system/time-text.ts";

/** Nobody means more, and calendars of hosts end somewhere. */
const mostMs = 10 * 365 * 86_400_000;
const leastIdleMs = 60_000;

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/u;

export function isDeadline(text: string): boolean {
  return spanIn(text) !== undefined || isInstant(text);
}

/** `2026-11-28T18:00:00Z`, as against a span from now on. */
export function isInstant(text: string): boolean {
  return instant.test(text);
}

/** `4h`, `1h30m`, `7d`, from now on, or `2026-11-28T18:00:00Z`; whole seconds. Throws `usage`, also for what has passed. */
export function parseDeadline(text: string, now: Date): Date {
  const span = spanIn(text);
  const ms = span === undefined ? (isInstant(text) ? Date.parse(text) : Number.NaN) : now.getTime() + span;
  if (Number.isNaN(ms)) {
    throw new MachineError("usage", `${JSON.stringify(text)} is no deadline`, {
      hint: "Give how long from now on, as 90m, 8h or 7d, or a time with its zone, as 2026-11-28T18:00:00Z.",
    });
  }
  const deadline = new Date(Math.ceil(ms / 1000) * 1000);
  if (ms <= now.getTime()) {
    throw new MachineError("usage", `The deadline ${formatInstant(deadline)} has passed already; it is ${formatInstant(now)}`, {
      hint: "Give a later one; or is this computer's clock wrong?",
    });
  }
  if (ms - now.getTime() <= mostMs) return deadline;
  throw new MachineError("usage", `The deadline ${formatInstant(deadline)} is more than ten years away`, {
    hint: 'A machine without a deadline lives until it is removed: "off".',
  });
}

/** How long nothing may use a machine, in seconds. Throws `usage`. */
export function parseIdle(text: string): number {
  const ms = spanIn(text);
  if (ms !== undefined && ms >= leastIdleMs && ms <= mostMs) return Math.round(ms / 1000);
  throw new MachineError("usage", `${JSON.stringify(text)} is no time without use`, {
    hint: "Give a minute or more, as 30m or 2h.",
  });
}

/** As {@link parseDeadline} reads it, whole seconds. */
export function deadlineText(deadline: Date): string {
  return deadline.toISOString().replace(/\.\d+Z$/u, "Z");
}

/** `2h`, `90m`, `45s`: whole, in the largest unit that it is a multiple of. */
export function spanText(seconds: number): string {
  if (seconds % 3_600 === 0) return `${seconds / 3_600}h`;
  return seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
}

/** A number alone could be of anything. */
function spanIn(text: string): number | undefined {
  return /^\d+$/u.test(text) ? undefined : readTimeText(text);
}

/** `3 h 12 min`, `45 s`: the two largest units. */
export function formatSpan(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3_600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .flatMap(([amount, unit]) => (amount > 0 ? [`${amount} ${unit}`] : []))
    .join(" ");
}
