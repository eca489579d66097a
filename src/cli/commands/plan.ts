/** `plan`: what `apply` would do. Nothing is changed. */
import * as path from "node:path";
import { makePlan } from "../../fleet/plan/make-plan.ts";
import { isChange } from "../../fleet/plan/plan.ts";
import { savedPlan } from "../../fleet/plan/saved-plan.ts";
import { logTo } from "../../log/event.ts";
import { writeFileAtomic } from "../../system/files.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openFleet } from "../fleet/open-fleet.ts";
import { printPlan } from "../fleet/print-plan.ts";
import { openContext } from "../open-context.ts";

const differs = 2;

export async function run({ options }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openContext(context);
  const { file, source, digest } = await openFleet(options.string("file"), context);
  const plan = await makePlan(machineContext, file, source);
  printPlan(plan, context);
  const target = options.string("save");
  if (target !== "") {
    const saved = await savedPlan(plan, { path: file.file, digest }, machineContext.store);
    await writeFileAtomic(path.resolve(context.computer.cwd, target), `${JSON.stringify(saved, undefined, 2)}\n`, 0o600);
    logTo(context.report, "info", `Saved. To do just that: ${context.program.base} apply --plan ${target}`);
  }
  return options.bool("detailed-exitcode") && plan.machines.some(isChange) ? differs : 0;
}
