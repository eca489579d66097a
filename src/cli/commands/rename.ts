/** `rename NAME NEW-NAME`. */
import { renameMachine } from "../../machine/rename.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";

export async function run({ args: [name = "", newName = ""] }: Invocation, context: CliContext): Promise<void> {
  await renameMachine(openContext(context), name, newName, context.signal);
  context.print(`"${name}" is called "${newName}" now.`);
}
