/** The text of a switch or a number as its value, refused in Go's words. */
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { quote } from "../../gocompat/quote.ts";
import { parseBool, parseInt64 } from "../../gocompat/strconv.ts";

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

function read<Value>(parse: () => Value): FlagText<Value> {
  try {
    return { ok: true, value: parse() };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}
