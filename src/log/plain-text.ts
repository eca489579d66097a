/**
 * Text of others (engines, hosts, plugins, records) as it may stand on a terminal or in a table. What moves the cursor,
 * hides, reorders or ends a line could make it look like text of ours.
 */

/** Control characters but for tab and line feed, and the marks that reorder what is read (Unicode's bidirectional ones). */
const controls = /(?![\t\n])[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const replacement = "\uFFFD";
const longestLine = 500;

/** Lines stay lines; all else that is no text is shown as one sign each. */
export function withoutControls(text: string): string {
  if (isPlainLine(text)) return text;
  return text.replaceAll("\r\n", "\n").replaceAll(controls, replacement);
}

/** One line of bounded length: for a cell of a table, or a fact that is read line by line. */
export function oneLine(text: string): string {
  if (isPlainLine(text)) return text;
  const line = text.length > longestLine ? `${text.slice(0, longestLine)}…` : text;
  return withoutControls(line.replaceAll(/[\t\n\v\f\r]+/gu, " "));
}

/** A short line of plain ASCII, as most are: to make ready the expressions takes longer than to look at each sign. */
function isPlainLine(text: string): boolean {
  if (text.length > longestLine) return false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}
