import { acceptHostKey, forgetHostKey, readPinnedKeys } from "../../machine/host-key.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const name = await nameOrDefault(machineContext, args);
  if (options.bool("forget")) await forgetHostKey(machineContext, name, context.signal);
  if (options.string("accept") !== "") await acceptHostKey(machineContext, name, options.string("accept"), context.signal);
  const keys = await readPinnedKeys(machineContext, name);
  if (context.globals.output === "json") context.printJson({ name, hostKeys: keys });
  else if (keys.length === 0) context.print("No host key is pinned; the next connection pins one.");
  else for (const { type, fingerprint } of keys) context.print(`${fingerprint} ${type}`);
}
