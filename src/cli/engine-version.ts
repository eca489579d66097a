import { oneLine } from "../log/plain-text.ts";
import { engineVersionOf } from "../machine/host/engine-connection.ts";
import { openHost } from "../machine/host/open-host.ts";
import type { CliContext } from "./cli-context.ts";
import { openAskingContext } from "./open-context.ts";
import { nameOrDefault } from "./named-machines.ts";

/** The version of one machine's engine; apart from `version` itself, which must start at once. */
export async function printEngineVersion(args: readonly string[], context: CliContext): Promise<void> {
  const machineContext = openAskingContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  const version = await engineVersionOf(machineContext, host, context.signal);
  if (context.globals.output === "json") context.printJson({ name: host.name, engineVersion: version });
  else context.print(oneLine(version));
}
