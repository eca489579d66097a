/** Output of many machines as people read it: each line with its machine, or equal outputs once. Pure. */
import type { ExecResult } from "../../machine/exec.ts";

/** `web-1  | `: all of one width. */
export function prefixesOf(names: readonly string[]): ReadonlyMap<string, string> {
  const width = Math.max(...names.map((name) => name.length));
  return new Map(names.map((name) => [name, `${name.padEnd(width)} | `]));
}

/** Equal outputs with equal statuses once, in the order of their first machine, each below a line that names its machines. */
export function groupedLines(results: readonly ExecResult[]): string[] {
  const groups = Map.groupBy(results, ({ status, stdout, stderr }) => JSON.stringify([status, stdout, stderr]));
  return [...groups.values()].flatMap((group) => {
    const [{ status, stdout, stderr }] = group as [ExecResult, ...ExecResult[]];
    const ended = status === 0 ? "" : `, status ${status}`;
    const head = `${foldNames(group.map(({ name }) => name)).join(",")} (${group.length}${ended}):`;
    return [head, ...linesOf(stdout), ...linesOf(stderr)];
  });
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\r?\n$/u, "").split(/\r?\n/u);
}

/** Names that differ in the number at their end, as clush writes them: `web-[1-3,5]`. */
export function foldNames(names: readonly string[]): string[] {
  const families = Map.groupBy(names, (name) => {
    const [, stem = name, digits] = /^(.*?)(\d{1,9})$/su.exec(name) ?? [];
    // Numbers that begin with a zero are folded only beside others of their length.
    return JSON.stringify([stem, digits === undefined ? "" : digits.startsWith("0") && digits !== "0" ? digits.length : "n"]);
  });
  return [...families].flatMap(([family, members]) => {
    const [stem, kind] = JSON.parse(family) as [string, string | number];
    if (kind === "" || members.length === 1) return members;
    return [`${stem}[${ranges(members.map((name) => name.slice(stem.length)))}]`];
  });
}

/** `1-3,5` for the numbers 3, 1, 2, 5; zeros in front stay. */
function ranges(texts: readonly string[]): string {
  const sorted = [...new Set(texts)].toSorted((left, right) => Number(left) - Number(right));
  const runs: [first: string, last: string][] = [];
  for (const text of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && Number(text) === Number(run[1]) + 1) run[1] = text;
    else runs.push([text, text]);
  }
  return runs.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(",");
}
