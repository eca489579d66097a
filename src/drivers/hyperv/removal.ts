/** Taking away what `create` made: the virtual machine, then its files, and nothing that others attached or put there. */
import * as path from "node:path";
import type { Resource } from "../../driver-kit/driver.ts";
import { bootIsoName } from "../../driver-kit/images/boot-iso.ts";
import { foreignDisk } from "../../driver-kit/guest/foreign-disk.ts";
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { listFolder, removeEmptyFolders } from "../../system/disk-files.ts";
import { removeFile } from "../../system/files.ts";
import { poll } from "../../system/waiting.ts";
import { switchOffMachine } from "./power.ts";
import { textOf, type Fields } from "./powershell.ts";
import { fields } from "./script.ts";
import { findOwn, isWithin, kinds, machineFiles, type VirtualMachine, type Workplace } from "./workplace.ts";

/** Checkpoints are merged after their virtual machine is gone, and Windows removes no file that is open. */
const freeMs = 120_000;
const freeEveryMs = 1_000;

export async function removeMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  const found = isKnown(place) ? await findOwn(place, signal) : [];
  for (const vm of found) await discard(place, vm, signal);
  await clearFolder(place, signal);
  // What was asked for and is not there may still come, if its script outlived us.
  for (const entry of ledger.of(kinds.instance)) if (!entry.intended || found.length > 0) await ledger.forget(entry);
  config.VmId = "";
  config.Created = false;
  await forgetHostKeys(context);
}

export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  if (!isKnown(place)) return [];
  return (await findOwn(place, signal)).map(({ id }) => ({ kind: kinds.instance, id }));
}

/** Whether a virtual machine can have been asked for. */
function isKnown({ config, ledger }: Workplace): boolean {
  return config.VmId !== "" || ledger.entries.length > 0;
}

/** Removes a virtual machine of ours; its disks stay where they are. */
export async function discard(place: Workplace, vm: VirtualMachine, signal: AbortSignal): Promise<void> {
  await keepForeignDisks(place, vm, signal);
  await switchOffMachine(place, vm, signal);
  const statements = ["$vm=Hyper-V\\Get-VM -Id $a.id", "Hyper-V\\Remove-VM -VM $vm -Force"];
  await place.api.run({ statements, answers: [], data: { id: vm.id } }, signal, place.context.operationMs);
}

/** Removing a virtual machine leaves all disks; those in the machine's folder would go with that. */
async function keepForeignDisks(place: Workplace, vm: VirtualMachine, signal: AbortSignal): Promise<void> {
  const { api, context } = place;
  const statements = ["$vm=Hyper-V\\Get-VM -Id $a.id", `$disks=Hyper-V\\Get-VMHardDiskDrive -VM $vm${fields.disk}`];
  const answers = await api.run({ statements, answers: ["disks"], data: { id: vm.id } }, signal);
  const disks = (answers["disks"] ?? []).map((answer) => textOf((answer as Fields)["Path"]));
  for (const disk of disks.filter((file) => file !== "" && !isOwnDisk(place, file))) {
    if (isWithin(context.machineDir, disk)) throw foreignDisk(disk, context.machineName);
    logTo(context.report, "info", `The disk ${disk} was attached by others and stays.`);
  }
}

/** Ours, or a checkpoint of it. */
function isOwnDisk({ context }: Workplace, file: string): boolean {
  const at = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\"));
  return isWithin(file.slice(0, at), context.machineDir) && isWithin(context.machineDir, file) && isOwnFile(file.slice(at + 1));
}

const ownNames: readonly string[] = [...Object.values(machineFiles), bootIsoName, `${bootIsoName}.new`];

function isOwnFile(name: string): boolean {
  return ownNames.includes(name.toLowerCase()) || /^disk_[0-9a-f-]+\.avhdx?$/iu.test(name);
}

/** Removes the files that a virtual machine of ours has, or left, in the machine's folder. */
export async function clearFolder({ context }: Workplace, signal: AbortSignal): Promise<void> {
  const { machineDir, machineName, clock } = context;
  const remove = async (): Promise<true> => {
    for (const name of await listFolder(machineDir)) if (isOwnFile(name)) await removeFile(path.join(machineDir, name));
    return true;
  };
  await poll(
    { ms: freeMs, clock, signal },
    freeEveryMs,
    async ({ note }) => {
      try {
        return await remove();
      } catch (error) {
        if (!isMachineError(error, "store-unusable")) throw error;
        note(error);
        return undefined;
      }
    },
    (last) => last,
  );
  // Hyper-V takes its own files along and leaves their folders.
  await removeEmptyFolders(path.join(machineDir, machineName));
}
