/** Rows of cells under each other. Pure. */

/** Each column is as wide as its widest cell and three blanks; the last ends where its text ends. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const last = Math.max(0, ...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: last }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + 3);
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(""));
}
