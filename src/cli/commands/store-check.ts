/** `store check`: whether the database keeps what locks hang on. */
import { MachineError } from "../../errors/machine-error.ts";
import { checkLedger } from "../../team/check-ledger.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openTeamContext } from "../team-context.ts";

export async function run(_: Invocation, context: CliContext): Promise<void> {
  const team = await openTeamContext(context);
  await using ledger = await team.openLedger();
  const probes = await checkLedger(ledger, context.signal);
  if (context.globals.output === "json") context.printJson(probes);
  else for (const { what, passed } of probes) context.print(`${passed ? "ok    " : "FAILED"}  ${what}`);
  if (probes.every(({ passed }) => passed)) return;
  throw new MachineError("store-refused", "The database does not keep what locks hang on", {
    hint: "Change nothing through it until that is mended; what stands between it and here may be the cause.",
  });
}
