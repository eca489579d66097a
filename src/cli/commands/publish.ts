import { watchPublished } from "../../machine/published/watch.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";

/** The watcher that commands start for a machine. */
export async function run({ args: [name = ""] }: Invocation, context: CliContext): Promise<void> {
  await watchPublished(openContext(context), name, context.signal);
}
