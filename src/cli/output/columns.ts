/** Rows of cells under each other. Pure. */
import { lengthOf, wrap } from "./wrap.ts";

/** The least that a last column is worth having beside the others. */
const leastBeside = 20;
const indent = "  ";

/**
 * Each column is as wide as its widest cell and three blanks. The last ends where its text ends; where that is not within
 * `width` it is broken between words, and stands below its row where there is too little room beside it.
 */
export function columns(rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string[] {
  const last = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: last }, (_, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ""))) + 3);
  const before = widths.reduce((sum, each) => sum + each, 0);
  const isBeside = width - before >= leastBeside;
  return rows.flatMap((row) => {
    const head = row.slice(0, last).map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - lengthOf(cell)));
    const text = row[last] ?? "";
    if (lengthOf(text) <= width - before) return [head.join("") + text];
    const [first = "", ...more] = wrap(text.split(" "), width - (isBeside ? before : indent.length));
    if (isBeside) return [head.join("") + first, ...more.map((line) => " ".repeat(before) + line)];
    return [head.join("").trimEnd(), ...[first, ...more].map((line) => indent + line)];
  });
}
