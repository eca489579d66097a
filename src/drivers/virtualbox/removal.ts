/**
 * Removing what `create` made, and telling what of it there is. VBoxManage's own `--delete` takes every disk that is attached,
 * whoever's: the machine is unregistered only, and the files of its folder are removed here.
 */
import * as path from "node:path";
import type { Resource } from "../../driver-kit/driver.ts";
import { foreignDisk } from "../../driver-kit/guest/foreign-disk.ts";
import { removeAll, type LedgerEntry } from "../../driver-kit/ledger.ts";
import { bootIsoName } from "../../driver-kit/images/boot-iso.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf, realPathOf, removeTree } from "../../system/disk-files.ts";
import { poll } from "../../system/waiting.ts";
import { unlessGone } from "./failures.ts";
import { existingHostOnly, removeUnused } from "./host-only.ts";
import { powerOff } from "./power.ts";
import { stateOf, type VmInfo } from "./vm-info.ts";
import type { FoundVm } from "./vboxmanage.ts";
import { fileOf, isOurs, isWithin, kinds, oldDisk, pace, vmFiles, vmUuid, type Workplace } from "./workplace.ts";

const ownNames: readonly string[] = [...Object.values(vmFiles), oldDisk, bootIsoName];
const order = [kinds.instance, kinds.hostOnly];

export async function removeMade(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, ledger, tool } = place;
  const uuid = await vmUuid(place, signal);
  await takeDown(place, uuid === undefined ? undefined : await tool.find(uuid, signal), signal);
  // Who made the network and who uses it last need not be the same machine.
  if (config.HostOnlyName !== "") await removeUnused(place, config.HostOnlyName, signal);
  // What was to be made and is not there never will be: VBoxManage answers when all is done.
  const remove = async ({ kind, id }: LedgerEntry): Promise<boolean> => {
    if (kind === kinds.hostOnly && id !== config.HostOnlyName) await removeUnused(place, id, signal);
    return true;
  };
  await removeAll(ledger, order, remove, signal);
}

/**
 * Unregisters the machine's VM, if there is one, and removes its files. Throws `provider-exists` where it is not ours to remove.
 * @param found what VirtualBox has under its id
 */
export async function takeDown(place: Workplace, found: FoundVm, signal: AbortSignal): Promise<void> {
  const { config, tool } = place;
  if (typeof found === "object") await unregister(place, found, signal);
  // Its settings are gone, so there is nothing but the entry.
  else if (found === "inaccessible") await unlessGone(async () => await tool.run(["unregistervm", config.VmUuid], signal));
  await closeMedia(place, signal);
  for (const name of ownNames) await removeTree(fileOf(place, name));
}

async function unregister(place: Workplace, info: VmInfo, signal: AbortSignal): Promise<void> {
  const { context, tool } = place;
  if (!(await isOurs(place, info)))
    throw new MachineError(
      "provider-exists",
      `The virtual machine of "${context.machineName}" lies elsewhere now, in ${info.settingsFile}, and is left as it is`,
      {
        hint: `Move it back (VBoxManage movevm), or remove it in VirtualBox and then the record: docker-machine rm -f ${context.machineName}`,
      },
    );
  await keepForeign(place, info);
  await powerOff(place, info, signal);
  if (stateOf(info) !== "Stopped") await waitUntilOff(place, info.uuid, signal);
  await detachForeign(place, info, signal);
  await unlessGone(async () => await tool.run(["unregistervm", info.uuid], signal));
  // 0.16.2 has it in another folder of the machine's than we.
  await removeTree(path.dirname(info.settingsFile));
}

/** A disk of others in the machine's folder would go with that; VirtualBox's window puts new ones beside the settings. */
async function keepForeign({ context }: Workplace, { attachments, settingsFile }: VmInfo): Promise<void> {
  const { machineDir, machineName } = context;
  const snapshots = path.join(path.dirname(settingsFile), "Snapshots");
  for (const { medium } of attachments) {
    if (!(await isWithin(medium, machineDir)) || (await isWithin(medium, snapshots))) continue;
    const [own, folder] = await Promise.all([realPathOf(machineDir), realPathOf(path.dirname(medium))]);
    if (folder === own && ownNames.includes(path.basename(medium))) continue;
    throw foreignDisk(
      medium,
      machineName,
      "Stop the machine, move the disk to another folder (VBoxManage modifymedium disk FILE --move FOLDER/), or take it off and move it by hand; then run the command again.",
    );
  }
}

/** What others attached stays in VirtualBox's own list, which a machine's end takes its media from. */
async function detachForeign({ context, tool }: Workplace, { uuid, attachments }: VmInfo, signal: AbortSignal): Promise<void> {
  for (const { controller, port, device, medium } of attachments) {
    if (await isWithin(medium, context.machineDir)) continue;
    const at = ["--storagectl", controller, "--port", String(port), "--device", String(device)];
    await tool.run(["storageattach", uuid, ...at, "--medium", "none"], signal);
  }
}

/** CDs stay in VirtualBox's own list when their machine is gone, and so does a disk that it has cloned. */
async function closeMedia(place: Workplace, signal: AbortSignal): Promise<void> {
  const media = [
    ["dvd", vmFiles.seed],
    ["dvd", bootIsoName],
    ...(place.config.Boot2DockerImportVM === "" ? [] : [["disk", vmFiles.disk] as const]),
  ] as const;
  for (const [kind, name] of media) {
    const file = fileOf(place, name);
    if ((await factsOf(file)) === undefined) continue;
    await unlessGone(async () => await place.tool.run(["closemedium", kind, file], signal));
  }
}

async function waitUntilOff({ tool, context }: Workplace, uuid: string, signal: AbortSignal): Promise<void> {
  const ask = async (): Promise<true | undefined> => {
    const info = await tool.find(uuid, signal);
    return typeof info !== "object" || ["Stopped", "Saved"].includes(stateOf(info)) || undefined;
  };
  await poll({ ms: context.operationMs, clock: context.clock, signal }, pace, ask, `"${context.machineName}" did not switch off`);
}

/** What there is of this machine in VirtualBox. */
export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  const { ledger, tool } = place;
  const uuid = await vmUuid(place, signal);
  const found = uuid === undefined ? undefined : await tool.find(uuid, signal);
  const isThere = found === "inaccessible" || (found !== undefined && (await isOurs(place, found)));
  const networks = await existingHostOnly(place, [...new Set(ledger.of(kinds.hostOnly).map(({ id }) => id))], signal);
  return [
    ...(isThere && uuid !== undefined ? [{ kind: kinds.instance, id: uuid }] : []),
    ...networks.map((id) => ({ kind: kinds.hostOnly, id })),
  ];
}
