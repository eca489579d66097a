/**
 * `ls` as people see it on a terminal: the columns that hold something, as wide as the terminal is, states in colour. What
 * is wrong with a machine stands below its row where it does not fit beside it. Pure: rows in, lines out.
 */
import { oneLine } from "../../log/plain-text.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { lengthOf, wrap } from "../output/wrap.ts";

/** A machine; without a state it was not heard of yet. */
export interface PeopleRow {
  readonly name: string;
  readonly driverName: string;
  readonly active: string;
  readonly state: MachineState | undefined;
  readonly url: string;
  readonly swarm: string;
  readonly engineVersion: string;
  /** What is wrong, as a clause. */
  readonly problem: string;
  /** As it was in the round before, where that is known: what is another now is marked. */
  readonly before?: Omit<PeopleRow, "before"> | undefined;
}

export interface TableStyle {
  readonly columns: number;
  readonly hasColour: boolean;
}

interface Column {
  readonly title: string;
  readonly textOf: (row: PeopleRow) => string;
  /** Escape codes around the text; none unless given. */
  readonly colourOf?: (row: PeopleRow) => Colour | undefined;
}

type Colour = "green" | "yellow" | "red" | "dim";

const codes: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, dim: 2 };
const reverse = 7;

const colours: Readonly<Record<MachineState, Colour>> = {
  "": "dim",
  Running: "green",
  Paused: "yellow",
  Saved: "yellow",
  Starting: "yellow",
  Stopping: "yellow",
  Stopped: "dim",
  Error: "red",
  Timeout: "red",
};

const gap = 3;
const waiting = "...";
/** However narrow the terminal is. */
const shortestName = 4;

const name: Column = { title: "NAME", textOf: (row) => row.name };
const state: Column = {
  title: "STATE",
  textOf: (row) => row.state ?? waiting,
  colourOf: (row) => (row.state === undefined ? "dim" : colours[row.state]),
};
const active: Column = {
  title: "ACTIVE",
  textOf: (row) => (row.active === "-" ? "" : row.active),
  colourOf: () => "green",
};
const driver: Column = { title: "DRIVER", textOf: (row) => row.driverName };
const url: Column = { title: "URL", textOf: (row) => row.url };
const swarm: Column = { title: "SWARM", textOf: (row) => row.swarm };
const engine: Column = { title: "DOCKER", textOf: (row) => row.engineVersion };
const problem: Column = { title: "ERRORS", textOf: (row) => row.problem };

/** From left to right. */
const allColumns = [name, active, driver, state, url, swarm, engine, problem] as const;
/** Those that are given up, one after the other, where a row does not fit. */
const dispensable: readonly Column[] = [swarm, engine, driver, url, active];

/** All that a row may show. */
export function rowText(row: PeopleRow): string {
  return allColumns.map(({ textOf }) => textOf(row)).join(" ");
}

/** The head line and the rows; nothing where there are no rows. */
export function peopleTable(given: readonly PeopleRow[], style: TableStyle): string[] {
  if (given.length === 0) return [];
  const nameMost = Math.max(style.columns - 1 - gap - widthOf(state, given), shortestName);
  const rows = given.map((row) => ({ ...row, name: clipped(oneLine(row.name), nameMost) }));
  const columns = fitting(rows, style.columns);
  const widths = columns.map((column) => widthOf(column, rows));
  const isBeside = columns.includes(problem);
  const head = joined(columns.map((column, index) => pad(column.title, widths[index] ?? 0)));
  const lines = rows.flatMap((row) => [
    joined(columns.map((column, index) => cell(column, row, widths[index] ?? 0, style))),
    ...(isBeside || row.problem === "" ? [] : below(oneLine(row.problem), style)),
  ]);
  return [head, ...lines];
}

function fitting(rows: readonly PeopleRow[], columns: number): readonly Column[] {
  const needed = allColumns.filter((column) => isWanted(column, rows));
  const fits = (some: readonly Column[]): boolean => totalWidth(some, rows) < columns;
  if (fits(needed)) return needed;
  let left: readonly Column[] = needed.filter((column) => column !== problem);
  for (const column of dispensable) {
    if (fits(left)) break;
    left = left.filter((other) => other !== column);
  }
  return left;
}

function isWanted(column: Column, rows: readonly PeopleRow[]): boolean {
  return column === name || column === state || rows.some((row) => column.textOf(row) !== "");
}

function totalWidth(columns: readonly Column[], rows: readonly PeopleRow[]): number {
  return columns.reduce((sum, column) => sum + widthOf(column, rows) + gap, -gap);
}

function widthOf(column: Column, rows: readonly PeopleRow[]): number {
  return Math.max(column.title.length, ...rows.map((row) => lengthOf(oneLine(column.textOf(row)))));
}

function cell(column: Column, row: PeopleRow, width: number, { hasColour }: TableStyle): string {
  const text = pad(oneLine(column.textOf(row)), width);
  const styles = [...colourCode(column, row), ...(isChanged(column, row) ? [reverse] : [])];
  if (!hasColour || styles.length === 0 || text.trim() === "") return text;
  const shown = text.trimEnd();
  return `\u001B[${styles.join(";")}m${shown}\u001B[0m${text.slice(shown.length)}`;
}

function colourCode(column: Column, row: PeopleRow): number[] {
  const colour = column.colourOf?.(row);
  return colour === undefined ? [] : [codes[colour]];
}

function isChanged({ textOf }: Column, row: PeopleRow): boolean {
  const { before } = row;
  return before?.state !== undefined && textOf(before) !== textOf(row);
}

/** In lines of their own, broken between words. */
function below(text: string, { columns, hasColour }: TableStyle): string[] {
  const indent = "  ";
  const width = Math.max(columns - indent.length - 1, 8);
  const words = text.split(" ").map((word) => clipped(word, width));
  return wrap(words, width).map((each) => (hasColour ? `${indent}\u001B[${codes.red}m${each}\u001B[0m` : indent + each));
}

function joined(cells: readonly string[]): string {
  return cells.join(" ".repeat(gap)).trimEnd();
}

function pad(text: string, width: number): string {
  return text + " ".repeat(Math.max(width - lengthOf(text), 0));
}

function clipped(text: string, width: number): string {
  return lengthOf(text) <= width
    ? text
    : `${Array.from(text)
        .slice(0, Math.max(width - 1, 1))
        .join("")}…`;
}
