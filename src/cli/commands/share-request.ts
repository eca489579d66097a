import { guestPublicKey } from "../../machine/sharing/guest-key.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";

export async function run(_: Invocation, context: CliContext): Promise<void> {
  const publicKey = await guestPublicKey(openContext(context));
  if (context.globals.output === "json") context.printJson({ publicKey });
  else context.print(publicKey);
}
