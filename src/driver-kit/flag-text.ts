/** The text of a switch or a number as its value, refused in Go's words. */
import { MachineError, messageOf } from "../errors/machine-error.ts";
import type { NumberUnit } from "./create-flag.ts";
import { quote } from "../gocompat/quote.ts";
import { parseBool, parseInt64 } from "../gocompat/strconv.ts";
import { readSizeText } from "../system/size-text.ts";
import { readTimeText } from "../system/time-text.ts";

export type FlagText<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: string };

/** Go's words for yes and no. */
export function readBool(text: string): FlagText<boolean> {
  return read(() => parseBool(text));
}

/** An integer in any base that Go takes; what a JavaScript number cannot hold exactly is out of range. */
export function readInt(text: string): FlagText<number> {
  return read(() => {
    const value = Number(parseInt64(text, 0));
    if (Number.isSafeInteger(value)) return value;
    throw new MachineError("usage", `strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  });
}

/** As {@link readInt}, and with a unit in words that people use: `4GB`, `10m`. What is neither is refused in Go's words. */
export function readNumber(text: string, unit: NumberUnit | undefined): FlagText<number> {
  const plain = readInt(text);
  if (plain.ok || unit === undefined) return plain;
  const value = unit === "s" ? inUnits(readTimeText(text), 1_000) : inUnits(readSizeText(text), unit === "GB" ? 1_024 : 1);
  return value === undefined ? plain : { ok: true, value };
}

/** Undefined for what is no whole number of them. */
function inUnits(amount: number | undefined, unit: number): number | undefined {
  return amount !== undefined && amount % unit === 0 ? amount / unit : undefined;
}

function read<Value>(parse: () => Value): FlagText<Value> {
  try {
    return { ok: true, value: parse() };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
