/** The options that `create` is given for a machine of the file. */
import { overlayOptions, type DriverOptions, type FlagValue } from "../../driver-kit/create-flag.ts";
import { isReference } from "../../driver-kit/written-flag.ts";
import { isSecretName } from "../../log/secret-names.ts";
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

/** As {@link resolvedOptions}, for a look at what the flags mean: what they are references to is not fetched. */
export async function unfetchedOptions(
  { driverName, flags }: Pick<MachineSpec, "driverName" | "flags">,
  source: FlagSource,
): Promise<DriverOptions> {
  const options = await source.optionsFor(driverName, flags);
  const all = options.all();
  const secrets = (await source.flagsOf(driverName)).flatMap(({ name, secret }): [string, FlagValue][] => {
    const value = all[name];
    if (!(secret ?? isSecretName(name)) || value === undefined || value === "") return [];
    if (typeof value === "string") return [[name, unread]];
    return typeof value === "object" ? [[name, (value as readonly string[]).map(() => unread)]] : [];
  });
  return overlayOptions(options, Object.fromEntries(secrets));
}

/** A secret for whoever asks whether there is one. */
const unread = "value:unread";

/** Whether something in them stands for a secret. */
export function isUnfetched(options: DriverOptions): boolean {
  return Object.values(options.all()).some((value) => value === unread || (Array.isArray(value) && value.includes(unread)));
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
