/**
 * Go's text/tabwriter: elastic columns. A cell is text that ends with a tab (or `\v`); the cells of a column in
 * adjacent lines get one width, counted in characters. What follows a line's last tab belongs to no column.
 */
import { runeCount } from "./go-string.ts";

export interface TabwriterOptions {
  /** Least width of a column, padding included. */
  readonly minWidth: number;
  /** Width of a tab, where padding is done with tabs. */
  readonly tabWidth: number;
  /** Added to the widest cell of a column. */
  readonly padding: number;
  /** One character; a tab pads with tabs and aligns to multiples of the tab width. */
  readonly padChar: string;
  readonly alignRight?: boolean | undefined;
  /** Columns of which all cells are empty and end with `\v` take no room. */
  readonly discardEmptyColumns?: boolean | undefined;
  /** Pad leading empty cells with tabs. */
  readonly tabIndent?: boolean | undefined;
  /** A `|` between columns. */
  readonly debug?: boolean | undefined;
}

/** The table of `docker-machine ls`. */
export const listTable: TabwriterOptions = { minWidth: 5, tabWidth: 1, padding: 3, padChar: " " };

/** The lists of options and commands in help texts. */
export const helpTable: TabwriterOptions = { minWidth: 0, tabWidth: 8, padding: 1, padChar: "\t" };

interface Cell {
  readonly text: string;
  readonly width: number;
  /** Ended by a tab, so its column is kept even when empty. */
  readonly hard: boolean;
}

type Line = readonly Cell[];

/** The text with its columns aligned. A form feed is a line break that ends all columns. */
export function tabulate(text: string, options: TabwriterOptions): string {
  const layout = options.padChar === "\t" ? { ...options, alignRight: false } : options;
  const sections = text.split("\f").map((section, index, all) => linesOf(section, index === all.length - 1));
  const formatted = sections.map((lines) => formatBlock(lines, [], layout).join("\n"));
  return formatted.join(options.debug === true ? "\n---\n" : "\n");
}

/** At the very end of the text, without a line break, there is no empty cell after the last tab. */
function linesOf(section: string, isLast: boolean): readonly Line[] {
  const lines = section.split("\n").map(cellsOf);
  const last = lines.at(-1);
  return isLast && last?.at(-1)?.text === "" ? [...lines.slice(0, -1), last.slice(0, -1)] : lines;
}

function cellsOf(line: string): Line {
  const ends = line.match(/[\t\v]/g) ?? [];
  return line.split(/[\t\v]/).map((text, column) => ({ text, width: runeCount(text), hard: ends[column] === "\t" }));
}

/** Lines with the first columns' widths known: finds the runs of lines that have one more column, and its width. */
function formatBlock(lines: readonly Line[], widths: readonly number[], options: TabwriterOptions): string[] {
  const column = widths.length;
  const formatted: string[] = [];
  for (let start = 0; start < lines.length;) {
    const end = runEnd(lines, start, column);
    if (end === start) {
      formatted.push(formatLine(lines[start] ?? [], widths, options));
      start += 1;
    } else {
      const block = lines.slice(start, end);
      formatted.push(...formatBlock(block, [...widths, columnWidth(block, column, options)], options));
      start = end;
    }
  }
  return formatted;
}

function runEnd(lines: readonly Line[], start: number, column: number): number {
  let end = start;
  while (column < (lines[end]?.length ?? 0) - 1) end += 1;
  return end;
}

function columnWidth(lines: readonly Line[], column: number, options: TabwriterOptions): number {
  const cells = lines.map((line) => line[column]);
  const isEmpty = cells.every((cell) => cell?.width === 0 && !cell.hard);
  if (isEmpty && options.discardEmptyColumns === true) return 0;
  return Math.max(options.minWidth, ...cells.map((cell) => (cell?.width ?? 0) + options.padding));
}

function formatLine(line: Line, widths: readonly number[], options: TabwriterOptions): string {
  const indent = line.findIndex(({ text }) => text !== "");
  const cells = line.map(({ text, width }, column) => {
    const reserved = widths[column];
    if (reserved === undefined) return text;
    const isIndent = options.tabIndent === true && (indent < 0 || column < indent);
    const filler = padding(width, reserved, isIndent, options);
    return options.alignRight === true && text !== "" ? filler + text : text + filler;
  });
  return cells.join(options.debug === true ? "|" : "");
}

function padding(width: number, reserved: number, useTabs: boolean, { padChar, tabWidth }: TabwriterOptions): string {
  if (padChar !== "\t" && !useTabs) return padChar.repeat(reserved - width);
  if (tabWidth === 0) return "";
  const rounded = Math.ceil(reserved / tabWidth) * tabWidth;
  return "\t".repeat(Math.ceil((rounded - width) / tabWidth));
}
