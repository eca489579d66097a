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
  "next-upgrade": "from the next upgrade on",
  "engine-restart": "restarts the engine",
  "engine-upgrade": "upgrades the engine",
  resize: "may count from the next start on",
  replacement: "only by replacement",
};

/** Names as narrow as this share a column; what is longer stands alone. */
const widestNames = 28;

export function planLines(plan: Plan, style: PlanStyle): string[] {
  const shown = plan.machines.filter(isChange);
  const groups = [...Map.groupBy(shown, (machine) => JSON.stringify(rowsOf(machine))).values()];
  const rows = groups.map((group) => ({
    first: group[0] as PlannedMachine,
    names: foldNames(group.map(({ name }) => name)).join(" "),
  }));
  const width = Math.min(widestNames, Math.max(0, ...rows.map(({ names }) => lengthOf(names))));
  return [...rows.flatMap(({ first, names }) => machineLines(first, names, width, style)), ...summaryLines(plan)];
}

function machineLines(machine: PlannedMachine, names: string, width: number, style: PlanStyle): string[] {
  const [mark, colour] = marks[machine.action];
  const indent = 4 + width + 2;
  const room = Math.max(style.columns - indent - 1, 20);
  const lines = rowsOf(machine).flatMap((row) => wrap(oneLine(row).split(" "), room));
  const head = `${painted(mark, colour, style)} ${names.padEnd(width)}`;
  // A long list of names has its lines to itself.
  const isBeside = lengthOf(names) <= width;
  const heads = isBeside
    ? [`  ${head}`]
    : wrap(names.split(" "), Math.max(style.columns - 5, 20)).map(
        (line, index) => `  ${index === 0 ? painted(mark, colour, style) : " "} ${line}`,
      );
  const rest = lines.map((line) => " ".repeat(indent) + line);
  if (!isBeside) return [...heads, ...rest];
  const [first = "", ...others] = lines;
  return [`${heads[0]}  ${first}`.trimEnd(), ...others.map((line) => " ".repeat(indent) + line)];
}

/** What is said of a machine, as the ends of a line. */
function rowsOf(machine: PlannedMachine): string[] {
  const { action, reason, needs, isProtected, changes } = machine;
  const opening = openings[action];
  const first = [opening, reason].filter((part) => part !== "").join(" ");
  return [...(first === "" ? [] : [first]), ...changes.map(changeText), ...decisionOf(action, needs, isProtected)];
}

const openings: Readonly<Record<Action, string>> = {
  none: "",
  create: "create:",
  continue: "",
  change: "",
  mark: "",
  replace: "",
  remove: "",
  refuse: "not touched:",
};

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

function decisionOf(action: Action, needs: PlannedMachine["needs"], isProtected: boolean): string[] {
  if (needs === undefined) return [];
  if (isProtected) return ["kept: it is protected"];
  return [
    needs === "prune"
      ? "kept (apply --prune removes it)"
      : `kept as it is in that (apply --replace makes it anew${action === "replace" ? "" : ", and all else is changed now"})`,
  ];
}

function painted(text: string, colour: Colour, { hasColour }: PlanStyle): string {
  return hasColour && text.trim() !== "" ? `\u001B[${codes[colour]}m${text}\u001B[0m` : text;
}

function summaryLines(plan: Plan): string[] {
  const { create, continue: goOn, mark, decisions } = summaryOf(plan);
  const parts = [
    ...counted(create, "to create"),
    ...counted(plan.machines.filter((machine) => machine.action === "change" && isDoneUnasked(machine)).length, "to change"),
    ...counted(goOn, "to continue"),
    ...counted(mark, "to mark"),
    ...counted(decisions, decisions === 1 ? "needs a decision" : "need a decision"),
  ];
  const total = plan.machines.filter(({ spec }) => spec !== undefined).length;
  const machines = `${total} ${total === 1 ? "machine" : "machines"}`;
  return [
    parts.length === 0
      ? `Nothing to do: ${machines} of the fleet ${plan.fleet} ${total === 1 ? "is" : "are"} as the file says.`
      : `${parts.join(", ")}.`,
  ];
}

function counted(count: number, what: string): string[] {
  return count === 0 ? [] : [`${count} ${what}`];
}
