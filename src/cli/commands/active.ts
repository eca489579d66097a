import { MachineError } from "../../errors/machine-error.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { listRows } from "../list/list-rows.ts";
import { openContext } from "../open-context.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const rows = await listRows(openContext(context), context, { filters: [], timeoutMs: options.int("timeout") * 1000 });
  const active = rows.find((row) => row.activeHost || row.activeSwarm);
  if (active !== undefined) {
    if (context.globals.output === "json") context.printJson({ name: active.name });
    else context.print(active.name);
    return;
  }
  if (rows.some((row) => row.state === "Timeout")) throw new MachineError("timeout", "Error getting active host: timeout");
  throw new MachineError("machine-not-running", "No active host found", {
    hint: 'Point your shell at a machine with: eval "$(docker-machine env NAME)"',
  });
}
