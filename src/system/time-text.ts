/** Times, and spans of time, as people type and read them. Pure. */

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90` (seconds), `90s`, `10m`, `1h30m`, `30d` in milliseconds; undefined for what is no time, and for none. */
export function readTimeText(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gu)];
  const whole = parts.map((part) => part[0]).join("");
  const total = /^\d+$/u.test(text)
    ? Number(text) * 1_000
    : parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit as string] as number), 0);
  return total > 0 && Number.isFinite(total) && (parts.length === 0 || whole === text) ? total : undefined;
}

/** A bound as it is written in a message: `10 s`, `1.5 s`, `500 ms`. */
export function formatBound(ms: number): string {
  return ms >= 1_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`;
}

/** `2026-11-28 18:00:00 UTC`, which systemd reads too. */
export function formatInstant(date: Date): string {
  return date
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/u, " UTC");
}

/** How old something is, roughly: `40 s`, `3 min`, `2 h`, `5 d`. */
export function formatAge(ms: number): string {
  const steps = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "min"],
  ] as const;
  const [unitMs, unit] = steps.find(([unitMs]) => ms >= unitMs) ?? [1_000, "s"];
  return `${Math.max(Math.floor(ms / unitMs), 0)} ${unit}`;
}
