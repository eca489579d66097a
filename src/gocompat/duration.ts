/** Go's time.Duration: nanoseconds as a bigint, its text form (`1m30.5s`) and the parser for it. */
import { MachineError } from "../errors/machine-error.ts";
import { encodeGoString } from "./go-string.ts";
import { GoValue, goFloat, goString, int64Type, namedType, type GoType } from "./value.ts";

const nanosecondsByUnit: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["\u00b5s", 1_000n], // micro sign
  ["\u03bcs", 1_000n], // Greek letter mu
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

const longest = 1n << 63n;
const second = 1_000_000_000n;

/** Units below one second, largest first: the number of decimals down to a nanosecond, and the unit's name. */
const smallUnits = [
  { size: 1_000_000n, decimals: 6, name: "ms" },
  { size: 1_000n, decimals: 3, name: "\u00b5s" },
  { size: 1n, decimals: 0, name: "ns" },
] as const;

/** Go's `Duration.String()`. */
export function formatDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const magnitude = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  return sign + (magnitude < second ? formatBelowSecond(magnitude) : formatFromSecond(magnitude));
}

function formatBelowSecond(nanoseconds: bigint): string {
  const { decimals, name } = smallUnits.find(({ size }) => nanoseconds >= size) ?? smallUnits[2];
  return decimalText(nanoseconds, decimals) + name;
}

function formatFromSecond(nanoseconds: bigint): string {
  const minutes = nanoseconds / (60n * second);
  const seconds = `${decimalText(nanoseconds % (60n * second), 9)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** An integer with its decimal point so many digits from the right, without trailing zeros. */
function decimalText(value: bigint, decimals: number): string {
  const digits = value.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/**
 * Go's `time.ParseDuration`: `300ms`, `-1.5h`, `2h45m`, `0`.
 * @returns nanoseconds. Throws `usage` with Go's text, for example `time: missing unit in duration "10"`.
 */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith("-");
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0n;
  if (body === "") throw invalid(text);
  let total = 0n;
  for (let rest = body; rest !== "";) {
    const term = leadingTerm(rest, text);
    total += term.nanoseconds;
    if (total > longest) throw invalid(text);
    rest = rest.slice(term.length);
  }
  if (total === longest && !negative) throw invalid(text);
  return negative ? -total : total;
}

function leadingTerm(rest: string, text: string): { nanoseconds: bigint; length: number } {
  const [term = "", whole = "", point = "", fraction = "", unit = ""] = /^([0-9]*)(\.?)([0-9]*)([^0-9.]*)/.exec(rest) ?? [];
  if (whole + fraction === "") throw invalid(text);
  if (BigInt(whole) > longest) throw invalid(text);
  if (unit === "") throw new MachineError("usage", `time: missing unit in duration ${quoteAscii(text)}`);
  const unitSize = nanosecondsByUnit.get(unit);
  if (unitSize === undefined) {
    throw new MachineError("usage", `time: unknown unit ${quoteAscii(unit)} in duration ${quoteAscii(text)}`);
  }
  const nanoseconds = BigInt(whole) * unitSize + (point === "" ? 0n : fractionOf(fraction, unitSize));
  if (nanoseconds > longest) throw invalid(text);
  return { nanoseconds, length: term.length };
}

/** In doubles, as Go computes it, so that every input gives the same nanosecond. */
function fractionOf(digits: string, unitSize: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > (longest - 1n) / 10n || next > longest) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(unitSize) / scale)));
}

function invalid(text: string): MachineError {
  return new MachineError("usage", `time: invalid duration ${quoteAscii(text)}`);
}

/** Package time's own quoting: printable ASCII as it is, every other byte as `\xHH`. */
function quoteAscii(text: string): string {
  const escaped = text
    .replace(/["\\]/g, "\\$&")
    .replace(/[^\x20-\x7f]+/g, (other) =>
      [...encodeGoString(other)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join(""),
    );
  return `"${escaped}"`;
}

/** The type of a duration in template data; its data is nanoseconds. */
export const durationType: GoType = namedType("time.Duration", int64Type, {
  String: (duration) => goString(formatDuration(duration.int)),
  Nanoseconds: ({ int }) => new GoValue(int64Type, int),
  Microseconds: ({ int }) => new GoValue(int64Type, int / 1_000n),
  Milliseconds: ({ int }) => new GoValue(int64Type, int / 1_000_000n),
  Seconds: ({ int }) => goFloat(inUnits(int, second)),
  Minutes: ({ int }) => goFloat(inUnits(int, 60n * second)),
  Hours: ({ int }) => goFloat(inUnits(int, 3_600n * second)),
});

/** Whole units and the fraction apart, as Go adds them, so that no precision is lost. */
function inUnits(nanoseconds: bigint, unit: bigint): number {
  return Number(nanoseconds / unit) + Number(nanoseconds % unit) / Number(unit);
}
