/** `schema`: for editors that know JSON schemas. */
import { fleetSchema } from "../../fleet/file/schema.ts";
import { logTo } from "../../log/event.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { cliFlagSource } from "../fleet/cli-flag-source.ts";

export async function run(_invocation: Invocation, context: CliContext): Promise<void> {
  const onMissing = (driver: string, why: string): void =>
    logTo(context.report, "warn", `The flags of the driver ${driver} are left out: ${why}`);
  context.printJson(await fleetSchema(cliFlagSource(context.computer), onMissing));
}
