/** Removing what `create` made, and telling what of it there is. */
import type { Resource } from "../../driver-kit/driver.ts";
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { logTo } from "../../log/event.ts";
import type { ArmResource } from "./api.ts";
import { isInUse } from "./failures.ts";
import { groupVersion, kindOfType, kinds, sameId, versionOf, type Kind } from "./resource-names.ts";
import {
  idsFor,
  isOurMachine,
  isOurs,
  isShared,
  isSharedKind,
  lookAt,
  type VirtualMachine,
  type Workplace,
} from "./workplace.ts";

/** Each after what refers to it. The group stays. */
const order = [
  ...[kinds.instance, kinds.nic, kinds.address, kinds.disk, kinds.firewall],
  ...[kinds.set, kinds.subnet, kinds.network],
];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { ledger } = place;
  if (ledger.entries.length === 0) return;
  for (const { kind, id } of await markedBeyondLedger(place, signal)) await ledger.note(kind, id);
  await removeAll(ledger, order, async (entry) => await removeOne(place, entry, signal), signal);
  await removeIdleShared(place, signal);
}

/** Whether there was something. What others have under the name is left to them. */
async function removeOne(place: Workplace, entry: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  const found = await lookAt(place, entry, signal);
  if (found === undefined) return false;
  if (isSharedKind(entry.kind)) await removeIfIdle(place, entry, true, signal);
  else if (isThisMachines(place, entry, found)) await place.api.delete(requestFor(entry), signal);
  else logTo(place.context.report, "info", `${entry.id} is another's, and stays`);
  return true;
}

function requestFor({ kind, id }: Resource): { readonly path: string; readonly version: string } {
  return { path: id, version: versionOf(kind as Kind) };
}

function isThisMachines(place: Workplace, { kind, intended }: LedgerEntry, found: ArmResource): boolean {
  if (kind === kinds.instance) return isOurMachine(place, found as VirtualMachine);
  // A disk has a name that no other create gives, and bears our tags only once its machine has started.
  return isOurs(place, found, intended && kind !== kinds.disk);
}

/** What other machines left for the last one: not in this ledger, and made by a docker-machine. */
async function removeIdleShared(place: Workplace, signal: AbortSignal): Promise<void> {
  const ids = idsFor(place);
  if (place.config.AvailabilitySet !== "") await removeIfIdle(place, { kind: kinds.set, id: ids.set }, false, signal);
  const network = await lookAt(place, { kind: kinds.network, id: ids.network }, signal);
  if (network === undefined || !isShared(network)) return;
  await removeIfIdle(place, { kind: kinds.subnet, id: ids.subnet }, true, signal);
  await removeIfIdle(place, { kind: kinds.network, id: ids.network }, false, signal);
}

interface Users {
  readonly ipConfigurations?: readonly object[] | undefined;
  readonly virtualMachines?: readonly object[] | undefined;
  readonly subnets?: readonly object[] | undefined;
}

/** @param known it was made by a docker-machine, though nothing on it says so: subnets have no tags */
async function removeIfIdle(place: Workplace, resource: Resource, known: boolean, signal: AbortSignal): Promise<void> {
  const found = await lookAt(place, resource, signal);
  if (found === undefined) return;
  const isMade = resource.kind === kinds.subnet ? known : isShared(found);
  const users = (found.properties ?? {}) as Users;
  const isIdle = [users.ipConfigurations, users.virtualMachines, users.subnets].every((list) => (list ?? []).length === 0);
  if (!isMade || !isIdle) return;
  try {
    await place.api.delete({ ...requestFor(resource), retry: { attempts: 3, firstDelayMs: 2_000 } }, signal);
  } catch (error) {
    // Another machine has come to use it meanwhile.
    if (!isInUse(error)) throw error;
  }
}

/** What there is at Azure of this machine, by the ledger and by mark. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { ledger } = place;
  if (ledger.entries.length === 0) return [];
  const known: Resource[] = [];
  for (const entry of ledger.entries) {
    const found = await lookAt(place, entry, signal);
    if (found === undefined) continue;
    const isMade = isSharedKind(entry.kind)
      ? isShared(found) || entry.kind === kinds.subnet
      : isThisMachines(place, entry, found);
    if (isMade) known.push({ kind: entry.kind, id: entry.id });
  }
  return [...known, ...(await markedBeyondLedger(place, signal))];
}

/** What bears the mark and is not in the ledger. The list is late at times, so each is looked at. */
async function markedBeyondLedger(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { api, config, context, ledger } = place;
  const mark = createMark(context.createId);
  if (mark === undefined) return [];
  const $filter = `tagName eq '${mark.label.key}' and tagValue eq '${mark.label.value}'`;
  const request = { path: `/subscriptions/${config.SubscriptionID}/resources`, version: groupVersion, query: { $filter } };
  const marked: Resource[] = [];
  for (const { id, type = "" } of await api.list<ArmResource>(request, signal)) {
    const kind = kindOfType(type);
    if (kind === undefined || ledger.entries.some((entry) => sameId(entry.id, id))) continue;
    const found = await lookAt(place, { kind, id }, signal);
    if (found !== undefined && isOurs(place, found, true)) marked.push({ kind, id });
  }
  return marked;
}
