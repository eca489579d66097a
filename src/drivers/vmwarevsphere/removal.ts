/**
 * What is removed: the VM with the disks that are its own, its seed, and an image that this create began to bring. Whatever
 * fails, fails: a VM that is still there is never taken for gone.
 */
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import type { Resource } from "../../driver-kit/driver.ts";
import { bootIsoName } from "../../driver-kit/images/boot-iso.ts";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { logTo } from "../../log/event.ts";
import { typed } from "./api/wire.ts";
import { textOf, type XmlElement } from "./api/xml.ts";
import { beside, deleteFile, hasFile, parseDatastorePath, type DatastoreFile } from "./datastore-files.ts";
import { change, devicesOf, diskIdentity, isDisk } from "./hardware.ts";
import { abortLease } from "./import.ts";
import { findArriving, findVm, type Vm } from "./instance.ts";
import { settleDatacenter } from "./inventory.ts";
import { findDeployed } from "./library.ts";
import { powerOff, shutDown } from "./power.ts";
import { begunImage, removeBegun } from "./template.ts";
import { kinds, type Workplace } from "./workplace.ts";

const order = [kinds.instance, kinds.seed, kinds.disc, kinds.image] as const;
const removalProperties = ["runtime.powerState", "config.hardware.device", "config.files.vmPathName"];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, ledger } = place;
  if (ledger.entries.length === 0 && isOfOlderTool(place)) {
    await removeVm(place, signal);
    return;
  }
  if (config.LeaseRef !== "") await abortLease(place, signal);
  await removeAll(ledger, order, async (entry) => await remove(place, entry, signal), signal);
}

/** Whose VM is known by a BIOS UUID, or by its place. */
function isOfOlderTool({ config }: Workplace): boolean {
  return config.MachineId !== "" || config.KnownByPlace || config.VmRef !== "";
}

/** Whether there was anything to remove. */
async function remove(place: Workplace, { kind, id }: LedgerEntry, signal: AbortSignal): Promise<boolean> {
  if (kind === kinds.image) return await removeBegun(place, signal);
  if (kind !== kinds.instance) return await deleteFile(place, parseDatastorePath(id), signal);
  return await removeVm(place, signal);
}

/** Also what an attempt that was cut off has asked for, and vSphere is still making. */
async function findAny(place: Workplace, paths: readonly string[], signal: AbortSignal): Promise<Vm | undefined> {
  const vm = (await findVm(place, paths, signal)) ?? (await findDeployed(place, paths, signal));
  const mayArrive = place.config.Stage === "" && place.config.FolderPath !== "" && place.ledger.of(kinds.instance).length > 0;
  return vm ?? (mayArrive ? await findArriving(place, paths, signal) : undefined);
}

async function removeVm(place: Workplace, signal: AbortSignal): Promise<boolean> {
  const { api, config, context } = place;
  const vm = await findAny(place, removalProperties, signal);
  if (vm !== undefined) {
    if (vm.properties.get("runtime.powerState")?.text === "poweredOn") await switchOff(place, signal);
    await detachForeign(place, vm, signal);
    // While a file of ours is in the VM's folder, the folder stays.
    for (const file of await filesBeside(place, vm, signal)) await deleteFile(place, file, signal);
    try {
      await api.run("Destroy_Task", vm.ref, {}, signal);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  Object.assign(config, { VmRef: "", KnownByPlace: false });
  await context.save();
  return vm !== undefined;
}

/** Older tools put their CD into the VM's folder, under the name that their record has, and note no files. */
async function filesBeside(place: Workplace, vm: Vm, signal: AbortSignal): Promise<readonly DatastoreFile[]> {
  if (place.ledger.entries.length > 0) return filesOf(place).map(({ id }) => parseDatastorePath(id));
  await settleDatacenter(place, signal);
  return [beside(vm.properties.get("config.files.vmPathName")?.text ?? "", bootIsoName)];
}

function filesOf({ ledger }: Workplace): readonly LedgerEntry[] {
  return [...ledger.of(kinds.seed), ...ledger.of(kinds.disc)];
}

async function switchOff(place: Workplace, signal: AbortSignal): Promise<void> {
  if (place.config.GracefulShutdownTimeout > 0) await shutDown(place, signal);
  else await powerOff(place, signal);
}

/** vSphere deletes every disk that is attached, wherever its file is and whoever made it: others' are taken off first. */
async function detachForeign({ api, config, context }: Workplace, vm: Vm, signal: AbortSignal): Promise<void> {
  const vmPath = vm.properties.get("config.files.vmPathName")?.text ?? "";
  const foreign = devicesOf(vm.properties).filter((device) => isDisk(device) && !isOwn(device, config.OwnDisks, vmPath));
  if (foreign.length === 0) return;
  const files = foreign.map((disk) => textOf(disk, "backing", "fileName"));
  logTo(context.report, "warn", `Disks that others attached are taken off and stay: ${files.join(", ")}`);
  const spec = typed("VirtualMachineConfigSpec", { deviceChange: foreign.map((disk) => change("remove", disk)) });
  await api.run("ReconfigVM_Task", vm.ref, { spec }, signal);
}

/** Of machines of older tools, and before it was noted: the disks in the VM's own folder. */
function isOwn(disk: XmlElement, own: readonly string[], vmPathName: string): boolean {
  if (own.length > 0) return own.includes(diskIdentity(disk));
  const folder = vmPathName.slice(0, vmPathName.lastIndexOf("/") + 1);
  return folder !== "" && textOf(disk, "backing", "fileName").startsWith(folder);
}

/** What is there of this machine, also what the ledger only meant to make. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { ledger } = place;
  if (ledger.entries.length === 0 && !isOfOlderTool(place)) return [];
  const vm = (await findVm(place, [], signal)) ?? (await findDeployed(place, [], signal));
  const id = place.config.InstanceUuid;
  const found: Resource[] = vm === undefined ? [] : [{ kind: kinds.instance, id: id === "" ? vm.ref.value : id }];
  for (const { kind, id: file } of filesOf(place))
    if (await hasFile(place, parseDatastorePath(file), signal)) found.push({ kind, id: file });
  for (const entry of ledger.of(kinds.image))
    if ((await begunImage(place, entry.id, signal)) !== undefined) found.push({ kind: kinds.image, id: entry.id });
  return found;
}
