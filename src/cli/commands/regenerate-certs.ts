import { renewAuthority, regenerateCertificates } from "../../machine/certificates.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { requireTlsNames } from "../../tls/alternative-names.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { workOnNamed } from "../named-machines.ts";
import { namesOrDefault, selectedNames } from "../selection/select-machines.ts";
import { isSelected } from "../selection/selection-flags.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const furtherNames = options.strings("tls-san");
  requireTlsNames(furtherNames);
  const names = isSelected(options) ? await selectedNames(openContext(context), invocation, context) : undefined;
  if (names !== undefined) context.print(`About to regenerate the TLS certificates of ${names.join(", ")}`);
  if (!options.bool("force") && !(await isConfirmed(context))) return;
  context.print("Regenerating TLS certificates");
  const meant = names ?? (await namesOrDefault(openContext(context), invocation.args));
  if (options.bool("client-certs")) await renewAuthority(openContext(context), context.signal);
  await workOnNamed(
    context,
    meant,
    async (machineContext, name) => await regenerateCertificates(machineContext, name, context.signal, furtherNames),
  );
}

/** Without an answer this command fails, as in 0.16.2, where `rm` takes it for a no. */
async function isConfirmed(context: CliContext): Promise<boolean> {
  const answer = await context.confirm("Regenerate TLS machine certs?  Warning: this is irreversible.");
  if (answer !== undefined) return answer;
  throw new MachineError("usage", "EOF", { hint: "Nobody answered the question. Where there is nobody to ask, give --force." });
}
