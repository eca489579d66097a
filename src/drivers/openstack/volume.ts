/**
 * Volumes: the root of `--openstack-boot-from-volume`, which Nova makes and takes away with the server; and a data volume,
 * made here or the user's, that is attached to it.
 */
import { createOnce } from "../../driver-kit/create-once.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import type { Flavor } from "./flavor.ts";
import type { Image } from "./image.ts";
import { hasOwnVolume, openStackOptions } from "./options.ts";
import { kinds, marked, ownMetadata, pace, volumeNameOf, type Volume, type Workplace } from "./workplace.ts";

const { flagOf } = openStackOptions;
const gib = 1024 ** 3;
/** GiB, for flavors without a disk: an engine and a few images. */
const leastRoot = 10;

/** What the request for a server says of its root; empty where that is the flavor's own disk. */
export function rootVolume({ config }: Workplace, computeVersion: number): object {
  if (!config.BootFromVolume) return { imageRef: config.ImageId };
  const { ImageId: uuid, VolumeSize, VolumeType } = config;
  if (VolumeType !== "" && computeVersion < 67)
    throw new MachineError("provider-unsupported", `This cloud's Nova takes no ${flagOf("VolumeType")} for a root volume`, {
      hint: "Leave it out: the cloud's default type is used.",
    });
  const type = VolumeType === "" ? {} : { volume_type: VolumeType };
  const from = { boot_index: 0, uuid, source_type: "image", destination_type: "volume", volume_size: VolumeSize };
  return { block_device_mapping_v2: [{ ...from, ...type, delete_on_termination: true }] };
}

/** Whether the image fits. Takes the size of a root volume into the record where none was given. */
export function checkRoot({ config }: Workplace, flavor: Flavor, image: Image): void {
  const name = image.name ?? image.id;
  const least = Math.max(image.min_disk, Math.ceil((image.size ?? 0) / gib));
  if (config.BootFromVolume) {
    if (config.VolumeSize === 0) config.VolumeSize = Math.max(flavor.disk || leastRoot, least);
    if (config.VolumeSize >= least) return;
    throw new MachineError(
      "driver-options",
      `The image ${name} needs ${least} GiB, and ${flagOf("VolumeSize")} is ${config.VolumeSize}`,
      {
        hint: `Give ${flagOf("VolumeSize")} ${least} or more.`,
      },
    );
  }
  if (flavor.disk === 0 || flavor.disk >= image.min_disk) return;
  throw new MachineError(
    "provider-invalid",
    `The image ${name} needs a disk of ${image.min_disk} GiB, and ${flavor.name} has ${flavor.disk}`,
    {
      hint: `Choose a larger ${flagOf("FlavorName")}, or ${flagOf("BootFromVolume")}.`,
    },
  );
}

/** The volume that the user names exists and is free; the cloud has volumes where any are wanted, of that type. */
export async function checkVolumes({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  if (config.VolumeType !== "") {
    const types = await api.list<{ readonly id: string; readonly name: string }>("volume", "/types", "volume_types", {}, signal);
    if (!types.some(({ id, name }) => config.VolumeType === name || config.VolumeType === id))
      throw new MachineError("provider-not-found", `Unable to find volume type named ${config.VolumeType}`, {
        hint: `Choose one of ${types.map(({ name }) => name).join(", ")} with ${flagOf("VolumeType")}.`,
      });
  }
  if (hasOwnVolume(config)) await api.session.endpoint("volume", signal);
  if (config.VolumeId === "") return;
  const found = await api.find<{ volume: Volume }>("volume", `/volumes/${encodeURIComponent(config.VolumeId)}`, signal);
  if (found?.volume.status === "available") return;
  const problem = found === undefined ? "Unable to find volume" : `The volume is ${found.volume.status}:`;
  throw new MachineError(found === undefined ? "provider-not-found" : "provider-invalid", `${problem} ${config.VolumeId}`, {
    hint: `Choose one that is available with ${flagOf("VolumeId")}: openstack volume list.`,
  });
}

/** The data volume, free to be attached: ours, the user's, or none. */
export async function ensureVolume(place: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const { config } = place;
  if (!hasOwnVolume(config)) return config.VolumeId === "" ? undefined : config.VolumeId;
  return await ensureOwnVolume(place, signal);
}

async function ensureOwnVolume(place: Workplace, signal: AbortSignal): Promise<string> {
  const { api, config, ledger } = place;
  const name = volumeNameOf(place);
  const mayExist = ledger.of(kinds.volume).length > 0;
  await ledger.intend(kinds.volume, name);
  const find = async (): Promise<Volume | undefined> => (await marked(place, kinds.volume, signal))[0] as Volume | undefined;
  const make = async (): Promise<Volume> => {
    const type = config.VolumeType === "" ? {} : { volume_type: config.VolumeType };
    // A disk of another zone may not be attachable.
    const zone = config.AvailabilityZone === "" ? {} : { availability_zone: config.AvailabilityZone };
    const body = { volume: { name, size: config.VolumeSize, metadata: ownMetadata(place), ...type, ...zone } };
    return (await api.send<{ volume: Volume }>("volume", { method: "POST", path: "/volumes", body }, signal)).volume;
  };
  const { id } = await createOnce({ mayExist, find, make });
  await ledger.note(kinds.volume, id, name);
  for (const other of await marked(place, kinds.volume, signal)) if (other.id !== id) await removeVolume(place, other.id, signal);
  await untilReady(place, id, signal);
  return id;
}

/** Available, or attached by an earlier call. */
async function untilReady(place: Workplace, id: string, signal: AbortSignal): Promise<void> {
  const { clock, operationMs } = place.context;
  const isReady = async (): Promise<true | undefined> => {
    const status = (await findVolume(place, id, signal))?.status ?? "deleted";
    if (["available", "in-use", "attaching", "reserved"].includes(status)) return true;
    if (["creating", "downloading"].includes(status)) return undefined;
    throw new MachineError("provider-error", `OpenStack could not make the volume ${id}: it is ${status}`, {
      hint: `Try again, or another ${flagOf("VolumeType")}; openstack volume message list tells more.`,
    });
  };
  await poll({ ms: operationMs, clock, signal }, pace, isReady, "OpenStack did not make the volume");
}

export async function findVolume({ api }: Workplace, id: string, signal: AbortSignal): Promise<Volume | undefined> {
  return (await api.find<{ volume: Volume }>("volume", `/volumes/${id}`, signal))?.volume;
}

interface Attachment {
  readonly volumeId: string;
}

/** Does nothing where it is attached to the machine already. */
export async function attachVolume(place: Workplace, volumeId: string, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  if (await isAttached(place, volumeId, signal)) return;
  const device = config.VolumeDevicePath === "" ? {} : { device: config.VolumeDevicePath };
  const body = { volumeAttachment: { volumeId, ...device } };
  try {
    await api.send("compute", { method: "POST", path: attachmentsOf(place), body, safe: true }, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Nova refuses the second request for what the first, whose answer was lost, has done.
    if (!(await isAttached(place, volumeId, signal))) throw error;
  }
}

function attachmentsOf({ config }: Workplace): string {
  return `/servers/${config.MachineId}/os-volume_attachments`;
}

async function isAttached(place: Workplace, volumeId: string, signal: AbortSignal): Promise<boolean> {
  const request = { method: "GET", path: attachmentsOf(place) } as const;
  const { volumeAttachments } = await place.api.send<{ volumeAttachments: readonly Attachment[] }>("compute", request, signal);
  return volumeAttachments.some((attachment) => attachment.volumeId === volumeId);
}

/** Once no server has it any more; returns when it is gone. False where it was before. */
export async function removeVolume(place: Workplace, id: string, signal: AbortSignal): Promise<boolean> {
  const { clock, operationMs } = place.context;
  let seen = false;
  const isGone = async (): Promise<true | undefined> => {
    const status = (await findVolume(place, id, signal))?.status;
    if (status === undefined) return true;
    if (status === "error_deleting")
      throw new MachineError("provider-error", `OpenStack could not remove the volume ${id}`, {
        hint: "The operator must: openstack volume set --state available, and delete it again.",
      });
    if (["available", "error"].includes(status)) await place.api.delete("volume", `/volumes/${id}`, signal);
    seen = true;
    return undefined;
  };
  await poll({ ms: operationMs, clock, signal }, pace, isGone, `OpenStack did not remove the volume ${id}`);
  return seen;
}
