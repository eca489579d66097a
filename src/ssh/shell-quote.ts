/** Quoting for the POSIX shell that runs a remote command: what goes in arrives as exactly one word. */

const plainWord = /^[A-Za-z0-9_@%+=:,./-]+$/u;

/** One shell word. NUL cannot be part of a word and is refused. */
export function quoteWord(text: string): string {
  if (text.includes("\0")) throw new RangeError("A shell word cannot contain a NUL character");
  return plainWord.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A command line that a POSIX shell splits into exactly these words. */
export function quoteCommand(words: readonly string[]): string {
  return words.map(quoteWord).join(" ");
}
