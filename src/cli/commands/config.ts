import * as path from "node:path";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { quote } from "../../gocompat/quote.ts";
import { oneLine } from "../../log/plain-text.ts";
import { requireConnection } from "../../machine/host/engine-connection.ts";
import { isOverSsh } from "../../machine/host/engine-transport.ts";
import type { Host } from "../../machine/host/host.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
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
  const { ca, certificate, key } = await clientFilesOf(host);
  if (context.globals.output === "json") {
    context.printJson({ tlsVerify: true, caCertPath: ca, certPath: certificate, keyPath: key, host: url });
    return;
  }
  context.print("--tlsverify");
  context.print(`--tlscacert=${quote(ca)}`);
  context.print(`--tlscert=${quote(certificate)}`);
  context.print(`--tlskey=${quote(key)}`);
  context.print(`-H=${oneLine(url)}`);
}

interface ClientFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * The machine's own copies, which 0.16.2 names and `env` leads to; of an engine that is shared its copy knows both owners'
 * CAs. A machine that was not set up, as with the driver none, has no copies: then the store's.
 */
async function clientFilesOf({ dir, record }: Host): Promise<ClientFiles> {
  const copies = { ca: path.join(dir, "ca.pem"), certificate: path.join(dir, "cert.pem"), key: path.join(dir, "key.pem") };
  const texts = await Promise.all(Object.values(copies).map(async (file) => await readRegularFileIfExists(file)));
  if (!texts.includes(undefined)) return copies;
  const { CaCertPath, ClientCertPath, ClientKeyPath } = record.hostOptions.AuthOptions;
  return { ca: CaCertPath, certificate: ClientCertPath, key: ClientKeyPath };
}

/** `config set` alone is about a machine called so; hardly anybody has one. */
function notOfThatName(error: MachineError, meant: Command, { program }: CliContext): MachineError {
  const hint = `For ${program.base} ${meant.name} give more: ${usageOf(meant, meant.flags, program.base)}`;
  return new MachineError(error.code, error.message, { cause: error, hint });
}
