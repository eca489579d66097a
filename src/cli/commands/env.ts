import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import {
  connectionVariables,
  detectShell,
  noProxyVariables,
  overSshVariables,
  renderShellEnv,
  unsetNoProxyVariables,
  unsetVariables,
  type ShellVariable,
} from "../shell/shell-env.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options, args } = invocation;
  const unset = options.bool("unset");
  if (unset && args.length > 0) {
    throw new MachineError("usage", "Error: Expected no machine name when the -u flag is present");
  }
  const variables = unset ? variablesToUnset(invocation, context) : await variablesToSet(invocation, context);
  if (context.globals.output === "json") {
    context.printJson(Object.fromEntries(variables.map(({ name, value }) => [name, value ?? null])));
    return;
  }
  const shell = options.string("shell") || detectShell(context.computer);
  context.streams.stdout.write(renderShellEnv(shell, variables, context.commandLine));
}

async function variablesToSet({ options, args }: Invocation, context: CliContext): Promise<ShellVariable[]> {
  // `env -u` asks no machine, and stands in the start-up files of shells.
  const [
    { connecting },
    { requireConnection },
    { isOverSsh, sshAliasOf },
    { openHost },
    { openAskingContext },
    { nameOrDefault },
  ] = await Promise.all([
    import("../connection-error.ts"),
    import("../../machine/host/engine-connection.ts"),
    import("../../machine/host/engine-transport.ts"),
    import("../../machine/host/open-host.ts"),
    import("../open-context.ts"),
    import("../named-machines.ts"),
  ]);
  const machineContext = openAskingContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  const url = await connecting(
    "Error checking TLS connection",
    context,
    async () => await requireConnection(machineContext, host, options.bool("swarm"), context.signal),
  );
  if (isOverSsh(host)) {
    sayWhatIsNeeded(context, host.name);
    return overSshVariables(host.name, sshAliasOf(host.name));
  }
  const variables = connectionVariables({ machineName: host.name, url, certPath: host.dir }, context.computer);
  if (!options.bool("no-proxy")) return variables;
  return [...variables, ...noProxyVariables(context.computer, await host.driver.getIp(), context.compat)];
}

/** Standard output is for the shell. */
function sayWhatIsNeeded({ report, program }: CliContext, name: string): void {
  logTo(
    report,
    "info",
    `Docker reaches "${name}" by the entry that "${program.base} ssh-config --install" keeps; without it use: ${program.base} with ${name} -- docker ps`,
  );
}

function variablesToUnset({ options }: Invocation, { computer, compat }: CliContext): ShellVariable[] {
  return options.bool("no-proxy") ? [...unsetVariables(), ...unsetNoProxyVariables(computer, compat)] : unsetVariables();
}
