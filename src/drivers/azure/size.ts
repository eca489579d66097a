/** Which size a machine gets, and what that size can. */
import { MachineError } from "../../errors/machine-error.ts";
import { computeVersion } from "./resource-names.ts";
import type { Workplace } from "./workplace.ts";

/** Where the user names none, the first that can be had: burstable ones of two processors first. */
const usualSizes = [
  ...["Standard_B2s_v2", "Standard_B2as_v2", "Standard_B2s", "Standard_D2s_v5", "Standard_D2as_v5", "Standard_D2s_v6"],
] as const;

const skusVersion = "2021-07-01";

interface Sku {
  readonly resourceType: string;
  readonly name: string;
  readonly family?: string | undefined;
  readonly capabilities?: readonly { readonly name: string; readonly value: string }[] | undefined;
  readonly locationInfo?: readonly { readonly zones?: readonly string[] | undefined }[] | undefined;
  readonly restrictions?:
    | readonly {
        readonly type: string;
        readonly reasonCode?: string | undefined;
        readonly restrictionInfo?: { readonly zones?: readonly string[] | undefined } | undefined;
      }[]
    | undefined;
}

export interface Size {
  readonly name: string;
  readonly family: string;
  readonly architecture: "x64" | "Arm64";
  readonly generations: readonly string[];
  readonly cpus: number;
  readonly has: (capability: string) => boolean;
}

/** The size of the record, or one of the usual ones. Throws `provider-not-found` and `provider-capacity`. */
export async function resolveSize(place: Workplace, signal: AbortSignal): Promise<Size> {
  const { config } = place;
  const skus = await listSizes(place, signal);
  const wanted = config.Size === "" ? usualSizes : [config.Size];
  const known = wanted.flatMap((name) => skus.filter((sku) => sku.name.toLowerCase() === name.toLowerCase()));
  const first = known[0];
  if (first === undefined) throw noSuchSize(wanted, config.Location);
  const free = known.find((sku) => restrictionOf(sku, config.AvailabilityZone) === undefined);
  if (free !== undefined) return sizeOf(free);
  throw restricted(first, place);
}

async function listSizes({ api, config }: Workplace, signal: AbortSignal): Promise<readonly Sku[]> {
  const path = `/subscriptions/${config.SubscriptionID}/providers/Microsoft.Compute/skus`;
  const query = { $filter: `location eq '${config.Location}'` };
  const all = await api.list<Sku>({ path, version: skusVersion, query }, signal);
  return all.filter(({ resourceType }) => resourceType === "virtualMachines");
}

/** Why it cannot be had; undefined where it can. */
function restrictionOf({ restrictions = [], locationInfo = [] }: Sku, zone: string): string | undefined {
  const here = restrictions.find(({ type }) => type === "Location");
  if (here !== undefined) return here.reasonCode ?? "NotAvailableForSubscription";
  if (zone === "") return undefined;
  const inZone = restrictions.find(({ type, restrictionInfo }) => type === "Zone" && restrictionInfo?.zones?.includes(zone));
  if (inZone !== undefined) return inZone.reasonCode ?? "NotAvailableForSubscription";
  return locationInfo.some(({ zones }) => zones?.includes(zone)) ? undefined : "NoSuchZone";
}

function sizeOf(sku: Sku): Size {
  const capability = (name: string): string | undefined => sku.capabilities?.find((one) => one.name === name)?.value;
  return {
    name: sku.name,
    family: sku.family ?? "",
    architecture: capability("CpuArchitectureType") === "Arm64" ? "Arm64" : "x64",
    generations: (capability("HyperVGenerations") ?? "V1").split(","),
    cpus: Number(capability("vCPUs") ?? 0),
    has: (name) => capability(name)?.toLowerCase() === "true",
  };
}

function noSuchSize(wanted: readonly string[], location: string): MachineError {
  const names = wanted.length === 1 ? `size ${JSON.stringify(wanted[0])}` : `size of ${wanted.join(", ")}`;
  return new MachineError("provider-not-found", `Azure has no ${names} in ${location}`, {
    hint: `See az vm list-skus --location ${location}, and choose one with --azure-size, or another --azure-location.`,
  });
}

function restricted(sku: Sku, { config }: Workplace): MachineError {
  const zone = config.AvailabilityZone;
  const reason = restrictionOf(sku, zone) ?? "";
  const where = zone === "" ? config.Location : `zone ${zone} of ${config.Location}`;
  return new MachineError("provider-capacity", `The subscription cannot have ${sku.name} in ${where} (${reason})`, {
    hint: "Choose another --azure-size, --azure-availability-zone or --azure-location.",
  });
}

interface Usage {
  readonly currentValue: number;
  readonly limit: number;
  readonly name: { readonly value: string; readonly localizedValue?: string | undefined };
}

/** Throws `provider-quota` where the subscription's processors do not suffice. */
export async function checkQuota({ api, config }: Workplace, size: Size, signal: AbortSignal): Promise<void> {
  const path = `/subscriptions/${config.SubscriptionID}/providers/Microsoft.Compute/locations/${config.Location}/usages`;
  const usages = await api.list<Usage>({ path, version: computeVersion }, signal);
  const counted = config.Spot ? ["lowprioritycores"] : ["cores", size.family.toLowerCase()];
  const short = usages.find(
    ({ name, limit, currentValue }) => counted.includes(name.value.toLowerCase()) && limit - currentValue < size.cpus,
  );
  if (short === undefined) return;
  const what = short.name.localizedValue ?? short.name.value;
  const left = Math.max(0, short.limit - short.currentValue);
  throw new MachineError(
    "provider-quota",
    `${size.name} needs ${size.cpus} processors, and of the quota ${JSON.stringify(what)} in ${config.Location} ${left} of ${short.limit} are left`,
    {
      hint: "Remove machines, choose another --azure-size or --azure-location, or ask for more under Quotas in the Azure portal.",
    },
  );
}
