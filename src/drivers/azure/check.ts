/** What is checked before anything is made: first what this computer knows, then what the subscription and the location have. */
import { cloudInitData, userDataBounds } from "../../driver-kit/guest/user-data.ts";
import { ensureHostKeys, hostNameOf } from "../../driver-kit/guest/guest-identity.ts";
import { markedName, requireInstanceName } from "../../driver-kit/marks.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { inPrivateFolder } from "../../ssh/private-folder.ts";
import { poll } from "../../system/waiting.ts";
import type { ArmResource } from "./api.ts";
import { givenFirewallId } from "./bodies.ts";
import { customDataFlag, readCustomData } from "./custom-data.ts";
import { resolveImage } from "./image.ts";
import { groupVersion, kinds, networkVersion, versionOf, type Kind } from "./resource-names.ts";
import { checkQuota, resolveSize, type Size } from "./size.ts";
import { takenName } from "./surroundings.ts";
import { idsFor, isOurs, type Workplace } from "./workplace.ts";

const subscriptionVersion = "2022-12-01";

/** Throws with nothing made. Afterwards the record has what will be asked for: size, image with its version, disk. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  requireInstanceName("azure", context.machineName);
  await checkCustomData(place);
  await checkSubscription(place, signal);
  await checkProviders(place, signal);
  await checkLocation(place, signal);
  const size = await resolveSize(place, signal);
  checkSize(place, size);
  await checkQuota(place, size, signal);
  config.Size = size.name;
  await resolveImage(place, size, signal);
  await checkNames(place, signal);
  await checkNetwork(place, signal);
  if (context.createId !== undefined) config.OsDiskName = markedName(`${context.machineName}-os-disk`, context.createId);
}

/** What a login key's line takes. */
const standInKey = `ssh-rsa ${"A".repeat(600)}`;

/** Joins the user's file with an identity as long as the machine's will be. */
async function checkCustomData({ config, context }: Workplace): Promise<void> {
  const userData = await readCustomData(config);
  if (userData === undefined) return;
  await inPrivateFolder(context.computer, async (machineDir) => {
    const hostKeys = await ensureHostKeys({ ...context, machineDir });
    const hostName = hostNameOf(context.machineName);
    const identity = { hostName, userName: config.SSHUser, authorizedKeys: [standInKey], hostKeys };
    cloudInitData({ identity, keepsImageUser: true, userData, bounds: userDataBounds.azure, userDataFlag: customDataFlag });
  });
}

async function checkSubscription({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const request = { path: `/subscriptions/${config.SubscriptionID}`, version: subscriptionVersion };
  const { state } = await api.get<{ readonly state?: string }>(request, signal);
  if (state === undefined || ["Enabled", "Warned", "PastDue"].includes(state)) return;
  throw new MachineError("provider-account", `The subscription ${config.SubscriptionID} is ${state}`, {
    hint: "See its state and its bills in the Azure portal, or choose another with --azure-subscription-id.",
  });
}

/** A subscription that never had a virtual machine is opened for them once; 0.16.2 asked for it each time. */
async function checkProviders(place: Workplace, signal: AbortSignal): Promise<void> {
  for (const namespace of ["Microsoft.Compute", "Microsoft.Network"]) {
    const path = `/subscriptions/${place.config.SubscriptionID}/providers/${namespace}`;
    const isRegistered = async (): Promise<true | undefined> => {
      const found = await place.api.get<{ readonly registrationState?: string }>({ path, version: groupVersion }, signal);
      return found.registrationState === "Registered" ? true : undefined;
    };
    if (await isRegistered()) continue;
    await register(place, namespace, path, signal);
    const { clock, operationMs } = place.context;
    await poll({ ms: operationMs, clock, signal }, 5_000, isRegistered, `Azure did not register ${namespace}`);
  }
}

async function register({ api, context }: Workplace, namespace: string, path: string, signal: AbortSignal): Promise<void> {
  logTo(context.report, "info", `Registering the subscription for ${namespace}`);
  try {
    await api.post({ path: `${path}/register`, version: groupVersion }, signal);
  } catch (error) {
    if (failureKindOf(error) !== "permission") throw error;
    throw new MachineError(
      "provider-account",
      `The subscription is not registered for ${namespace}, and the credentials may not do that`,
      {
        cause: error,
        hint: `Have its owner run: az provider register --namespace ${namespace}`,
      },
    );
  }
}

interface Location {
  readonly name: string;
  readonly metadata?: { readonly regionType?: string | undefined } | undefined;
}

async function checkLocation({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const path = `/subscriptions/${config.SubscriptionID}/locations`;
  const locations = await api.list<Location>({ path, version: subscriptionVersion }, signal);
  if (locations.some(({ name }) => name === config.Location)) return;
  const choice = locations.filter(({ metadata }) => metadata?.regionType !== "Logical").map(({ name }) => name);
  throw new MachineError("provider-not-found", `The subscription has no location ${JSON.stringify(config.Location)}`, {
    hint: `Choose one of ${choice.toSorted().join(", ")} with --azure-location.`,
  });
}

/** What the size must be able to. */
function checkSize({ config }: Workplace, size: Size): void {
  const wishes: readonly (readonly [boolean, string, string])[] = [
    [config.AcceleratedNetworking, "AcceleratedNetworkingEnabled", "--azure-accelerated-networking"],
    [config.Spot, "LowPriorityCapable", "--azure-spot"],
    [config.EncryptionAtHost, "EncryptionAtHostSupported", "--azure-encryption-at-host"],
    [config.StorageType.startsWith("Premium"), "PremiumIO", `--azure-storage-type ${config.StorageType}`],
  ];
  const missing = wishes.find(([isWanted, capability]) => isWanted && !size.has(capability));
  if (missing === undefined) return;
  throw new MachineError("provider-unsupported", `The size ${size.name} does not take ${missing[2]}`, {
    hint: "Leave it out, or choose another --azure-size.",
  });
}

/** Nothing may have the names that are about to be given, but for what this create has made. */
async function checkNames(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const ids = idsFor(place);
  const given: readonly (readonly [Kind, string])[] = [
    [kinds.instance, ids.instance],
    [kinds.nic, ids.nic],
    ...(config.NoPublicIP ? [] : [[kinds.address, ids.address] as const]),
    ...(config.NSG === "" ? [[kinds.firewall, ids.firewall] as const] : []),
  ];
  for (const [kind, id] of given) {
    const found = await api.find({ path: id, version: versionOf(kind) }, signal);
    if (found === undefined || isOurs(place, found, true)) continue;
    if (kind !== kinds.instance) throw takenName(kind, id, found);
    const where = `${context.machineName} already exists in resource group ${JSON.stringify(config.ResourceGroup)}`;
    throw new MachineError("provider-exists", `Virtual Machine with name ${where}`, {
      hint: "Choose another name for the machine, or another --azure-resource-group.",
    });
  }
}

/** Networks, groups and sets that others have and the machine is to use. */
async function checkNetwork(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const ids = idsFor(place);
  const look = async (kind: Kind, path: string): Promise<ArmResource | undefined> =>
    await api.find({ path, version: versionOf(kind) }, signal);
  const network = await look(kinds.network, ids.network);
  requireLocation(place, "--azure-vnet", network);
  if (network === undefined) await requireNetworkGroup(place, signal);
  if (config.NSG !== "") {
    const group = await look(kinds.firewall, givenFirewallId(config));
    if (group === undefined)
      throw new MachineError("provider-not-found", `There is no security group ${JSON.stringify(config.NSG)}`, {
        hint: "See az network nsg list, or leave --azure-nsg out: then the machine gets a group of its own.",
      });
    requireLocation(place, "--azure-nsg", group);
  }
  if (config.AvailabilitySet !== "") checkSet(place, await look(kinds.set, ids.set));
  if (config.DNSLabel !== "") await checkLabel(place, signal);
  if (config.NoPublicIP)
    logTo(
      context.report,
      "info",
      "Without a public address the machine reaches the Internet, and its engine's packages, only where its subnet has a NAT gateway or another way out.",
    );
}

/** A network that is missing is made; of groups only the machine's own is. */
async function requireNetworkGroup(place: Workplace, signal: AbortSignal): Promise<void> {
  const { group, networkGroup } = idsFor(place);
  if (networkGroup === group) return;
  if ((await place.api.find({ path: networkGroup, version: groupVersion }, signal)) !== undefined) return;
  const [name = "", network = ""] = place.config.VirtualNetwork.split(":");
  throw new MachineError("provider-not-found", `There is no resource group ${JSON.stringify(name)} for the network ${network}`, {
    hint: "See az network vnet list, and give the network's group and name with --azure-vnet GROUP:NAME.",
  });
}

function checkSet(place: Workplace, set: ArmResource | undefined): void {
  requireLocation(place, "--azure-availability-set", set);
  if (set === undefined || set.sku?.name === "Aligned") return;
  const name = place.config.AvailabilitySet;
  throw new MachineError(
    "provider-unsupported",
    `cannot convert non-managed availability set ${name} to managed availability set`,
    {
      hint: "Choose another with --azure-availability-set, or none.",
    },
  );
}

function requireLocation({ config }: Workplace, flag: string, found: ArmResource | undefined): void {
  const there = found?.location?.toLowerCase().replaceAll(" ", "");
  if (there === undefined || there === config.Location) return;
  throw new MachineError("driver-options", `${found?.name} is in ${there}, and the machine is to be in ${config.Location}`, {
    hint: `Choose another with ${flag}, or --azure-location ${there}.`,
  });
}

async function checkLabel({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const path = `/subscriptions/${config.SubscriptionID}/providers/Microsoft.Network/locations/${config.Location}/CheckDnsNameAvailability`;
  const request = { path, version: networkVersion, query: { domainNameLabel: config.DNSLabel } };
  const { available } = await api.get<{ readonly available?: boolean }>(request, signal);
  if (available !== false) return;
  throw new MachineError("provider-exists", `The DNS label ${config.DNSLabel} is taken in ${config.Location}`, {
    hint: "Choose another --azure-dns.",
  });
}
