import { oneLine } from "../../log/plain-text.ts";
import { requireUrl } from "../../machine/host/engine-connection.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  const url = await requireUrl(machineContext, host, context.signal);
  if (context.globals.output === "json") context.printJson({ name: host.name, url });
  else context.print(oneLine(url));
}
