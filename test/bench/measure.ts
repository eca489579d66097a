/** Timing for `npm run bench`: medians, because these machines are shared, and ratios within one run. */

export interface Row {
  readonly what: string;
  /** Milliseconds, unless `unit` says otherwise. */
  readonly value: number;
  readonly unit?: string | undefined;
  /** What we promised ourselves, in the same unit; the value should not be above it. */
  readonly target?: number | undefined;
  readonly note?: string | undefined;
}

export const repetitions = 5;

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Milliseconds of one call. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** Median milliseconds of several calls, one after the other. */
export async function medianOf(work: () => Promise<unknown>, times = repetitions): Promise<number> {
  const values: number[] = [];
  for (let index = 0; index < times; index += 1) values.push(await timeOf(work));
  return median(values);
}

export function printRows(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, unit = "ms", target, note } of rows) {
    const digits = unit === "x" ? 2 : value >= 100 || Number.isInteger(value) ? 0 : 1;
    const figure = `${value.toFixed(digits)} ${unit}`;
    const verdict = target === undefined ? "" : `${value <= target ? "within" : "ABOVE"} ${target} ${unit}`;
    console.log(
      `  ${what.padEnd(width)}  ${figure.padStart(10)}  ${[verdict, note].filter((part) => part !== undefined && part !== "").join("; ")}`,
    );
  }
}
