/** `plan`: what `apply` would do. Nothing is changed. */
import { ignoring } from "../../fleet/drift/drift.ts";
import { makePlan } from "../../fleet/plan/make-plan.ts";
import { isChange, standing, withDrift, type Plan } from "../../fleet/plan/plan.ts";
import { savedPlan } from "../../fleet/plan/saved-plan.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import { openFleet } from "../fleet/open-fleet.ts";
import { printPlan } from "../fleet/print-plan.ts";
import { writeNamedFile } from "../named-file.ts";
import { openContext } from "../open-context.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openContext(context);
  const imported = options.string("import");
  if (imported !== "") return await (await import("../fleet/print-import.ts")).printImport(imported, machineContext, context);
  const { file, source, digest } = await openFleet(options.string("file"), context);
  const fromRecords = await makePlan(machineContext, file, source);
  for (const warning of fromRecords.warnings) logTo(context.report, "warn", warning);
  const ignored = options.strings("ignore");
  const plan = options.bool("drift") ? await lookedAt(fromRecords, ignored, machineContext, context.signal) : fromRecords;
  printPlan(plan, context);
  const target = options.string("save");
  if (target !== "") {
    const saved = await savedPlan(plan, { path: file.file, digest, drift: options.bool("drift"), ignored }, machineContext.store);
    await writeNamedFile(target, `${JSON.stringify(saved, undefined, 2)}\n`, context);
    logTo(context.report, "info", `Saved. To do just that: ${context.program.base} apply --plan ${quoteWord(target)}`);
  }
  return statusOf(plan, options.bool("detailed-exitcode"));
}

/** The plan with what is found on the machines themselves. */
export async function lookedAt(
  plan: Plan,
  ignored: readonly string[],
  machineContext: MachineContext,
  signal: AbortSignal,
): Promise<Plan> {
  const { lookForDrift } = await import("../../fleet/drift/look.ts");
  const reports = await lookForDrift(
    machineContext,
    standing(plan).map(({ name }) => name),
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
