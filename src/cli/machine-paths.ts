/** `[[user@]machine:]path` arguments of `scp` and `mount`, resolved to where ssh goes. */
import type { SshTarget } from "../ssh/executor.ts";
import type { CopyArgument, CopyEndpoint } from "../ssh/scp.ts";
import { openHost, type Host } from "../machine/host.ts";
import type { MachinePorts } from "../machine/ports.ts";

/** The machine's SSH target, with the user that was typed in place of its own. */
export async function targetFor(host: Host, user: string | undefined): Promise<SshTarget> {
  const target = await host.sshTarget();
  return user === undefined ? target : { ...target, userName: user };
}

/** Throws `machine-not-found`, and what first contact throws: programs of the OpenSSH family need the key pinned before. */
export async function endpointFor(ports: MachinePorts, argument: CopyArgument): Promise<CopyEndpoint> {
  if (argument.machine === undefined) return { target: undefined, path: argument.path };
  await using host = await openHost(ports, argument.machine);
  return { target: await targetFor(host, argument.user), path: argument.path };
}
