/** `apply`: makes machines what a file says they should be. */
import { applyWork, checkWork, lockFleet } from "../../fleet/apply/apply.ts";
import type { Site } from "../../fleet/apply/steps.ts";
import { workOf, type Work } from "../../fleet/apply/work.ts";
import { expandRanges } from "../../fleet/file/machine-names.ts";
import { narrowed, standing, type Plan } from "../../fleet/plan/plan.ts";
import { parseSavedPlan, requireFresh, stale, type SavedPlan } from "../../fleet/plan/saved-plan.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { Outcome } from "../../machine/machine-context.ts";
import { throwFailures } from "../../machine/many.ts";
import type { CliContext, ProgressView } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { digestOfFile, openFleet, type OpenedFleet } from "../fleet/open-fleet.ts";
import { printPlanText } from "../fleet/print-plan.ts";
import { readNamedFile } from "../named-file.ts";
import { openContext } from "../open-context.ts";
import { lookedAt, planOf } from "./plan.ts";
import { UsageError } from "../usage-error.ts";

const mostAtOnce = 64;

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const parallel = options.int("parallel");
  if (parallel < 1 || parallel > mostAtOnce)
    throw new MachineError("usage", `--parallel takes 1 to ${mostAtOnce}, not ${parallel}`);
  const saved = options.isSet("plan") ? await savedFrom(options.string("plan"), context) : undefined;
  if (saved !== undefined && options.isSet("file"))
    throw new UsageError("A saved plan knows its file: --plan and --file exclude each other");
  const opened = await openFleet(saved?.file ?? options.string("file"), context);
  const { file, source } = opened;
  const [names, replace] = [expandRanges(args), expandRanges(options.strings("replace"))];
  requireAmong(names, replace);
  let shown: Pick<ProgressView, "reportFor"> = { reportFor: () => context.report };
  const machineContext = openContext(context, (name) => shown.reportFor(name));
  const site: Site = { context: machineContext, fleet: file.fleet, source, signal: context.signal };
  await using _lock = await lockFleet(machineContext, file.fleet, "apply", context.signal);
  const all = await planOf(opened, saved?.only ?? names, machineContext, context);
  const seen =
    (saved?.drift ?? options.bool("drift"))
      ? await lookedAt(all, standing(all), saved?.ignored ?? options.strings("ignore"), machineContext, context.signal)
      : all;
  if (saved !== undefined) await requireFresh(saved, seen, opened.digest, machineContext.store);
  const plan = narrowed(seen, names);
  const work = workOf(plan, { prune: options.bool("prune"), replace });
  await showPlan(plan, work, context);
  const blind = plan.machines.flatMap(({ name, drift }) => (drift?.state === "unknown" ? [unseen(name, drift.reason)] : []));
  if (work.length === 0) return throwFailures(blind);
  await checkWork(site, work, parallel);
  if (saved === undefined && !options.bool("yes") && !(await isAgreed(work, file.fleet, context))) return;
  await requireUnchanged(opened);
  const manner = { swarms: file.swarms, rollout: file.rollout, downgrade: options.bool("downgrade") };
  const view = await context.showProgress(work.map(({ machine }) => machine.name));
  shown = view;
  try {
    const onDone = (name: string, error?: unknown): void => view.finish(name, error);
    const outcomes = await applyWork(site, { work, parallel, onDone, ...manner });
    view.close();
    const done = outcomes.filter(({ error }) => error === undefined).length;
    logTo(context.report, "info", `${done} of ${outcomes.length} applied to the fleet ${file.fleet}.`);
    throwFailures([...outcomes, ...blind]);
  } finally {
    view.close();
  }
}

/** Throws `usage` for what would be lost although the command is about others. */
function requireAmong(names: readonly string[], replace: readonly string[]): void {
  const stray = names.length === 0 ? undefined : replace.find((name) => !names.includes(name));
  if (stray !== undefined) throw new UsageError(`--replace names "${stray}", and this is about ${names.join(", ")} alone`);
}

/** A machine of which nobody knows whether it is as it should be is not as it should be. */
function unseen(name: string, reason: string): Outcome<void> {
  return { name, error: new MachineError("machine-state", `"${name}" could not be looked at: ${reason}`) };
}

async function savedFrom(file: string, context: CliContext): Promise<SavedPlan> {
  if (file === "") throw new UsageError("--plan names no file");
  return parseSavedPlan(await readNamedFile(file, "docker-machine plan --save FILE makes one.", context), file);
}

/** Programs are told of what is done, people of what is left, too. */
async function showPlan(plan: Plan, work: readonly Work[], context: CliContext): Promise<void> {
  if (context.globals.output === "text") return printPlanText(plan, context, new Set(lostBy(work)));
  const view = await context.showProgress(work.map(({ machine }) => machine.name));
  for (const { machine, kind } of work) {
    const { name, reason, changes } = machine;
    view.reportFor(name)({ type: "machine-planned", action: kind, reason, changes });
  }
}

function lostBy(work: readonly Work[]): string[] {
  return work.filter(({ kind }) => kind === "remove" || kind === "replace").map(({ machine }) => machine.name);
}

/** Throws `usage` where nobody answers. */
async function isAgreed(work: readonly Work[], fleet: string, context: CliContext): Promise<boolean> {
  const lost = lostBy(work);
  if (lost.length > 0) context.print(`WARNING: The machines ${lost.join(", ")} and all that is on them will be gone.`);
  const answer = await context.confirm(`Apply this to the fleet ${fleet}?`, "\n");
  if (answer !== undefined) return answer;
  throw new MachineError("usage", "Nobody answered whether to apply that", { hint: "Where there is nobody to ask, give --yes." });
}

/** What was agreed to is what was shown. */
async function requireUnchanged({ path: file, digest, file: { file: name } }: OpenedFleet): Promise<void> {
  if ((await digestOfFile(file)) !== digest) throw stale(`${name} has changed since it was read`);
}
