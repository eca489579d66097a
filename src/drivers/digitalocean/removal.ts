/** Removing what `create` made, and telling what of it there is. */
import type { Resource } from "../../driver-kit/driver.ts";
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { poll } from "../../system/waiting.ts";
import { findFirewall } from "./firewall.ts";
import { kinds, markedDroplets, pace, recordedDroplet, type Workplace } from "./workplace.ts";

/** The droplet before its key and its tag; the firewall first, so that a failed attempt leaves nothing without a droplet. */
const order = [kinds.firewall, kinds.instance, kinds.sshKey, kinds.tag];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { ledger } = place;
  if (ledger.entries.length === 0 && place.config.RequestedAt === "") return;
  for (const { id } of await markedDroplets(place, signal))
    await ledger.note(kinds.instance, String(id), place.context.machineName);
  const remove = async (entry: LedgerEntry): Promise<boolean> =>
    !isNeeded(place, entry) && (await removeOne(place, entry, signal));
  await removeAll(ledger, order, remove, signal);
}

/** After this time a request that was not carried out is taken to be lost. */
const inFlightMs = 900_000;

/**
 * Whether it is the mark of a droplet that was asked for and may still come: to remove a tag takes it from all that bear
 * it, and nobody would know that droplet any more.
 */
function isNeeded({ config, context, ledger }: Workplace, { kind, id }: LedgerEntry): boolean {
  if (kind !== kinds.tag || id !== createMark(context.createId)?.word) return false;
  const ageMs = context.clock.now().getTime() - Date.parse(config.RequestedAt);
  return ledger.of(kinds.instance).some(({ intended }) => intended) && ageMs < inFlightMs;
}

/** Whether there was something to remove. */
async function removeOne(place: Workplace, entry: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  const path = await pathOf(place, entry, signal);
  const found = path !== undefined && (await place.api.delete(path, signal));
  if (found && entry.kind === kinds.instance) await waitUntilGone(place, path, signal);
  return found;
}

/** A droplet goes in its own time, and is billed until then. */
async function waitUntilGone({ api, context }: Workplace, path: string, signal: AbortSignal): Promise<void> {
  const { clock, operationMs } = context;
  const isGone = async (): Promise<true | undefined> => ((await api.find<object>(path, signal)) === undefined ? true : undefined);
  await poll({ ms: operationMs, clock, signal }, pace, isGone, "DigitalOcean did not remove the droplet");
}

/** Where it is to be found; undefined for what was asked for under a name that nothing has. */
async function pathOf(place: Workplace, { kind, id, intended }: LedgerEntry, signal: AbortSignal): Promise<string | undefined> {
  switch (kind) {
    case kinds.firewall: {
      const known = intended ? (await findFirewall(place, id, signal))?.id : id;
      return known === undefined ? undefined : `/v2/firewalls/${known}`;
    }
    // One that was asked for and is not known has been looked for by its tag.
    case kinds.instance:
      return intended ? undefined : `/v2/droplets/${id}`;
    // Named by number, and by fingerprint while that is not known: the machine's own key has no other owner.
    case kinds.sshKey:
      return `/v2/account/keys/${id}`;
    case kinds.tag:
      return `/v2/tags/${encodeURIComponent(id)}`;
    default:
      return undefined;
  }
}

/** What there is at DigitalOcean of this machine, by the ledger and by mark. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { ledger } = place;
  if (ledger.entries.length === 0 && place.config.RequestedAt === "") return [];
  const droplets = [...(await markedDroplets(place, signal)), ...one(await recordedDroplet(place, signal))];
  const ids = new Set(droplets.map(({ id }) => String(id)));
  const others = await Promise.all(
    ledger.entries.filter(({ kind }) => kind !== kinds.instance).map(async (entry) => await existing(place, entry, signal)),
  );
  return [...[...ids].map((id) => ({ kind: kinds.instance, id })), ...others.flat()];
}

async function existing(place: Workplace, entry: LedgerEntry, signal: AbortSignal): Promise<readonly Resource[]> {
  const path = await pathOf(place, entry, signal);
  const found = path === undefined ? undefined : await place.api.find<object>(path, signal);
  return found === undefined ? [] : [{ kind: entry.kind, id: entry.id }];
}

function one<Item>(item: Item | undefined): readonly Item[] {
  return item === undefined ? [] : [item];
}
