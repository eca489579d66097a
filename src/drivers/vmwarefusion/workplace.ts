/** What the parts of the driver work on, and how the machine's virtual machine is looked at. */
import * as path from "node:path";
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { realPathOf } from "../../system/disk-files.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import type { FusionConfig } from "./options.ts";
import type { VmwarePrograms } from "./programs.ts";
import { parseVmx } from "./vmx.ts";

export type Workplace = DriverPlace<FusionConfig, VmwarePrograms>;

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = { instance: "instance" } as const;

/** Files in the machine's folder, by the names that 0.16.2 derives from the machine's. */
export function fileNames(machineName: string) {
  return {
    vmx: `${machineName}.vmx`,
    disk: `${machineName}.vmdk`,
    /** What the disk is made of; only while that is done. */
    source: `${machineName}-source.vmdk`,
    /** Settings of Fusion's window. */
    plist: `${machineName}.plist`,
    seed: "seed.iso",
    configDrive: "configdrive.iso",
  } as const;
}

export function fileOf({ context }: Pick<Workplace, "context">, name: keyof ReturnType<typeof fileNames>): string {
  return path.join(context.machineDir, fileNames(context.machineName)[name]);
}

/** The machine's virtual machine as it is now. */
export interface Sight {
  /** What its file says; undefined where there is none. */
  readonly description: ReadonlyMap<string, string> | undefined;
  readonly isRunning: boolean;
}

/** Reads the file in the machine's folder, and asks what runs. */
export async function lookUp(place: Workplace, signal: AbortSignal): Promise<Sight> {
  const bytes = await readRegularFileIfExists(fileOf(place, "vmx"));
  const description = bytes === undefined ? undefined : parseVmx(bytes.toString("utf8"));
  return { description, isRunning: await isListed(place, signal) };
}

/** Whether the machine's file is among those of machines that run: whole lines, as another's name may begin with ours. */
async function isListed(place: Workplace, signal: AbortSignal): Promise<boolean> {
  const { api, context } = place;
  const [, ...running] = (await api.vmrun.run(["list"], signal)).split(/\r?\n/u);
  const tellsCase = context.computer.os === "linux";
  const comparable = (file: string): string => (tellsCase ? file : file.toLowerCase());
  const vmx = fileOf(place, "vmx");
  const ours = new Set(
    [vmx, await realPathOf(vmx), path.join(await realPathOf(context.machineDir), path.basename(vmx))].map(comparable),
  );
  return running.some((line) => ours.has(comparable(line.trim())));
}

/**
 * Whether it is this machine's. The folder is the machine's own, so its file is, unless it bears another create's mark, or
 * none though nothing was recorded: then someone put it there.
 */
export function isOwn({ context, ledger }: Workplace, description: ReadonlyMap<string, string>): boolean {
  const found = description.get("guestinfo.docker-machine.create-id");
  const mark = createMark(context.createId)?.setting.value;
  const isRecorded = ledger.idOf(kinds.instance) !== undefined;
  if (found === undefined) return isRecorded;
  return found === mark || (mark === undefined && isRecorded);
}

/** Throws `provider-not-found` where it is gone, `provider-exists` where another's is in its place. */
export async function requireOwn(place: Workplace, signal: AbortSignal): Promise<Sight & Required<Sight>> {
  const sight = await lookUp(place, signal);
  if (sight.description === undefined) throw gone(place);
  requireNoOther(place, sight);
  return sight;
}

/** Throws `provider-exists` in 0.16.2's words. */
export function requireNoOther(place: Workplace, { description }: Sight): void {
  if (description === undefined || isOwn(place, description)) return;
  throw new MachineError(
    "provider-exists",
    `machine already exists: ${fileOf(place, "vmx")} is another virtual machine than that of "${place.context.machineName}"`,
    { hint: "Move it, with its disks, to another folder; then run the command again." },
  );
}

export function gone(place: Pick<Workplace, "context">): MachineError {
  const { machineName } = place.context;
  return new MachineError("provider-not-found", `The virtual machine of "${machineName}" is gone: ${fileOf(place, "vmx")}`, {
    hint: `Put it back from a copy, or remove the machine: docker-machine rm ${machineName}`,
  });
}
