/** The flavor: found by name or id, held against the project's quota. */
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { openStackOptions } from "./options.ts";
import type { Workplace } from "./workplace.ts";

export interface Flavor {
  readonly id: string;
  readonly name: string;
  readonly vcpus: number;
  /** MiB. */
  readonly ram: number;
  /** GiB; 0 where a server's root must be a volume. */
  readonly disk: number;
  /** Where the cloud shows them. */
  readonly extra_specs?: Readonly<Record<string, string>> | undefined;
}

const { flagOf } = openStackOptions;

/** Throws in 0.16.2's words, with the flavors that there are. */
export async function requireFlavor({ api, config }: Workplace, signal: AbortSignal): Promise<Flavor> {
  const flavors = await api.list<Flavor>("compute", "/flavors/detail", "flavors", {}, signal);
  const choice = `Choose one of ${someOf(flavors.map(({ name }) => name))} with ${flagOf("FlavorName")}.`;
  if (config.FlavorName === "" && config.FlavorId === "")
    throw new MachineError(
      "driver-options",
      `Flavor name or Flavor id must be specified using the CLI option ${flagOf("FlavorName")} or ${flagOf("FlavorId")}`,
      { hint: choice },
    );
  const found = flavors.find(({ id, name }) => (config.FlavorId === "" ? name === config.FlavorName : id === config.FlavorId));
  if (found !== undefined) return found;
  const wanted = config.FlavorId === "" ? `named ${config.FlavorName}` : `with the id ${config.FlavorId}`;
  throw new MachineError("provider-not-found", `Unable to find flavor ${wanted}`, { hint: choice });
}

/** Up to ten names, for sentences. */
export function someOf(names: readonly string[]): string {
  const sorted = [...new Set(names)].toSorted();
  if (sorted.length === 0) return "none that the project can see";
  return sorted.length > 10 ? `${sorted.slice(0, 10).join(", ")}, …` : sorted.join(", ");
}

/** The architecture that a flavor asks its hosts for; undefined where it says nothing, as most do. */
export function architectureOf({ extra_specs: specs = {} }: Flavor): string | undefined {
  const trait = Object.keys(specs).find((key) => /^trait:HW_ARCH_/u.test(key) && specs[key] === "required");
  if (trait !== undefined) return trait.replace("trait:HW_ARCH_", "").toLowerCase();
  const named = Object.entries(specs).find(([key]) => /(?:^|:)(?:cpu_)?arch(?:itecture)?$/u.test(key))?.[1];
  // A value may have an operator before it: "s== aarch64".
  return named?.split(" ").at(-1)?.toLowerCase();
}

interface Limits {
  readonly absolute: Readonly<Record<string, number>>;
}

/** -1 is no limit. */
const quotas = [
  { what: "instances", most: "maxTotalInstances", used: "totalInstancesUsed", wanted: () => 1 },
  { what: "cores", most: "maxTotalCores", used: "totalCoresUsed", wanted: ({ vcpus }: Flavor) => vcpus },
  { what: "MiB of RAM", most: "maxTotalRAMSize", used: "totalRAMUsed", wanted: ({ ram }: Flavor) => ram },
] as const;

/** Throws `provider-quota` where the flavor does not fit any more. Clouds that do not tell are believed. */
export async function checkQuota({ api }: Workplace, flavor: Flavor, signal: AbortSignal): Promise<void> {
  let absolute: Limits["absolute"];
  try {
    const path = "/limits";
    absolute = (await api.send<{ limits: Limits }>("compute", { method: "GET", path }, signal)).limits.absolute;
  } catch (error) {
    if (!["permission", "not-found"].includes(failureKindOf(error) ?? "")) throw error;
    return;
  }
  for (const { what, most, used, wanted } of quotas) {
    const [limit = -1, taken = 0, more] = [absolute[most], absolute[used], wanted(flavor)];
    if (limit < 0 || taken + more <= limit) continue;
    throw new MachineError(
      "provider-quota",
      `The project may have ${limit} ${what}, has ${taken}, and ${flavor.name} needs ${more}`,
      { hint: `Remove what is not needed, choose a smaller ${flagOf("FlavorName")}, or ask the operator for more.` },
    );
  }
}
