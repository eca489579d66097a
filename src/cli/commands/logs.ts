/** `logs NAME`: what the engine on a machine wrote, as far back as its system keeps it. */
import { openHost } from "../../machine/host/open-host.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { nameOrDefault } from "../named-machines.ts";
import { openContext } from "../open-context.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<number> {
  const lines = options.int("lines");
  if (lines < 1) throw new MachineError("usage", `--lines ${lines} is no number of lines`);
  const machineContext = openContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  await using ssh = await host.openSsh();
  return await ssh.session({ command: logScript(lines, options.bool("follow")), terminal: "no", signal: context.signal });
}

/** Root reads all of it; who may become root without a password does; anybody else is shown what is theirs to read. */
export function logScript(lines: number, follow: boolean): string {
  const end = `-n ${lines}${follow ? " -f" : ""}`;
  return [
    'as=; [ "$(id -u)" = 0 ] || ! sudo -n true 2>/dev/null || as="sudo -n"',
    `if command -v journalctl >/dev/null && $as journalctl -n 1 -u docker.service >/dev/null 2>&1; then exec $as journalctl --no-pager ${end} -u docker.service; fi`,
    `for log in /var/log/docker.log /var/log/docker; do if $as test -f "$log"; then exec $as tail ${end} "$log"; fi; done`,
    'echo "No log of a Docker Engine is here: neither in the journal nor as /var/log/docker.log" >&2; exit 1',
  ].join("; ");
}
