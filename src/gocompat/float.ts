/**
 * Floating-point numbers as Go's strconv writes them: the shortest digits that read back as the same number, or any
 * number of exact digits, rounded half to even.
 */

/** As Go's `FormatFloat` names them. */
export type FloatFormat = "e" | "E" | "f" | "F" | "g" | "G" | "b" | "x" | "X";

/** The value `0.DIGITS × 10^point`; no digits stand for zero. */
interface Decimal {
  readonly digits: string;
  readonly point: number;
}

/** The exact value `mantissa × 2^exponent`, the mantissa with 53 bits unless the number is subnormal. */
interface Binary {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const mantissaBits = 52;
const hiddenBit = 1n << BigInt(mantissaBits);
const exponentBias = 1023;
/** The decimal exponent from which the shortest form of `%g` turns to `e` notation: 1e+06, but 100000. */
const shortestThreshold = 6;

/**
 * Go's `strconv.FormatFloat(value, format, precision, 64)`.
 * @param precision digits after the point (`e`, `f`, `x`) or significant digits (`g`); -1 for the shortest exact form
 */
export function formatFloat(value: number, format: FloatFormat, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const magnitude = Math.abs(value);
  if (magnitude === Infinity) return sign === "" ? "+Inf" : "-Inf";
  return sign + formatMagnitude(magnitude, format, precision);
}

function formatMagnitude(value: number, format: FloatFormat, precision: number): string {
  switch (format) {
    case "b":
      return formatBinaryExponent(value);
    case "x":
      return formatHex(value, precision);
    case "X":
      return formatHex(value, precision).toUpperCase();
    case "e":
    case "E":
      return formatExponent(roundedForExponent(value, precision), format, precision);
    case "f":
    case "F":
      return formatFixed(precision < 0 ? shortest(value) : round(exact(value), precision, "fraction"), precision);
    case "g":
    case "G":
      return formatGeneral(value, format, precision);
  }
}

function roundedForExponent(value: number, precision: number): Decimal {
  return precision < 0 ? shortest(value) : round(exact(value), precision + 1, "significant");
}

function formatExponent({ digits, point }: Decimal, letter: string, precision: number): string {
  const places = precision < 0 ? Math.max(digits.length - 1, 0) : precision;
  const mantissa = digits.padEnd(places + 1, "0");
  const exponent = digits === "" ? 0 : point - 1;
  const fraction = places === 0 ? "" : `.${mantissa.slice(1, places + 1)}`;
  return `${mantissa[0]}${fraction}${letter}${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function formatFixed({ digits, point }: Decimal, precision: number): string {
  const places = precision < 0 ? Math.max(digits.length - point, 0) : precision;
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const fraction = ("0".repeat(Math.max(-point, 0)) + digits.slice(Math.max(point, 0))).padEnd(places, "0").slice(0, places);
  return places === 0 ? whole : `${whole}.${fraction}`;
}

/** `%g`: the exponent form for very small numbers and for those with more digits than the precision has room for. */
function formatGeneral(value: number, format: "g" | "G", requested: number): string {
  const isShortest = requested < 0;
  const decimal = isShortest ? shortest(value) : round(exact(value), requested || 1, "significant");
  const { digits, point } = decimal;
  const precision = isShortest ? digits.length : requested || 1;
  const threshold = isShortest ? shortestThreshold : digits.length >= point ? Math.min(precision, digits.length) : precision;
  const exponent = point - 1;
  if (exponent < -4 || exponent >= threshold) {
    return formatExponent(decimal, format === "g" ? "e" : "E", Math.min(precision, digits.length) - 1);
  }
  return formatFixed(decimal, Math.max((precision > point ? digits.length : precision) - point, 0));
}

function formatBinaryExponent(value: number): string {
  const { mantissa, exponent } = binary(value);
  return `${mantissa}p${exponent < 0 ? "-" : "+"}${Math.abs(exponent)}`;
}

function formatHex(value: number, precision: number): string {
  const { mantissa, exponent } = normalised(binary(value));
  const rounded = precision >= 0 && precision < 13 ? roundBits(mantissa, BigInt(mantissaBits - 4 * precision)) : mantissa;
  const carried = rounded >= 2n * hiddenBit;
  const bits = carried ? rounded >> 1n : rounded;
  const power = value === 0 ? 0 : exponent + mantissaBits + (carried ? 1 : 0);
  const hex = (bits % hiddenBit).toString(16).padStart(13, "0");
  const fraction = precision < 0 ? hex.replace(/0+$/, "") : hex.padEnd(precision, "0").slice(0, precision);
  const sign = power < 0 ? "-" : "+";
  return `0x${bits / hiddenBit}${fraction === "" ? "" : `.${fraction}`}p${sign}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Clears the lowest bits, rounding half to even. */
function roundBits(mantissa: bigint, bits: bigint): bigint {
  const unit = 1n << bits;
  const kept = mantissa / unit;
  const rest = 2n * (mantissa % unit);
  const up = rest > unit || (rest === unit && kept % 2n === 1n);
  return (kept + (up ? 1n : 0n)) * unit;
}

/** A subnormal number shifted so that its first bit is the hidden one. */
function normalised({ mantissa, exponent }: Binary): Binary {
  if (mantissa === 0n || mantissa >= hiddenBit) return { mantissa, exponent };
  const shift = mantissaBits + 1 - mantissa.toString(2).length;
  return { mantissa: mantissa << BigInt(shift), exponent: exponent - shift };
}

function binary(value: number): Binary {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const biased = Number(raw >> BigInt(mantissaBits)) & 0x7ff;
  const fraction = raw % hiddenBit;
  return {
    mantissa: biased === 0 ? fraction : fraction + hiddenBit,
    exponent: Math.max(biased, 1) - exponentBias - mantissaBits,
  };
}

/** The fewest digits that read back as the same number, which is also what JavaScript prints. */
function shortest(value: number): Decimal {
  if (value === 0) return { digits: "", point: 0 };
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  return { digits: mantissa.replace(".", ""), point: Number(exponent) + 1 };
}

function exact(value: number): Decimal {
  if (value === 0) return { digits: "", point: 0 };
  const { mantissa, exponent } = binary(value);
  // m·2^-k is m·5^k / 10^k, so every double has finitely many decimal digits.
  const integer = exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent);
  const digits = integer.toString();
  return trimmed(digits, digits.length + Math.min(exponent, 0));
}

/** Rounds half to even, to a number of significant digits or of digits after the decimal point. */
function round({ digits, point }: Decimal, count: number, unit: "significant" | "fraction"): Decimal {
  const kept = unit === "significant" ? count : point + count;
  if (kept >= digits.length) return { digits, point };
  if (kept < 0) return { digits: "", point: 0 };
  const head = BigInt(digits.slice(0, kept) || "0");
  const tail = digits.slice(kept);
  const isHalf = /^50*$/.test(tail);
  const up = isHalf ? head % 2n === 1n : tail >= "5";
  if (!up) return trimmed(digits.slice(0, kept), point);
  const next = (head + 1n).toString();
  return trimmed(next, point + next.length - kept);
}

function trimmed(digits: string, point: number): Decimal {
  const significant = digits.replace(/0+$/, "");
  return significant === "" ? { digits: "", point: 0 } : { digits: significant, point };
}
