import { acceptHostKey, forgetHostKey, readPinnedKeys } from "../../machine/host-key.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { openPorts } from "../machine-ports.ts";
import { nameOrDefault } from "../machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const ports = openPorts(context);
  const name = await nameOrDefault(ports, args);
  if (options.bool("forget")) await forgetHostKey(ports, name, context.signal);
  if (options.string("accept") !== "") await acceptHostKey(ports, name, options.string("accept"), context.signal);
  const keys = await readPinnedKeys(ports, name);
  if (context.globals.output === "json") context.printJson({ name, hostKeys: keys });
  else if (keys.length === 0) context.print("No host key is pinned; the next connection pins one.");
  else for (const { type, fingerprint } of keys) context.print(`${fingerprint} ${type}`);
}
