/** `plan`: what `apply` would do. Nothing is changed. */
import { ignoring } from "../../fleet/drift/drift.ts";
import { expandRanges } from "../../fleet/file/machine-names.ts";
import { makePlan } from "../../fleet/plan/make-plan.ts";
import { isChange, narrowed, standing, withDrift, type Plan, type PlannedMachine } from "../../fleet/plan/plan.ts";
import { savedPlan } from "../../fleet/plan/saved-plan.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { openFleet, type OpenedFleet } from "../fleet/open-fleet.ts";
import { printPlan } from "../fleet/print-plan.ts";
import { writeNamedFile } from "../named-file.ts";
import { openContext } from "../open-context.ts";
import { UsageError } from "../usage-error.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openContext(context);
  const imported = options.string("import");
  if (imported !== "") {
    if (args.length > 0) throw new UsageError("--import names the one machine that is printed: other names go without it");
    return await (await import("../fleet/print-import.ts")).printImport(imported, machineContext, context);
  }
  const opened = await openFleet(options.string("file"), context);
  const only = expandRanges(args);
  const fromRecords = await planOf(opened, only, machineContext, context);
  const ignored = options.strings("ignore");
  const plan = options.bool("drift")
    ? await lookedAt(fromRecords, standing(fromRecords), ignored, machineContext, context.signal)
    : fromRecords;
  printPlan(plan, context);
  const target = options.string("save");
  if (target !== "") {
    const basis = { path: opened.file.file, digest: opened.digest, drift: options.bool("drift"), ignored, only };
    const saved = await savedPlan(plan, basis, machineContext.store);
    await writeNamedFile(target, `${JSON.stringify(saved, undefined, 2)}\n`, context);
    logTo(context.report, "info", `Saved. To do just that: ${context.program.base} apply --plan ${quoteWord(target)}`);
  }
  return statusOf(plan, options.bool("detailed-exitcode"));
}

/** What the records say, of the machines that are named, or of all; what is hardly meant is said. Throws as `makePlan` and `narrowed`. */
export async function planOf(
  { file, source }: OpenedFleet,
  only: readonly string[],
  machineContext: MachineContext,
  context: CliContext,
): Promise<Plan> {
  const plan = narrowed(await makePlan(machineContext, file, source), only);
  for (const { text } of plan.warnings) logTo(context.report, "warn", text);
  return plan;
}

/** The plan with what is found on machines themselves. */
export async function lookedAt(
  plan: Plan,
  machines: readonly PlannedMachine[],
  ignored: readonly string[],
  machineContext: MachineContext,
  signal: AbortSignal,
): Promise<Plan> {
  const { lookForDrift } = await import("../../fleet/drift/look.ts");
  const reports = await lookForDrift(
    machineContext,
    machines.map(({ name }) => name),
    signal,
  );
  return withDrift(
    plan,
    reports.map((report) => ignoring(report, ignored)),
  );
}

/** What could not be looked at is an error: nobody may take it for no difference. */
export function statusOf({ machines }: Plan, isDetailed: boolean): number {
  if (machines.some(({ drift }) => drift?.state === "unknown")) return exitCodes.failure;
  return isDetailed && machines.some(isChange) ? exitCodes.differs : exitCodes.ok;
}
