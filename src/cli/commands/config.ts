import * as path from "node:path";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { quote } from "../../gocompat/quote.ts";
import { oneLine } from "../../log/plain-text.ts";
import { requireConnection } from "../../machine/host/engine-connection.ts";
import { isOverSsh } from "../../machine/host/engine-transport.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { findCommand, type Command, type Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { usageOf } from "../help/command-text.ts";
import { connecting } from "../connection-error.ts";
import { openAskingContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ command, options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openAskingContext(context);
  const name = await nameOrDefault(machineContext, args);
  await using host = await openHost(machineContext, name).catch((error: unknown) => {
    const meant = findCommand(command.subcommands ?? [], name);
    throw meant !== undefined && isMachineError(error, "machine-not-found") ? notOfThatName(error, meant, context) : error;
  });
  if (isOverSsh(host)) {
    throw new MachineError(
      "machine-state",
      `The engine of "${host.name}" is reached over SSH: no flags of a docker client lead to it`,
      {
        hint: `Use: ${context.program.base} with ${host.name} -- docker ps`,
      },
    );
  }
  const url = await connecting(
    "Error running connection boilerplate",
    context,
    async () => await requireConnection(machineContext, host, options.bool("swarm"), context.signal),
  );
  const { CaCertPath: ownCa, ClientCertPath, ClientKeyPath } = host.record.hostOptions.AuthOptions;
  // An engine that is shared proves itself to the machine's copy, which knows both owners' CAs.
  const CaCertPath = host.record.extra.SharedCa === undefined ? ownCa : path.join(host.dir, "ca.pem");
  if (context.globals.output === "json") {
    context.printJson({ tlsVerify: true, caCertPath: CaCertPath, certPath: ClientCertPath, keyPath: ClientKeyPath, host: url });
    return;
  }
  context.print("--tlsverify");
  context.print(`--tlscacert=${quote(CaCertPath)}`);
  context.print(`--tlscert=${quote(ClientCertPath)}`);
  context.print(`--tlskey=${quote(ClientKeyPath)}`);
  context.print(`-H=${oneLine(url)}`);
}

/** `config set` alone is about a machine called so; hardly anybody has one. */
function notOfThatName(error: MachineError, meant: Command, { program }: CliContext): MachineError {
  const hint = `For ${program.base} ${meant.name} give more: ${usageOf(meant, meant.flags, program.base)}`;
  return new MachineError(error.code, error.message, { cause: error, hint });
}
