/** Taking away what `create` made: the virtual machine and its files, and nothing that others attached or put there. */
import * as path from "node:path";
import type { Resource } from "../../driver-kit/driver.ts";
import { foreignDisk } from "../../driver-kit/guest/foreign-disk.ts";
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import { bootIsoName } from "../../driver-kit/images/boot-iso.ts";
import { logTo } from "../../log/event.ts";
import { listFolder, removeTree } from "../../system/disk-files.ts";
import { switchOff } from "./power.ts";
import { disksIn } from "./vmx.ts";
import { fileNames, fileOf, isOwn, kinds, lookUp, requireNoOther, type Sight, type Workplace } from "./workplace.ts";

export async function removeMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  if (ledger.entries.length > 0) {
    const sight = await lookUp(place, signal);
    requireNoOther(place, sight);
    await discard(place, sight, signal);
    for (const entry of ledger.of(kinds.instance)) await ledger.forget(entry);
  }
  config.Created = false;
  await forgetHostKeys(context);
}

export async function findMade(place: Workplace, signal: AbortSignal): Promise<readonly Resource[]> {
  if (place.ledger.entries.length === 0) return [];
  const { description, isRunning } = await lookUp(place, signal);
  const isThere = description === undefined ? isRunning : isOwn(place, description);
  return isThere ? [{ kind: kinds.instance, id: fileOf(place, "vmx") }] : [];
}

/** Ends the virtual machine and removes its files. VMware's own deletion would take attached disks along. */
export async function discard(place: Workplace, sight: Sight, signal: AbortSignal): Promise<void> {
  keepForeignDisks(place, sight);
  if (sight.isRunning) await switchOff(place, signal);
  const { machineDir } = place.context;
  const isOurs = ownNames(place.context.machineName);
  for (const name of await listFolder(machineDir)) if (isOurs(name)) await removeTree(path.join(machineDir, name));
}

/** A disk of others in the machine's folder would go with that. */
function keepForeignDisks({ context }: Workplace, { description }: Sight): void {
  const { machineDir, machineName, report } = context;
  const isOurs = ownNames(machineName);
  for (const disk of disksIn(description ?? new Map<string, string>())) {
    const file = path.resolve(machineDir, disk);
    const inner = path.relative(machineDir, file);
    if (isOurs(inner)) continue;
    if (!inner.startsWith("..") && !path.isAbsolute(inner)) throw foreignDisk(file, machineName);
    logTo(report, "info", `The disk ${file} was attached by others and stays.`);
  }
}

/** Of ours, and what VMware makes beside them: its locks, logs, snapshots, memory. */
function ownNames(machineName: string): (name: string) => boolean {
  const own = machineName.replaceAll(/[.*+?^${}()|[\]\\]/gu, "\\$&");
  const endings = [
    "\\.(?:vmx|vmxf|vmsd|vmdk|nvram|plist|vmss|vmem|scoreboard)",
    "-(?:source|flat|s\\d{3})\\.vmdk",
    "-\\d{6}(?:-(?:delta|sesparse|s\\d{3}))?\\.vmdk",
    "-[0-9a-f]{8}\\.(?:vmss|vmem|vswp)",
    "-Snapshot\\d+\\.(?:vmsn|vmem)",
  ];
  const ofMachine = new RegExp(`^${own}(?:${endings.join("|")})(?:\\.lck)?$`, "iu");
  const { seed, configDrive } = fileNames(machineName);
  const fixed = [seed, configDrive, bootIsoName, "console.log", "nvram"].flatMap((name) => [name, `${name}.new`, `${name}.lck`]);
  return (name) =>
    ofMachine.test(name) || fixed.includes(name) || /^(?:vmware|vprintproxy|mksSandbox)(?:-\d+)?\.log$/u.test(name);
}
