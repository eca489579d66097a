/** What the parts of the driver work on: one machine, its record and its ledger, VBoxManage, and this computer. */
import * as path from "node:path";
import type { DriverContext } from "../../driver-kit/driver.ts";
import type { Ledger } from "../../driver-kit/ledger.ts";
import { createMark, uuidOf } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { realPathOf } from "../../system/disk-files.ts";
import type { LocalNetwork } from "../../system/local-networks.ts";
import type { Pace } from "../../system/waiting.ts";
import { parseVms } from "./listings.ts";
import type { VirtualBoxConfig } from "./options.ts";
import type { FoundVm, VBoxManage } from "./vboxmanage.ts";
import type { VmInfo } from "./vm-info.ts";

/** Where this computer tells things that VBoxManage does not. */
export interface HostSurroundings {
  /** There while the kernel module is loaded; Linux. */
  readonly moduleDevice: string;
  /** Folder of the firmware's variables; Linux. */
  readonly firmwareVariables: string;
  /** Which networks VirtualBox allows; Linux, and macOS before 7.0. */
  readonly networksConf: string;
  networks(): readonly LocalNetwork[];
}

export interface Workplace {
  readonly context: DriverContext;
  readonly config: VirtualBoxConfig;
  readonly ledger: Ledger;
  readonly tool: VBoxManage;
  readonly surroundings: HostSurroundings;
}

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = { instance: "instance", hostOnly: "host-only-network" } as const;

export const pace: Pace = { firstMs: 500, mostMs: 2_000 };

/** What a machine is made of, in its folder. The settings have one of their own: a machine may be named as any of the files is. */
export const vmFiles = { settings: "vbox", disk: "disk.vdi", seed: "seed.iso", console: "console.log" } as const;

/** 0.16.2's. */
export const oldDisk = "disk.vmdk";

export function fileOf({ context }: Pick<Workplace, "context">, name: string): string {
  return path.join(context.machineDir, name);
}

/** The ids of what this create makes; undefined for a machine without a mark. */
export function idsOf(createId: string | undefined): { readonly vm: string; readonly disk: string } | undefined {
  const mark = createMark(createId);
  return mark === undefined ? undefined : { vm: uuidOf("virtualbox", mark.id), disk: uuidOf("virtualbox-disk", mark.id) };
}

/**
 * The id of this machine's VM: recorded, or of a record of 0.16.2 that of the VM whose settings lie where it put them. A name
 * alone means nothing: two VMs may have one.
 */
export async function vmUuid(place: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const { config, context, tool } = place;
  if (config.VmUuid !== "") return config.VmUuid;
  const named = parseVms((await tool.run(["list", "vms"], signal)).stdout).filter(({ name }) => name === context.machineName);
  for (const { uuid } of named) {
    const info = await tool.find(uuid, signal);
    if (typeof info !== "object" || !(await isOurs(place, info))) continue;
    config.VmUuid = uuid;
    return uuid;
  }
  return undefined;
}

/** The machine's VM as VirtualBox has it now. */
export async function findVm(place: Workplace, signal: AbortSignal): Promise<FoundVm> {
  const uuid = await vmUuid(place, signal);
  return uuid === undefined ? undefined : await place.tool.find(uuid, signal);
}

/** Throws `provider-not-found` where it is gone, and `provider-permission` where its settings cannot be read. */
export async function requireVm(place: Workplace, signal: AbortSignal): Promise<VmInfo> {
  const info = await findVm(place, signal);
  if (info === undefined) throw gone(place);
  if (info === "inaccessible") throw unreadable(place);
  return info;
}

/** Whether its settings lie in this machine's folder, and not in a copy that was registered elsewhere. */
export async function isOurs({ context }: Pick<Workplace, "context">, { settingsFile }: VmInfo): Promise<boolean> {
  return await isWithin(settingsFile, context.machineDir);
}

export async function isWithin(file: string, folder: string): Promise<boolean> {
  const [inside, outside] = await Promise.all([realPathOf(file), realPathOf(folder)]);
  const relative = path.relative(outside, inside);
  return relative !== "" && !relative.startsWith("..") && !path.isAbsolute(relative);
}

export function gone({ context }: Pick<Workplace, "context">): MachineError {
  return new MachineError("provider-not-found", goneSentence(context.machineName), {
    hint: `VirtualBox shows each user their own: run the command as the user who made it. If it was deleted: docker-machine rm ${context.machineName}`,
  });
}

/** 0.16.2 says `machine does not exist`. */
export function goneSentence(machineName: string): string {
  return `machine does not exist: VirtualBox has no virtual machine of "${machineName}" any more`;
}

function unreadable({ context }: Pick<Workplace, "context">): MachineError {
  return new MachineError("provider-permission", unreadableSentence(context.machineName), {
    hint: `Put its .vbox file back from a copy, or remove the machine: docker-machine rm ${context.machineName}`,
  });
}

export function unreadableSentence(machineName: string): string {
  return `VirtualBox cannot read the settings of "${machineName}": they were moved or deleted`;
}
