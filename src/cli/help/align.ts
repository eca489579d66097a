/** Two-column lists as Go's tabwriter sets them with tab stops of 8: the first column ends at a common stop. */

const tabWidth = 8;

/** Each row is the text before and after the tab. */
export function alignRows(rows: readonly (readonly [string, string])[]): string[] {
  const width = rows.reduce((widest, [first]) => Math.max(widest, lengthOf(first) + 1), 0);
  const stop = Math.ceil(width / tabWidth) * tabWidth;
  return rows.map(([first, second]) => first + "\t".repeat(Math.ceil((stop - lengthOf(first)) / tabWidth)) + second);
}

/** Go counts characters, not UTF-16 units. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
