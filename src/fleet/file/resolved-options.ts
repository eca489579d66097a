/** The options that `create` is given for a machine of the file. */
import { overlayOptions, type DriverOptions } from "../../driver-kit/create-flag.ts";
import { isReference } from "../../driver-kit/written-flag.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { FlagSource } from "./flag-source.ts";
import type { MachineSpec } from "./fleet-file.ts";

/**
 * Secrets of the driver stay references, which the vault keeps as such; those of the engine's environment are fetched, as an
 * engine takes none. Throws `secret-unavailable`.
 */
export async function resolvedOptions(
  context: Pick<MachineContext, "secrets" | "redactor">,
  { driverName, flags }: Pick<MachineSpec, "driverName" | "flags">,
  source: FlagSource,
): Promise<DriverOptions> {
  const options = await source.optionsFor(driverName, flags);
  const given = flags["engine-env"];
  if (!Array.isArray(given)) return options;
  const env = await Promise.all((given as readonly string[]).map(async (each) => await resolvedAssignment(context, each)));
  return overlayOptions(options, { "engine-env": env });
}

async function resolvedAssignment(
  { secrets, redactor }: Pick<MachineContext, "secrets" | "redactor">,
  assignment: string,
): Promise<string> {
  const [name = "", ...rest] = assignment.split("=");
  const value = rest.join("=");
  if (!isReference(value)) return assignment;
  const secret = await secrets.resolve(value);
  redactor.add(secret);
  return `${name}=${secret}`;
}
