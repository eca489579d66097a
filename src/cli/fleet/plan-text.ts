/** A plan as people read it: a line a machine, equal ones together, what changes below. Pure: a plan in, lines out. */
import { oneLine } from "../../log/plain-text.ts";
import {
  isChange,
  isDoneUnasked,
  summaryOf,
  type Action,
  type Effect,
  type Plan,
  type PlannedMachine,
} from "../../fleet/plan/plan.ts";
import type { DriftReport } from "../../fleet/drift/drift.ts";
import { foldNames } from "../exec/grouped-output.ts";
import { lengthOf, wrap } from "../output/wrap.ts";

export interface PlanStyle {
  /** Of the terminal; lines are not broken where there is none. */
  readonly columns: number;
  readonly hasColour: boolean;
}

type Colour = "green" | "yellow" | "red" | "blue" | "dim";
const codes: Readonly<Record<Colour, number>> = { green: 32, yellow: 33, red: 31, blue: 34, dim: 2 };

const marks: Readonly<Record<Action, readonly [mark: string, colour: Colour]>> = {
  none: [" ", "dim"],
  create: ["+", "green"],
  continue: ["!", "yellow"],
  change: ["~", "yellow"],
  mark: ["*", "blue"],
  replace: ["×", "red"],
  remove: ["-", "red"],
  refuse: ["?", "red"],
};

const effectWords: Readonly<Record<Effect, string>> = {
  record: "",
  lifetime: "counted from now on",
  "next-upgrade": "from the next upgrade on",
  "engine-restart": "restarts the engine",
  "engine-upgrade": "upgrades the engine",
  swarm: "after the others",
  resize: "may count from the next start on",
  replacement: "only by replacement",
};

/** Names as narrow as this share a column; what is longer stands alone. */
const widestNames = 28;

/** @param granted machines whose removal or replacement was asked for */
export function planLines(plan: Plan, style: PlanStyle, granted: ReadonlySet<string> = new Set()): string[] {
  const shown = plan.machines.filter(
    (machine) => isChange(machine) || machine.drift?.state === "unknown" || granted.has(machine.name),
  );
  const groups = Map.groupBy(shown, (machine) => JSON.stringify([machine.action, ...rowsOf(machine, granted.has(machine.name))]));
  const rows = [...groups.values()].map((group) => {
    const [{ name }] = group as [PlannedMachine];
    const isGranted = granted.has(name);
    const names = oneLine(foldNames(group.map((machine) => machine.name)).join(" "));
    const mark = markOf(group[0] as PlannedMachine, isGranted);
    return { mark, names, rows: rowsOf(group[0] as PlannedMachine, isGranted) };
  });
  const width = Math.min(widestNames, Math.max(0, ...rows.map(({ names }) => lengthOf(names))));
  return [...rows.flatMap((row) => groupLines(row, width, style)), summaryLine(plan, granted)];
}

function markOf({ action, drift }: PlannedMachine, isGranted: boolean): (typeof marks)[Action] {
  if (isGranted && action !== "remove") return marks.replace;
  if (action !== "none" || drift === undefined) return marks[action];
  return drift.state === "unknown" ? marks.refuse : driftMark;
}

const driftMark = ["≠", "yellow"] as const;

interface Group {
  readonly mark: (typeof marks)[Action];
  readonly names: string;
  /** The ends of its lines. */
  readonly rows: readonly string[];
}

function groupLines({ mark: [mark, colour], names, rows }: Group, width: number, style: PlanStyle): string[] {
  const indent = " ".repeat(4 + width + 2);
  const lines = rows.flatMap((row) => wrap(oneLine(row).split(" "), Math.max(style.columns - indent.length - 1, 20)));
  const painted = style.hasColour && mark !== " " ? `\u001B[${codes[colour]}m${mark}\u001B[0m` : mark;
  if (lengthOf(names) <= width) {
    const [first = "", ...others] = lines;
    return [`  ${painted} ${names.padEnd(width)}  ${first}`.trimEnd(), ...others.map((line) => indent + line)];
  }
  // A long list of names has its lines to itself.
  const heads = wrap(names.split(" "), Math.max(style.columns - 5, 20));
  return [...heads.map((line, index) => `  ${index === 0 ? painted : " "} ${line}`), ...lines.map((line) => indent + line)];
}

/** What is said of a machine. */
function rowsOf({ action, reason, needs, isProtected, changes, drift }: PlannedMachine, isGranted: boolean): string[] {
  const opening = action === "create" ? "create:" : action === "refuse" ? "not touched:" : "";
  const first = [opening, reason].filter((part) => part !== "").join(" ");
  return [
    ...(first === "" ? [] : [first]),
    ...changes.map(changeText),
    ...driftRows(drift),
    ...decisionOf(action, needs, isProtected, isGranted),
  ];
}

/** What was found on the machine itself. */
export function driftRows(drift: DriftReport | undefined): string[] {
  if (drift === undefined) return [];
  if (drift.state === "unknown") return [`unknown: ${drift.reason}`];
  return drift.differences.map(({ key, expected, found }) => `${key}: ${found}, not ${expected}`);
}

function decisionOf(action: Action, needs: PlannedMachine["needs"], isProtected: boolean, isGranted: boolean): string[] {
  if (isGranted)
    return [action === "remove" ? "removed, as is asked for" : "made anew, as is asked for: all that is on it is gone"];
  if (needs === undefined) return [];
  if (isProtected) return ["kept: it is protected"];
  return [needs === "prune" ? "kept (apply --prune removes it)" : "kept (apply --replace NAME makes it anew)"];
}

function changeText({ key, from, to, effect }: PlannedMachine["changes"][number]): string {
  const what =
    from === null
      ? `${key} ${quoted(to)}`
      : to === null
        ? `${key} ${quoted(from)} → none`
        : `${key} ${quoted(from)} → ${quoted(to)}`;
  return effectWords[effect] === "" ? what : `${what} (${effectWords[effect]})`;
}

/** Empty is to be seen. */
function quoted(value: string | null): string {
  return value === null || value === "" ? '""' : value;
}

function summaryLine(plan: Plan, granted: ReadonlySet<string>): string {
  const left = { ...plan, machines: plan.machines.filter(({ name }) => !granted.has(name)) };
  const { create, continue: goOn, mark, drifted, unknown, decisions } = summaryOf(left);
  const removed = plan.machines.filter(({ name, action }) => granted.has(name) && action === "remove").length;
  const parts = [
    ...counted(create, "to create"),
    ...counted(left.machines.filter((machine) => machine.action === "change" && isDoneUnasked(machine)).length, "to change"),
    ...counted(goOn, "to continue"),
    ...counted(mark, "to mark"),
    ...counted(drifted, drifted === 1 ? "differs from its record" : "differ from their records"),
    ...counted(unknown, unknown === 1 ? "is unknown" : "are unknown"),
    ...counted(granted.size - removed, "to replace"),
    ...counted(removed, "to remove"),
    ...counted(decisions, decisions === 1 ? "needs a decision" : "need a decision"),
  ];
  if (parts.length > 0) return `${parts.join(", ")}.`;
  const total = plan.machines.length;
  return `Nothing to do: ${total} ${total === 1 ? "machine" : "machines"} of the fleet ${plan.fleet} ${total === 1 ? "is" : "are"} as the file says.`;
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
