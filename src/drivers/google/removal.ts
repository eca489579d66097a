/** Removing what `create` made, and telling what of it there is. */
import type { Resource } from "../../driver-kit/driver.ts";
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import type { Instance } from "./api.ts";
import { releaseInstance } from "./adoption.ts";
import { firewallPath } from "./firewall.ts";
import { bearsMark, diskPath, instanceNameOf, instancePath, isOurs, kinds, type Workplace } from "./workplace.ts";

/** The instance before its disk, which mostly goes with it. */
const order = [kinds.instance, kinds.disk, kinds.firewall];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, ledger } = place;
  if (config.UseExisting) await endAdoption(place, signal);
  await removeAll(ledger, order, async (entry) => await removeOne(place, entry, signal), signal);
}

/** 0.16.2 deletes what it took over. */
async function endAdoption(place: Workplace, signal: AbortSignal): Promise<void> {
  const { context, ledger } = place;
  if (context.computer.env["MACHINE_COMPAT"] !== "0.16") return await releaseInstance(place, signal);
  await ledger.intend(kinds.instance, instanceNameOf(place));
}

/** Whether there was something of ours to remove. */
async function removeOne(place: Workplace, entry: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  const path = await pathOfOwn(place, entry, signal);
  if (path === undefined) return false;
  try {
    const retry = { attempts: 20, firstDelayMs: 2_000, longestDelayMs: 5_000 };
    await place.api.operate({ method: "DELETE", path, retry }, signal);
    return true;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

/** Undefined where there is none, or where the name is another's by now. */
async function pathOfOwn(place: Workplace, { kind, id }: LedgerEntry, signal: AbortSignal): Promise<string | undefined> {
  const path = pathOf(place, kind, id);
  const found = path === undefined ? undefined : await place.api.find<Pick<Instance, "id" | "labels">>(path, signal);
  if (found === undefined) return undefined;
  switch (kind) {
    case kinds.instance:
      return isOurs(place, found) ? path : undefined;
    case kinds.disk:
      return (bearsMark(place.context.createId, found.labels) ?? true) ? path : undefined;
    default:
      return path;
  }
}

/** The name of a rule holds the mark, since rules bear no labels. */
function pathOf(place: Workplace, kind: string, id: string): string | undefined {
  switch (kind) {
    case kinds.instance:
      return instancePath(place);
    case kinds.disk:
      return diskPath(place);
    case kinds.firewall:
      return firewallPath(id);
    default:
      return undefined;
  }
}

/** What there is at Google of this machine. What was taken over is its owner's. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const resources: Resource[] = [];
  for (const entry of place.ledger.entries)
    if ((await pathOfOwn(place, entry, signal)) !== undefined) resources.push({ kind: entry.kind, id: entry.id });
  return resources;
}
