/** Text broken between words. Pure. */

import type { OutputStream } from "../../system/process-output.ts";

/** Lines of at most so many characters; a word that is wider has a line of its own. No words make no line. */
export function wrap(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && lengthOf(line) + 1 + lengthOf(word) > width) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** The columns of the terminal that text is for; without one there is no end to a line. */
export function widthFor({ isTerminal, columns }: Pick<OutputStream, "isTerminal" | "columns">): number {
  return isTerminal ? columns : Number.POSITIVE_INFINITY;
}

/** In characters as a terminal counts them, as far as that can be had without a table of wide ones. */
export function lengthOf(text: string): number {
  return Array.from(text).length;
}
