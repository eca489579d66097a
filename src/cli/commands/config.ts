import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { quote } from "../../gocompat/quote.ts";
import { oneLine } from "../../log/plain-text.ts";
import { requireConnection } from "../../machine/host/engine-connection.ts";
import { isOverSsh } from "../../machine/host/engine-transport.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { connecting } from "../connection-error.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
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
