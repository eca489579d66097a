/**
 * What must be there before a virtual machine: group, security group, network, address, interface, availability set, each
 * after what it refers to. A name tells what is ours, so each is looked for before it is put; what was put is noted
 * before, and found again by a call that comes later.
 */
import { isOpenToWorld, parseCidrs } from "../../driver-kit/open-ports.ts";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { ArmResource } from "./api.ts";
import { addressBody, firewallBody, groupBody, networkBody, nicBody, setBody, subnetBody } from "./bodies.ts";
import { groupVersion, kinds, versionOf, type Kind } from "./resource-names.ts";
import { idsFor, isOurs, markOf, type Workplace } from "./workplace.ts";

export async function ensureSurroundings(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const ids = idsFor(place);
  await ensureGroup(place, signal);
  if (config.NSG === "") await ensureOwn(place, kinds.firewall, ids.firewall, firewallBody(place), signal, warnOfOpenness);
  await ensureNetwork(place, signal);
  if (!config.NoPublicIP) await ensureOwn(place, kinds.address, ids.address, addressBody(place), signal);
  await ensureNic(place, signal);
  if (config.AvailabilitySet !== "") await ensureShared(place, [kinds.set, ids.set], setBody(place), signal);
}

function warnOfOpenness({ config, context }: Workplace): void {
  if (!isOpenToWorld(parseCidrs("azure-open-cidr", config.OpenCidrs))) return;
  const text = "The security group lets everybody in to SSH and the engine, which ask for keys; --azure-open-cidr narrows it";
  logTo(context.report, "warn", text);
}

/** It stays when the machine goes: others may have put things there. */
async function ensureGroup(place: Workplace, signal: AbortSignal): Promise<void> {
  const request = { path: idsFor(place).group, version: groupVersion };
  if ((await place.api.find(request, signal)) === undefined) await place.api.put(request, groupBody(place), signal);
}

/** Of this machine alone. Throws `provider-exists` where another has the name. */
async function ensureOwn(
  place: Workplace,
  kind: Kind,
  id: string,
  body: object,
  signal: AbortSignal,
  first: (place: Workplace) => void = () => {},
): Promise<void> {
  const { api, ledger } = place;
  const request = { path: id, version: versionOf(kind) };
  const isNoted = ledger.of(kind).some((entry) => entry.id === id && !entry.intended);
  const found = await api.find(request, signal);
  if (found !== undefined && !isOurs(place, found, !isNoted)) throw takenName(kind, id, found);
  await ledger.intend(kind, id);
  const settled = found === undefined ? undefined : await api.settled(request, found, signal);
  if (settled?.properties?.provisioningState !== "Succeeded") {
    first(place);
    await api.put(request, body, signal);
  }
  await ledger.note(kind, id);
}

export function takenName(kind: Kind, id: string, found: ArmResource): MachineError {
  const owner = markOf(found) === undefined ? "" : ", of another create of such a machine";
  return new MachineError("provider-exists", `At Azure there is a ${kind.replaceAll("-", " ")} ${id}${owner}`, {
    hint: "Choose another name for the machine, another --azure-resource-group, or remove what is there.",
  });
}

type Named = readonly [kind: Kind, id: string];

/**
 * Of several machines. What others have under the name is used as it is.
 * @param within comes with it, in the same request
 */
async function ensureShared(
  place: Workplace,
  [kind, id]: Named,
  body: object,
  signal: AbortSignal,
  within: readonly Named[] = [],
): Promise<void> {
  const { api, ledger } = place;
  const request = { path: id, version: versionOf(kind) };
  const found = await api.find(request, signal);
  if (found === undefined) {
    for (const [each, eachId] of [[kind, id] as const, ...within]) await ledger.intend(each, eachId);
    await api.put(request, body, signal);
  } else {
    await api.settled(request, found, signal);
  }
  if (ledger.of(kind).some((entry) => entry.id === id)) await ledger.note(kind, id);
}

/** A new network comes with its subnet. */
async function ensureNetwork(place: Workplace, signal: AbortSignal): Promise<void> {
  const ids = idsFor(place);
  const subnet: Named = [kinds.subnet, ids.subnet];
  await ensureShared(place, [kinds.network, ids.network], networkBody(place), signal, [subnet]);
  await ensureShared(place, subnet, subnetBody(place.config), signal);
}

/** The last machine of a network may have taken it away meanwhile: then it is made again. */
async function ensureNic(place: Workplace, signal: AbortSignal): Promise<void> {
  const { nic } = idsFor(place);
  const ensure = async (): Promise<void> => await ensureOwn(place, kinds.nic, nic, nicBody(place), signal);
  try {
    await ensure();
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await ensureNetwork(place, signal);
    await ensure();
  }
}
