/** `unshare NAME PERSON...`: their keys open nothing more, and what they have open ends. */
import { unshareMachine } from "../../machine/sharing/share.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { guestLines } from "./share-ls.ts";

export async function run({ args: [name = "", ...persons] }: Invocation, context: CliContext): Promise<void> {
  const left = await unshareMachine(openContext(context), name, persons, context.signal);
  if (context.globals.output === "json") context.printJson(left);
  else for (const line of guestLines(left)) context.print(line);
}
