/**
 * Shell source as a value. Every value put into an `sh` template is quoted, so that data never becomes code; only
 * another ShellText is inserted as it stands. Pure text: knows nothing of hosts.
 */
import { quoteWord } from "../../ssh/shell-quote.ts";

export class ShellText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

/** A string or number is quoted as one word, a list as its words, `undefined` and `false` vanish. */
export type ShellValue = ShellText | string | number | readonly (string | ShellText)[] | undefined | false;

function rendered(value: ShellValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof ShellText) return value.text;
  if (typeof value === "object") return value.map(rendered).join(" ");
  return quoteWord(String(value));
}

/**
 * A template of shell source. Backslashes mean what the shell means by them; only `\${` and `` \` `` are needed, for
 * the shell's own `${` and backtick.
 */
export function sh(strings: TemplateStringsArray, ...values: readonly ShellValue[]): ShellText {
  const parts = strings.raw.map((part) => part.replaceAll("\\${", "${").replaceAll("\\`", "`"));
  return new ShellText(parts.map((part, index) => part + (index < values.length ? rendered(values[index]) : "")).join(""));
}

/** Several pieces, each on lines of its own; absent ones are left out. */
export function joinLines(...pieces: readonly (ShellText | undefined | false)[]): ShellText {
  return new ShellText(
    pieces
      .filter((piece) => piece !== undefined && piece !== false)
      .map((piece) => piece.text.replace(/\n+$/u, ""))
      .join("\n"),
  );
}

/**
 * A here-document with `text` as its content, byte for byte plus a final newline where there was none. The content
 * reaches the command by standard input: it appears in no argument list.
 */
export function hereDocument(text: string): ShellText {
  const body = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  let delimiter = "END_OF_FILE";
  while (body.split("\n").includes(delimiter)) delimiter += "_";
  return new ShellText(`<<'${delimiter}'\n${body}${delimiter}`);
}
