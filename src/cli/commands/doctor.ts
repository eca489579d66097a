/** `doctor [NAME...]`: what is wrong, why, and what helps. */
import { logTo } from "../../log/event.ts";
import { runDoctor, type FixReport } from "../../machine/doctor/doctor.ts";
import { isFinding, type Finding } from "../../machine/doctor/examine.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { widthFor, wrap } from "../output/wrap.ts";
import { selectedNames } from "../selection/select-machines.ts";
import { isSelected } from "../selection/selection-flags.ts";

/** Gives 1 where something was found. Throws `machine-not-found` before anything is looked at. */
export async function run(invocation: Invocation, context: CliContext): Promise<number> {
  const { options, args } = invocation;
  const machineContext = openContext(context);
  const isChosen = args.length > 0 || isSelected(options);
  const names = isChosen ? await selectedNames(machineContext, invocation, context) : (await machineContext.store.list()).sort();
  // A name that is nobody's is a slip of the hand, and no machine that is unwell.
  if (args.length > 0)
    for (const name of names) if (!(await machineContext.store.has(name))) await machineContext.store.load(name);
  const fix = options.bool("fix") ? fixReport(context) : undefined;
  const request = { names, computer: !isChosen, registry: options.bool("pull"), fix };
  const all = await runDoctor(machineContext, request, context.signal);
  const shown = options.bool("verbose") ? all : all.filter(isFinding);
  if (context.globals.output === "json") context.printJson(shown.map(asJson));
  else
    for (const line of [...shown.flatMap((found) => linesOf(found, context)), ...summary(all, names, isChosen)])
      context.print(line);
  return all.some(isFinding) ? 1 : 0;
}

/** On standard error: the list of findings is the result. */
function fixReport({ report }: CliContext): FixReport {
  const whose = (machine: string | undefined): string => machine ?? "this computer";
  return {
    begun: (machine, what) => logTo(report, "info", `Fixing ${whose(machine)}: ${what}`),
    failed: (machine, why) => logTo(report, "warn", `That did not work on ${whose(machine)}: ${why}`),
  };
}

const marks: Readonly<Record<Finding["state"], string>> = { ok: "ok", warn: "warning", fail: "wrong", skipped: "skipped" };

function linesOf({ machine, check, title, state, evidence, cause, fix }: Finding, { streams: { stdout } }: CliContext): string[] {
  const width = widthFor(stdout);
  const head = `${machine ?? "this computer"}: ${marks[state]}: ${check}`;
  if (state === "ok" || state === "skipped") return wrapped(`${head} (${title})`, width, "");
  // What is to be done is to be copied, and stays in one piece.
  const advice = fix === "" ? [] : [`${indent}Do: ${oneLine(fix)}`];
  return [head, ...wrapped(oneLine(evidence), width), ...wrapped(`Because: ${oneLine(cause)}`, width), ...advice];
}

const indent = "  ";

/** Lines that fit, as far as words do; the first one indented as is said. */
function wrapped(text: string, width: number, first = indent): string[] {
  return wrap(text.split(" "), width - indent.length).map((line, index) => (index === 0 ? first : indent) + line);
}

/** What machines say is text of others. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, " ").trim();
}

function summary(all: readonly Finding[], names: readonly string[], isChosen: boolean): string[] {
  const machines = `${names.length} ${names.length === 1 ? "machine" : "machines"}`;
  const where = isChosen ? machines : `this computer and ${machines}`;
  const found = all.filter(isFinding);
  if (found.length === 0) return [`Nothing is wrong with ${where}.`];
  const unwell = new Set(found.map(({ machine }) => machine));
  return [
    `${found.length} ${found.length === 1 ? "finding" : "findings"} on ${unwell.size} of ${names.length + (isChosen ? 0 : 1)} looked at.`,
  ];
}

function asJson({ machine, check, layer, state, evidence, cause, fix, repair }: Finding) {
  return { machine: machine ?? null, check, layer, state, evidence, cause, fix, fixable: repair !== undefined };
}
