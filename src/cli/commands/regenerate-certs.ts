import { prepareAuthority, regenerateCertificates } from "../../machine/certificates.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { openPorts } from "../machine-ports.ts";
import { namesOrDefault, workOnMachines } from "../machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const question = "Regenerate TLS machine certs?  Warning: this is irreversible.";
  if (!options.bool("force") && !(await context.confirm(question))) return;
  const names = await namesOrDefault(openPorts(context), args);
  context.print("Regenerating TLS certificates");
  if (options.bool("client-certs")) await prepareAuthority(openPorts(context), context.signal);
  await workOnMachines(context, names, async (ports, name) => await regenerateCertificates(ports, name, context.signal));
}
