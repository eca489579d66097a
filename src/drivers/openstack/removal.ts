/** Removing what `create` made, and telling what of it there is. */
import type { Resource } from "../../driver-kit/driver.ts";
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import { findKeyPair } from "./login-key.ts";
import { findVolume, removeVolume } from "./volume.ts";
import { isGone, kinds, marked, pace, taskOf, type Server, type Workplace } from "./workplace.ts";

/** Each after what refers to it. */
const order = [kinds.floatingIp, kinds.instance, kinds.volume, kinds.keyPair, kinds.securityGroup];

/** Kinds that may be there under a mark alone. Key pairs have none: they are known by their name. */
const markedKinds = [kinds.instance, kinds.floatingIp, kinds.volume, kinds.securityGroup];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { ledger } = place;
  if (ledger.entries.length === 0) return;
  for (const { kind, id } of await markedBeyondLedger(place, signal)) await ledger.note(kind, id);
  tellWhatStays(place);
  const remove = async (entry: LedgerEntry): Promise<boolean> => await removeOne(place, entry, signal);
  await removeAll(ledger, order, remove, signal);
}

/** Neither 0.16.2 nor Rancher's fork wrote down which floating address was theirs. */
function tellWhatStays({ config, context, ledger }: Workplace): void {
  if (config.FloatingIpPool === "" || config.IPAddress === "" || ledger.of(kinds.floatingIp).length > 0) return;
  logTo(
    context.report,
    "info",
    `The floating IP ${config.IPAddress} stays in the project: another tool took it for the machine.`,
  );
}

/** Whether there was something to remove. What was asked for and is not known has been looked for by its mark. */
async function removeOne(place: Workplace, { kind, id, intended }: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  const { api } = place;
  if (kind === kinds.keyPair) return await api.delete("compute", `/os-keypairs/${encodeURIComponent(id)}`, signal);
  if (intended) return false;
  switch (kind) {
    case kinds.instance:
      return await removeServer(place, id, signal);
    case kinds.volume:
      return await removeVolume(place, id, signal);
    case kinds.floatingIp:
      return await api.delete("network", `/floatingips/${id}`, signal);
    case kinds.securityGroup:
      return await api.delete("network", `/security-groups/${id}`, signal, groupRetry);
    default:
      return false;
  }
}

/** Ports of a server that is just gone may hold its group a little longer. */
export const groupFreeMs = 60_000;
const groupRetry = { attempts: 20, firstDelayMs: 2_000, longestDelayMs: 5_000, boundMs: groupFreeMs };

/** Returns when it is gone. One whose removal failed is asked to go again. */
async function removeServer(place: Workplace, id: string, signal: AbortSignal): Promise<boolean> {
  const { api, context } = place;
  const { clock, operationMs } = context;
  if (!(await api.delete("compute", `/servers/${id}`, signal))) return false;
  const isRemoved = async (): Promise<true | undefined> => {
    const server = await findServer(place, id, signal);
    if (server === undefined) return true;
    if (server.status === "ERROR" && taskOf(server) === "") await api.delete("compute", `/servers/${id}`, signal);
    return undefined;
  };
  await poll({ ms: operationMs, clock, signal }, pace, isRemoved, `OpenStack did not remove the instance ${id}`);
  return true;
}

async function findServer({ api }: Workplace, id: string, signal: AbortSignal): Promise<Server | undefined> {
  const server = (await api.find<{ server: Server }>("compute", `/servers/${id}`, signal))?.server;
  return server === undefined || isGone(server) ? undefined : server;
}

/** What bears the mark and is not noted by its id: requests whose answer never came, or that were heard twice. */
async function markedBeyondLedger(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { ledger } = place;
  const found: Resource[] = [];
  for (const kind of markedKinds) {
    const entries = ledger.of(kind);
    if (entries.length === 0) continue;
    const known = new Set(entries.flatMap(({ id, intended }) => (intended ? [] : [id])));
    for (const { id } of await marked(place, kind, signal)) if (!known.has(id)) found.push({ kind, id });
  }
  return found;
}

/** What there is at OpenStack of this machine, by the ledger and by mark. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { ledger } = place;
  if (ledger.entries.length === 0) return [];
  const known: Resource[] = [];
  for (const { kind, id, intended } of ledger.entries)
    if ((!intended || kind === kinds.keyPair) && (await exists(place, { kind, id }, signal))) known.push({ kind, id });
  return [...known, ...(await markedBeyondLedger(place, signal))];
}

async function exists(place: Workplace, { kind, id }: Resource, signal: AbortSignal): Promise<boolean> {
  const { api } = place;
  switch (kind) {
    case kinds.instance:
      return (await findServer(place, id, signal)) !== undefined;
    case kinds.volume:
      return (await findVolume(place, id, signal)) !== undefined;
    case kinds.keyPair:
      return (await findKeyPair(place, id, signal)) !== undefined;
    case kinds.floatingIp:
      return (await api.find<object>("network", `/floatingips/${id}`, signal)) !== undefined;
    case kinds.securityGroup:
      return (await api.find<object>("network", `/security-groups/${id}`, signal)) !== undefined;
    default:
      return false;
  }
}
