/** A parsed `%` directive, and what every kind of value does with its width. */
import { runeCount } from "./go-string.ts";

export interface Directive {
  readonly verb: string;
  readonly minus: boolean;
  readonly plus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** `%#v`: values as Go source. */
  readonly goSyntax: boolean;
  /** `%+v`: structs with the names of their fields. */
  readonly fieldNames: boolean;
  readonly width?: number | undefined;
  readonly precision?: number | undefined;
}

/** `%v` and nothing else. */
export const plainVerb: Directive = {
  verb: "v",
  minus: false,
  plus: false,
  sharp: false,
  space: false,
  zero: false,
  goSyntax: false,
  fieldNames: false,
};

/** Fills up to the width, counted in runes: on the right after `-`, else on the left, with zeros after `0`. */
export function pad(text: string, { width = 0, minus, zero }: Directive): string {
  const filler = (zero ? "0" : " ").repeat(Math.max(width - runeCount(text), 0));
  return minus ? text + filler : filler + text;
}

/** As {@link pad}, never with zeros. */
export function padWithSpaces(text: string, directive: Directive): string {
  return pad(text, { ...directive, zero: false });
}
