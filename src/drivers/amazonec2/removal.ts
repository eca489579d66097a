/** Removing what `create` made, and telling what of it there is. */
import type { Resource } from "../../driver-kit/driver.ts";
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import { failureKindOf, isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import { markedKeyPair } from "./login-key.ts";
import { isSameAccount } from "./network.ts";
import { kinds, markedInstances, markFilter, pace, recordedInstance, type Workplace } from "./workplace.ts";

/** A persistent spot request first, or it makes another instance; what an instance uses after it. */
const order = [kinds.spotRequest, kinds.instance, kinds.volume, kinds.keyPair, kinds.securityGroup];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, ledger } = place;
  if (!wasAsked(place)) return;
  await requireAccount(place, signal);
  for (const { kind, id } of await unrecorded(place, signal)) await ledger.note(kind, id);
  await removeAll(ledger, order, async (entry) => await removeOne(place, entry, signal), signal);
  for (const volume of await markedVolumes(place, signal)) await removers[kinds.volume]?.(place, volume, signal);
  config.IPAddress = "";
}

/** Nothing is asked of AWS about a machine for which nothing was asked there. */
function wasAsked({ config, ledger }: Workplace): boolean {
  return config.InstanceId !== "" || ledger.entries.length > 0;
}

/** Credentials of another account see none of it, and "not found" would be taken for "removed". */
async function requireAccount(place: Workplace, signal: AbortSignal): Promise<void> {
  if ((await isSameAccount(place, signal)) !== false) return;
  const { config, context } = place;
  throw new MachineError(
    "provider-credentials",
    `The instance of "${context.machineName}" is in the account ${config.OwnerId}, and the credentials are for another`,
    { hint: "Set AWS_PROFILE, or the credentials, to that account's." },
  );
}

/** What bears the mark while no id is recorded: the answer to its request was lost. */
async function unrecorded(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { config } = place;
  const instances = config.InstanceId === "" ? await markedInstances(place, signal) : [];
  const requests =
    config.RequestSpotInstance && config.SpotInstanceRequestId === "" ? await markedSpotRequests(place, signal) : [];
  return [
    ...instances.map(({ InstanceId = "" }) => ({ kind: kinds.instance, id: InstanceId })),
    ...requests.map((id) => ({ kind: kinds.spotRequest, id })),
  ];
}

/** Whether there was anything to remove, where only its name is known. */
async function removeOne(place: Workplace, entry: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  if (entry.intended) return await removeIntended(place, entry, signal);
  await removers[entry.kind]?.(place, entry.id, signal);
  return true;
}

/** Whether there was one of that name with our mark. */
async function removeIntended(place: Workplace, { kind, id }: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  if (kind === kinds.keyPair) {
    if ((await markedKeyPair(place, id, signal)) === undefined) return false;
    await removers[kind]?.(place, id, signal);
    return true;
  }
  if (kind !== kinds.securityGroup) return false;
  const groups = await markedGroups(place, signal);
  for (const group of groups) await removers[kind]?.(place, group, signal);
  return groups.length > 0;
}

type Remover = (place: Workplace, id: string, signal: AbortSignal) => Promise<void>;

const removers: Readonly<Record<string, Remover | undefined>> = {
  [kinds.spotRequest]: async ({ api }, id, signal) => {
    await unlessGone(async () => await api.send("CancelSpotInstanceRequests", { SpotInstanceRequestIds: [id] }, signal));
  },
  [kinds.instance]: async (place, id, signal) => {
    const { api, context } = place;
    await unlessGone(async () => {
      await api.send("TerminateInstances", { InstanceIds: [id] }, signal);
      const isGone = async (): Promise<true | undefined> =>
        (await stateOf(place, id, signal)) === "terminated" ? true : undefined;
      await poll(
        { ms: context.operationMs, clock: context.clock, signal },
        pace,
        isGone,
        `AWS did not terminate the instance ${id}`,
      );
    });
  },
  [kinds.volume]: async ({ api }, id, signal) => {
    await unlessGone(async () => await api.send("DeleteVolume", { VolumeId: id }, signal));
  },
  [kinds.keyPair]: async ({ api }, name, signal) => {
    await unlessGone(async () => await api.send("DeleteKeyPair", { KeyName: name }, signal));
  },
  [kinds.securityGroup]: async (place, id, signal) => {
    const { api, context } = place;
    const ask = async (): Promise<true | undefined> => {
      try {
        await unlessGone(async () => await api.send("DeleteSecurityGroup", { GroupId: id }, signal));
        return true;
      } catch (error) {
        // An interface of the instance holds it for a while after the instance has gone.
        if (failureKindOf(error) === "busy") return undefined;
        throw error;
      }
    };
    await poll(
      { ms: context.operationMs, clock: context.clock, signal },
      pace,
      ask,
      `AWS did not delete the security group ${id}`,
    );
  },
};

async function unlessGone(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

async function stateOf({ api }: Workplace, id: string, signal: AbortSignal): Promise<string> {
  const { Reservations = [] } = await api.send("DescribeInstances", { InstanceIds: [id] }, signal);
  return Reservations[0]?.Instances?.[0]?.State?.Name ?? "terminated";
}

async function markedSpotRequests(place: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  const filter = markFilter(place);
  if (filter === undefined) return [];
  const Filters = [filter, { Name: "state", Values: ["open", "active", "disabled"] }];
  const { SpotInstanceRequests = [] } = await place.api.send("DescribeSpotInstanceRequests", { Filters }, signal);
  return SpotInstanceRequests.flatMap(({ SpotInstanceRequestId }) => SpotInstanceRequestId ?? []);
}

async function markedGroups(place: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  const filter = markFilter(place);
  if (filter === undefined) return [];
  const { SecurityGroups = [] } = await place.api.send("DescribeSecurityGroups", { Filters: [filter] }, signal);
  return SecurityGroups.flatMap(({ GroupId }) => GroupId ?? []);
}

/** Disks that an image asks to be kept; attached ones are not ours to delete. */
async function markedVolumes(place: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  const filter = markFilter(place);
  if (filter === undefined) return [];
  const Filters = [filter, { Name: "status", Values: ["available"] }];
  const { Volumes = [] } = await place.api.send("DescribeVolumes", { Filters }, signal);
  return Volumes.flatMap(({ VolumeId }) => VolumeId ?? []);
}

/** What there is at AWS of this machine, by the ledger and by mark. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  if (!wasAsked(place)) return [];
  const { api, config, ledger } = place;
  const recorded = await recordedInstance(place, signal);
  const instances = config.InstanceId === "" ? await markedInstances(place, signal) : recorded === undefined ? [] : [recorded];
  const living = instances.filter(({ State }) => State?.Name !== "terminated");
  const keyPairs: string[] = [];
  for (const { id } of ledger.of(kinds.keyPair)) {
    const Filters = [{ Name: "key-name", Values: [id] }];
    const { KeyPairs = [] } = await api.send("DescribeKeyPairs", { Filters }, signal);
    if (KeyPairs.length > 0) keyPairs.push(id);
  }
  const spot = config.RequestSpotInstance ? await markedSpotRequests(place, signal) : [];
  const of = (kind: string, ids: readonly string[]): readonly Resource[] => ids.map((id) => ({ kind, id }));
  return [
    ...of(
      kinds.instance,
      living.flatMap(({ InstanceId }) => InstanceId ?? []),
    ),
    ...of(kinds.spotRequest, spot),
    ...of(kinds.volume, await markedVolumes(place, signal)),
    ...of(kinds.keyPair, keyPairs),
    ...of(kinds.securityGroup, await markedGroups(place, signal)),
  ];
}
