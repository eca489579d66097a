/** Two-column lists of help texts: the first column ends at a common tab stop, as in 0.16.2. */
import { helpTable, tabulate } from "../../gocompat/tabwriter.ts";

/** Each row is the text before and after the tab. */
export function alignRows(rows: readonly (readonly [string, string])[]): string[] {
  if (rows.length === 0) return [];
  return tabulate(rows.map((row) => row.join("\t")).join("\n"), helpTable).split("\n");
}
