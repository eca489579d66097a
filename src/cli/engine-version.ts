import { engineVersionOf } from "../machine/engine-connection.ts";
import { openHost } from "../machine/open-host.ts";
import type { CliContext } from "./context.ts";
import { openPorts } from "./machine-ports.ts";
import { nameOrDefault } from "./machines.ts";

/** The version of one machine's engine; apart from `version` itself, which must start at once. */
export async function printEngineVersion(args: readonly string[], context: CliContext): Promise<void> {
  const ports = openPorts(context);
  await using host = await openHost(ports, await nameOrDefault(ports, args));
  const version = await engineVersionOf(ports, host, context.signal);
  if (context.globals.output === "json") context.printJson({ name: host.name, engineVersion: version });
  else context.print(version);
}
