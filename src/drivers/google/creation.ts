/**
 * How a machine comes into being: firewall, then an instance with its disk. All bear names that are known before, so that
 * each is noted before it is asked for and found again by a call that comes later.
 */
import { randomUUID } from "node:crypto";
import { forgetHostKeys, publicHalves } from "../../driver-kit/guest/guest-identity.ts";
import { requireMark, uuidOf } from "../../driver-kit/marks.ts";
import { failureKindOf, ProviderError } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { Instance, MetadataItem } from "./api.ts";
import { ensureFirewall } from "./firewall.ts";
import { guestMetadata } from "./guest.ts";
import { instanceRequest } from "./instance-request.ts";
import {
  bearsMark,
  diskNameOf,
  diskPath,
  instanceNameOf,
  kinds,
  namedInstance,
  requireInstance,
  type Workplace,
} from "./workplace.ts";

export async function createInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  const instance = config.InstanceNumericId === "" ? await makeInstance(place, signal) : await requireInstance(place, signal);
  config.InstanceNumericId = instance.id;
  await ledger.note(kinds.instance, instance.name);
  await ledger.note(kinds.disk, diskNameOf(place));
  await context.save();
  await forgetHostKeys(context);
}

async function makeInstance(place: Workplace, signal: AbortSignal): Promise<Instance> {
  const { config, context, ledger } = place;
  requireMark(context.createId);
  const earlier = await ownNamed(place, signal);
  if (earlier !== undefined) return earlier;
  config.InstanceName = context.machineName;
  await ensureFirewall(place, signal);
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  config.SSHKeyPath = privateKeyPath;
  const { items, hostKeys, notes } = await guestMetadata(place, publicKey);
  for (const note of notes) logTo(context.report, "warn", note);
  config.HostKeys = [...publicHalves(hostKeys)];
  config.KeysInUserData = hostKeys.length > 0;
  await ledger.intend(kinds.disk, diskNameOf(place));
  await ledger.intend(kinds.instance, instanceNameOf(place));
  return (await insertAndFind(place, items, signal)) ?? (await insertAgain(place, items, signal));
}

async function insertAndFind(
  place: Workplace,
  items: readonly MetadataItem[],
  signal: AbortSignal,
): Promise<Instance | undefined> {
  await insert(place, instanceRequest(place, items, await hasOwnDisk(place, signal)), signal);
  return await ownNamed(place, signal);
}

/** It came about once and is gone by now: the same request was only answered with the same operation. */
async function insertAgain(place: Workplace, items: readonly MetadataItem[], signal: AbortSignal): Promise<Instance> {
  await renewNonce(place);
  return (await insertAndFind(place, items, signal)) ?? (await requireInstance(place, signal));
}

/** Undefined where nothing has the name. Throws `provider-exists` where it is another's. */
async function ownNamed(place: Workplace, signal: AbortSignal): Promise<Instance | undefined> {
  const found = await namedInstance(place, signal);
  if (found !== undefined && bearsMark(place.context.createId, found.labels) !== true)
    throw taken(place, `The instance ${found.name}`);
  return found;
}

/** A disk that an earlier request left has what that request put on it. */
async function hasOwnDisk(place: Workplace, signal: AbortSignal): Promise<boolean> {
  const found = await place.api.find<Pick<Instance, "labels">>(diskPath(place), signal);
  if (found !== undefined && bearsMark(place.context.createId, found.labels) !== true)
    throw taken(place, `The disk ${diskNameOf(place)}`);
  return found !== undefined;
}

function taken({ config }: Workplace, what: string): MachineError {
  return new MachineError("provider-exists", `${what} exists already in ${config.Zone} and was not made by this machine`, {
    hint: "Choose another name for the machine, or remove what is there.",
  });
}

/**
 * Google knows the request again by its id, and gives the same operation: also one that failed, so that a request after
 * that is another one.
 */
async function insert(place: Workplace, body: object, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const requestId = uuidOf(`instance ${config.InsertNonce}`, requireMark(context.createId).id);
  try {
    await api.operate({ method: "POST", path: `/zones/${config.Zone}/instances`, body }, signal, requestId);
  } catch (error) {
    // An earlier request, whose id is forgotten by now, may have made it.
    if (failureKindOf(error) === "exists") return;
    // After a fault of Google's it may still come about, and the same request must be told to be the same.
    if (error instanceof ProviderError && error.failure.kind !== "server") await renewNonce(place);
    throw error;
  }
}

async function renewNonce({ config, context }: Workplace): Promise<void> {
  config.InsertNonce = randomUUID();
  await context.save();
}
