/**
 * What is checked before anything is made: that who answers is believed and lets us in, that every name leads to one place,
 * and that the machine's own is free. What was found is kept in the record.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { readFileIfExists } from "../../system/files.ts";
import { provideImage } from "./image.ts";
import { findVm } from "./instance.ts";
import {
  findBelow,
  findComputing,
  findDatacenter,
  findFolder,
  findPod,
  findSource,
  freeBytes,
  type Datacenter,
} from "./inventory.ts";
import { driverName, isUrl, type VsphereConfig } from "./options.ts";
import { escapeSegment, findByPath, findByUuid } from "./search-index.ts";
import { templateUuid } from "./template.ts";
import { refText, type Workplace } from "./workplace.ts";

const mib = 1024 * 1024;

export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  await requireFiles(config);
  const { isVCenter, product } = await api.content(signal);
  logTo(context.report, "debug", `${config.IP} is ${product}`);
  if (config.Insecure) logTo(context.report, "warn", `Whoever answers at ${config.IP} is believed, and gets the password.`);
  requireVCenter(config, isVCenter, product);
  const datacenter = await findDatacenter(place, signal);
  const folder = await findFolder(place, datacenter, signal);
  const { pool, host } = await findComputing(place, datacenter, signal);
  Object.assign(config, { DatacenterRef: datacenter.ref.value, DatacenterPath: datacenter.path });
  Object.assign(config, {
    FolderRef: folder.ref.value,
    FolderPath: folder.path,
    PoolRef: pool.value,
    HostRef: host?.value ?? "",
  });
  await findStorage(place, datacenter, signal);
  const networks = config.Networks.map(async (name) => await findBelow(place, datacenter, "network", name, signal));
  config.NetworkRefs = (await Promise.all(networks)).map(({ ref }) => refText(ref));
  await requireFreeName(place, signal);
  if (config.CreationType === "template" || config.CreationType === "vm")
    config.SourceRef = refText(await findSource(place, datacenter, config.CloneFrom, signal));
  if (config.CreationType === "library") {
    const { findLibraryItem } = await import("./library.ts");
    config.SourceRef = await findLibraryItem(place, signal);
  }
  if (config.CreationType === "image") await checkImage(place, isVCenter, signal);
}

async function requireFiles({ CloudConfigFile, CloudInit }: VsphereConfig): Promise<void> {
  for (const [flag, file] of [
    ["cloud-config", CloudConfigFile],
    ["cloudinit", isUrl(CloudInit) ? "" : CloudInit],
  ] as const)
    if (file !== "" && (await readFileIfExists(file)) === undefined)
      throw new MachineError("driver-options", `The file of --${driverName}-${flag}, ${file}, does not exist`, {
        hint: "Give the path of a file on this computer.",
      });
}

/** An ESXi host by itself knows no templates, libraries, tags and clusters of datastores. */
function requireVCenter(config: VsphereConfig, isVCenter: boolean, product: string): void {
  if (isVCenter) return;
  const asked: readonly (readonly [string, boolean])[] = [
    ["clone-from", config.CloneFrom !== ""],
    ["content-library", config.ContentLibrary !== ""],
    ["datastore-cluster", config.DatastoreCluster !== ""],
    ["tag", config.Tags.length > 0],
    ["custom-attribute", config.CustomAttributes.length > 0],
  ];
  const first = asked.find(([, given]) => given);
  if (first === undefined) return;
  throw new MachineError("provider-unsupported", `--${driverName}-${first[0]} needs a vCenter, and ${config.IP} is ${product}`, {
    hint: `Name the vCenter that manages this host by --${driverName}-vcenter, or leave --${driverName}-${first[0]} out.`,
  });
}

async function findStorage(place: Workplace, datacenter: Datacenter, signal: AbortSignal): Promise<void> {
  const { config } = place;
  if (config.DatastoreCluster !== "") {
    config.PodRef = (await findPod(place, datacenter, signal)).value;
    return;
  }
  const { ref, name } = await findBelow(place, datacenter, "datastore", config.Datastore, signal);
  Object.assign(config, { DatastoreRef: ref.value, DatastoreName: name });
}

/** Simulators take a second VM of one name, and real ones refuse it late. */
async function requireFreeName(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  const taken = await findByPath(place, `${config.FolderPath}/${escapeSegment(context.machineName)}`, signal);
  if (taken === undefined || (config.InstanceUuid !== "" && (await findVm(place, [], signal))?.ref.value === taken.value)) return;
  throw new MachineError(
    "provider-exists",
    `"${context.machineName}" exists already in the folder ${config.FolderPath} of ${config.IP}`,
    {
      hint: `Choose another name or --${driverName}-folder; what is there is left alone.`,
    },
  );
}

async function checkImage(place: Workplace, isVCenter: boolean, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const image = await provideImage(place, config.ImageRefresh, signal);
  config.ImageDigest = image.digest;
  if (image.virtualSizeBytes > config.DiskSize * mib)
    throw new MachineError(
      "driver-options",
      `A disk of ${config.DiskSize} MB is too small for the image of ${Math.ceil(image.virtualSizeBytes / mib)} MB`,
      {
        hint: `Give --${driverName}-disk-size ${Math.ceil(image.virtualSizeBytes / mib)} or more.`,
      },
    );
  const isThere = isVCenter && (await findByUuid(place, templateUuid(config), true, signal)) !== undefined;
  await requireRoom(place, image.virtualSizeBytes * (isVCenter && !isThere ? 2 : 1), signal);
}

/** What is thin grows to its image's size soon; vSphere itself refuses only when it is full. */
async function requireRoom(place: Workplace, neededBytes: number, signal: AbortSignal): Promise<void> {
  const { config } = place;
  if (config.DatastoreRef === "") return;
  const free = await freeBytes(place, { type: "Datastore", value: config.DatastoreRef }, signal);
  if (free === undefined || free >= neededBytes) return;
  throw new MachineError(
    "provider-capacity",
    `The datastore ${config.DatastoreName} has ${Math.floor(free / mib)} MB left, and the image needs ${Math.ceil(neededBytes / mib)} MB`,
    { hint: `Free some, or choose another --${driverName}-datastore.` },
  );
}
