/**
 * How a machine comes into being: its disk and seed are written here, then one script makes the virtual machine and starts
 * it. Hyper-V chooses the id, so until it is recorded the machine is known by mark and folder. What an earlier attempt
 * left is thrown away first, for nobody has used it.
 */
import { randomUUID } from "node:crypto";
import { writeDynamicVhd } from "../../driver-kit/disk-formats/dynamic-vhd.ts";
import type { VirtualDisk } from "../../driver-kit/disk-formats/disk.ts";
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import { seedGuest } from "../../driver-kit/guest/seeded-guest.ts";
import { provideBootIso } from "../../driver-kit/images/boot-iso.ts";
import { guestArch } from "../../driver-kit/images/guest-arch.ts";
import type { DiskSource, IsoSource } from "../../driver-kit/images/image-source.ts";
import { dataDisk, withImageDisk } from "../../driver-kit/images/open-image.ts";
import { macAddressOf, requireMark } from "../../driver-kit/marks.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { removeFile } from "../../system/files.ts";
import { writeNewFile } from "../../system/random-access.ts";
import { imageSource } from "./options.ts";
import { startMachine } from "./power.ts";
import { isTrue } from "./powershell.ts";
import { clearFolder, discard } from "./removal.ts";
import { questions } from "./script.ts";
import {
  fileOf,
  isOwn,
  kinds,
  listing,
  notesOf,
  readListing,
  virtualMachine,
  type VirtualMachine,
  type Workplace,
} from "./workplace.ts";
import { creationScript } from "./creation-script.ts";

/** Returns once the virtual machine runs and its id is durable. */
export async function createMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  if (place.config.Created) return await startMachine(place, signal);
  const { config, context, ledger } = place;
  const hasCheckpoints = await discardAttempts(place, signal);
  config.MacAddress = config.MacAddr === "" ? ownMacAddress(place) : config.MacAddr;
  await ledger.intend(kinds.instance, context.machineName);
  const source = imageSource(config, context.computer.cwd);
  const drive = source.kind === "iso" ? await layOutIso(place, source, signal) : await layOutImage(place, source, signal);
  await context.save();
  const { made, all } = await makeMachine(place, { drive, hasCheckpoints }, signal);
  config.VmId = made.id;
  config.Created = true;
  await ledger.note(kinds.instance, made.id, context.machineName);
  await removeDoubles(place, all, signal);
  await forgetHostKeys(context);
}

/** Known before the first boot, and another's than that of any other create. */
function ownMacAddress({ context }: Workplace): string {
  return macAddressOf("hyperv", "primary", requireMark(context.createId).id).replaceAll(":", "").toUpperCase();
}

/** Tells whether this Windows makes checkpoints by itself, and can be told not to. */
async function discardAttempts(place: Workplace, signal: AbortSignal): Promise<boolean> {
  place.config.VmId = "";
  const { statements, answers } = listing;
  const script = { statements: [questions.checkpoints, ...statements], answers: ["checkpoints", ...answers], data: {} };
  const found = await place.api.run(script, signal);
  for (const vm of readListing(found)) if (isOwn(vm, place)) await discard(place, vm, signal);
  await clearFolder(place, signal);
  return isTrue(found, "checkpoints");
}

/** The disk of an image, and the seed. Gives what goes into the DVD drive. */
async function layOutImage(place: Workplace, source: DiskSource, signal: AbortSignal): Promise<string> {
  const { config, context } = place;
  const seed = fileOf(place, "seed");
  const { sshKeyPath, hostKeys } = await seedGuest(context, {
    userName: config.SSHUser,
    seedFile: seed,
    instanceId: requireMark(context.createId).id,
    userDataFile: config.CloudConfig,
    userDataFlag: "hyperv-cloud-config",
  });
  config.SSHKeyPath = sshKeyPath;
  config.HostKeys = [...hostKeys];
  const wish = {
    source,
    arch: guestArch(context.computer.arch, "hyperv"),
    flavour: "genericcloud",
    refresh: config.ImageRefresh,
    prefix: "hyperv",
  } as const;
  await withImageDisk(context, wish, async (disk) => await writeDisk(place, "source", disk, signal), signal);
  return seed;
}

/** boot2docker's CD, and the disk that it formats. It makes its host keys by itself. */
async function layOutIso(place: Workplace, source: IsoSource, signal: AbortSignal): Promise<string> {
  const { config, context } = place;
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  config.SSHKeyPath = privateKeyPath;
  config.HostKeys = [];
  const iso = await provideBootIso(context, source, "hyperv", signal);
  await writeDisk(place, "oldDisk", dataDisk([publicKey]), signal);
  return iso;
}

async function writeDisk(place: Workplace, name: "source" | "oldDisk", disk: VirtualDisk, signal: AbortSignal): Promise<void> {
  const options = { capacityBytes: place.config.DiskSize * 1024 * 1024, uuid: randomUUID() };
  const file = fileOf(place, name);
  await inPhase(place.context, "Writing the disk", async () => {
    await writeNewFile(file, async (sink) => await writeDynamicVhd(disk, sink, options, signal));
  });
}

interface Made {
  readonly made: VirtualMachine;
  readonly all: readonly VirtualMachine[];
}

async function makeMachine(
  place: Workplace,
  { drive, hasCheckpoints }: { readonly drive: string; readonly hasCheckpoints: boolean },
  signal: AbortSignal,
): Promise<Made> {
  const { api, config, context } = place;
  const { id, word } = requireMark(context.createId);
  const isIso = imageSource(config, context.computer.cwd).kind === "iso";
  const script = creationScript({
    config,
    generation: isIso || config.Generation === 1 ? 1 : 2,
    hasCheckpoints,
    isIso,
    data: {
      name: context.machineName,
      folder: context.machineDir,
      notes: notesOf(context.machineName, word),
      source: fileOf(place, "source"),
      disk: fileOf(place, isIso ? "oldDisk" : "disk"),
      drive,
    },
  });
  const whole = {
    ...script,
    statements: [...script.statements, ...listing.statements],
    answers: [...script.answers, ...listing.answers],
  };
  try {
    const answers = await inPhase(
      context,
      "Making the virtual machine",
      async () => await api.run(whole, signal, context.operationMs),
    );
    const [made] = (answers["made"] ?? []).map(virtualMachine);
    if (made === undefined || made.id === "")
      throw new MachineError("provider-error", `Hyper-V did not tell which virtual machine it made for create ${id}`);
    return { made, all: readListing(answers) };
  } finally {
    // Hyper-V removes it after the conversion; of one that failed it is of no use.
    await removeFile(fileOf(place, "source"));
  }
}

/** A script whose process was killed may have gone on at Hyper-V. */
async function removeDoubles(place: Workplace, all: readonly VirtualMachine[], signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  const unrecorded = { context, config: { ...config, VmId: "" } };
  for (const vm of all) {
    if (vm.id === config.VmId || !isOwn(vm, unrecorded)) continue;
    logTo(context.report, "warn", `Hyper-V made a second virtual machine, ${vm.id}; removing it`);
    await discard(place, vm, signal);
  }
}
