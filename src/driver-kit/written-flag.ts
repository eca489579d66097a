/** The value of a create flag as a file of settings has it. Pure: what is wrong is told as a clause. */
import type { Written } from "../system/yaml-text.ts";
import { quoteHintOf } from "../system/yaml-text.ts";
import type { CreateFlag, FlagValue } from "./create-flag.ts";
import { readNumber } from "./flag-text.ts";

export type WrittenValue =
  | { readonly ok: true; readonly value: FlagValue }
  | { readonly ok: false; readonly problem: string; readonly hint?: string | undefined };

/** Secrets are taken by reference alone. */
export function writtenFlagValue(flag: CreateFlag, written: Written): WrittenValue {
  const text = written.kind === "scalar" && typeof written.value === "string" ? written.value : undefined;
  if (flag.secret === true && text !== "" && !isReference(text ?? "")) {
    const hint = "Say where it is: env:NAME, file:PATH, cmd:COMMAND or keychain:NAME.";
    return { ok: false, problem: `--${flag.name} is a secret, and this file is no place for one`, hint };
  }
  const value = valueFor(flag, written);
  return value === undefined ? wrong(flag, written) : { ok: true, value };
}

function valueFor(flag: CreateFlag, written: Written): FlagValue | undefined {
  const value = written.kind === "scalar" ? written.value : undefined;
  switch (flag.kind) {
    case "bool":
      return typeof value === "boolean" ? value : undefined;
    case "string":
      return typeof value === "string" ? value : undefined;
    case "int":
      return numberFor(value, flag.unit);
    case "strings":
      return typeof value === "string" ? [value] : textsOf(written);
  }
}

function numberFor(value: unknown, unit: (CreateFlag & { kind: "int" })["unit"]): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  const read = typeof value === "string" ? readNumber(value, unit) : undefined;
  return read?.ok === true ? read.value : undefined;
}

/** Undefined where something is no text. */
function textsOf(written: Written): readonly string[] | undefined {
  if (written.kind !== "list") return undefined;
  const texts = written.items.map((item) => (item.kind === "scalar" ? item.value : undefined));
  return texts.every((text) => typeof text === "string") ? texts : undefined;
}

const kinds: Readonly<Record<CreateFlag["kind"], string>> = {
  bool: "true or false",
  int: "a whole number",
  string: "a text",
  strings: "a list of texts",
};

function wrong(flag: CreateFlag, written: Written): WrittenValue {
  const item = written.kind === "list" && flag.kind === "strings" ? written.items.find((each) => !isText(each)) : written;
  const isTextWanted = flag.kind === "string" || flag.kind === "strings";
  const hint = isTextWanted && item !== undefined ? quoteHintOf(item) : undefined;
  return { ok: false, problem: `--${flag.name} is ${kinds[flag.kind]}`, hint };
}

function isText(written: Written): boolean {
  return written.kind === "scalar" && typeof written.value === "string";
}

/** Whether a text says where a secret is. */
export function isReference(text: string): boolean {
  return /^(?:env|file|cmd|keychain):./u.test(text);
}
