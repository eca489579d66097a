/**
 * How a machine comes into being: disk and seed, then the description, whole at once, then the start. What an earlier
 * attempt left is thrown away first, for nobody has used it.
 */
import { randomUUID } from "node:crypto";
import * as path from "node:path";
import type { VirtualDisk } from "../../driver-kit/disk-formats/disk.ts";
import { streamOptimizedVmdk } from "../../driver-kit/disk-formats/stream-optimized-vmdk.ts";
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import { seedGuest } from "../../driver-kit/guest/seeded-guest.ts";
import { bootIsoName, provideBootIso } from "../../driver-kit/images/boot-iso.ts";
import { guestArch } from "../../driver-kit/images/guest-arch.ts";
import type { DiskSource, IsoSource } from "../../driver-kit/images/image-source.ts";
import { parseImageSource } from "../../driver-kit/images/image-source.ts";
import { dataDisk, withImageDisk } from "../../driver-kit/images/open-image.ts";
import { macAddressOf, requireMark } from "../../driver-kit/marks.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { removeFile, writeFileAtomic } from "../../system/files.ts";
import { writeInOrder, writeNewFile } from "../../system/random-access.ts";
import { imageSource } from "./options.ts";
import { launch, startMachine } from "./power.ts";
import { discard } from "./removal.ts";
import { mountOf, sharesOf } from "./shares.ts";
import { vmxText } from "./vmx.ts";
import { fileNames, fileOf, kinds, lookUp, requireNoOther, type Workplace } from "./workplace.ts";

/** Of zlib: the stream is read once, on this computer. */
const fastestLevel = 1;
/** From here on Fusion knows Debian 12 by name, and Workstation likewise. */
const debianSince = { fusion: 13, ws: 17 } as const;
/** Fusion asks in a window whether the machine's hardware is to be made newer, unless this says that it is not. */
const quietSettings = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>disallowUpgrade</key><true/></dict></plist>
`;

/** Returns once the virtual machine runs and that is durable. */
export async function createMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  if (place.config.Created) return await startMachine(place, signal);
  const { config, context, ledger } = place;
  const sight = await lookUp(place, signal);
  requireNoOther(place, sight);
  await discard(place, sight, signal);
  config.MacAddress = macAddressOf("vmware", "primary", requireMark(context.createId).id);
  await ledger.intend(kinds.instance, context.machineName);
  const source = imageSource(config, context.computer.cwd);
  const cds = source.kind === "iso" ? await layOutIso(place, source, signal) : await layOutImage(place, source, signal);
  await context.save();
  await describe(place, cds);
  await launch(place, signal);
  config.Created = true;
  await ledger.note(kinds.instance, fileOf(place, "vmx"), context.machineName);
  await forgetHostKeys(context);
}

/** The disk of an image, and what cloud-init reads. Gives the names of the CDs. */
async function layOutImage(place: Workplace, source: DiskSource, signal: AbortSignal): Promise<readonly string[]> {
  const { config, context } = place;
  const cd = config.ConfigDriveURL === "" ? await seed(place) : await configDrive(place, signal);
  const wish = {
    source,
    arch: guestArch(context.computer.arch, "vmwarefusion"),
    flavour: "genericcloud",
    refresh: config.ImageRefresh,
    prefix: "vmwarefusion",
  } as const;
  await withImageDisk(context, wish, async (disk) => await writeSource(place, disk, signal), signal);
  await convertSource(place, signal);
  return [cd];
}

async function seed(place: Workplace): Promise<string> {
  const { config, context } = place;
  const { sshKeyPath, hostKeys } = await seedGuest(context, {
    userName: config.SSHUser,
    seedFile: fileOf(place, "seed"),
    instanceId: requireMark(context.createId).id,
    userDataFile: config.CloudConfig,
    userDataFlag: "vmwarefusion-cloud-config",
    mounts: sharesOf(config, context.computer.os).map(mountOf),
  });
  config.SSHKeyPath = sshKeyPath;
  config.HostKeys = [...hostKeys];
  return fileNames(context.machineName).seed;
}

/** A CD of the user's says who may log in: with the keys of an agent, or the user's own. */
async function configDrive(place: Workplace, signal: AbortSignal): Promise<string> {
  const { config, context } = place;
  const { configDrive: name } = fileNames(context.machineName);
  const request = { image: "default", checksum: "", isoUrl: config.ConfigDriveURL };
  const source = parseImageSource(request, "vmwarefusion", context.computer.cwd) as IsoSource;
  config.SSHKeyPath = "";
  config.HostKeys = [];
  await provideBootIso(context, source, "vmwarefusion", signal, name);
  return name;
}

/** boot2docker's CD, and the disk that it formats. It makes its host keys by itself. */
async function layOutIso(place: Workplace, source: IsoSource, signal: AbortSignal): Promise<readonly string[]> {
  const { config, context } = place;
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  const more = config.ConfigDriveURL === "" ? [] : [await configDrive(place, signal)];
  config.SSHKeyPath = privateKeyPath;
  config.HostKeys = [];
  await provideBootIso(context, source, "vmwarefusion", signal);
  await writeSource(place, dataDisk([publicKey]), signal);
  await convertSource(place, signal);
  return [bootIsoName, ...more];
}

/** As a stream of compressed grains: small, and written at once. */
async function writeSource(place: Workplace, disk: VirtualDisk, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  const options = { capacityBytes: config.DiskSize * 1024 * 1024, uuid: randomUUID(), level: fastestLevel };
  await inPhase(context, "Writing the disk", async () => {
    const stream = streamOptimizedVmdk(disk, options, signal);
    await writeNewFile(fileOf(place, "source"), async (sink) => await writeInOrder(sink, stream));
  });
}

/** Such a stream cannot be attached; VMware makes a disk of it that grows as it is written to. */
async function convertSource(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, context } = place;
  const [source, target] = [fileOf(place, "source"), fileOf(place, "disk")];
  try {
    const args = ["-r", source, "-t", "0", target];
    await inPhase(context, "Converting the disk", async () => await api.diskManager.run(args, signal, context.operationMs));
  } catch (error) {
    await removeFile(target);
    throw error;
  } finally {
    await removeFile(source);
  }
}

/** Whole or not at all: what is described is started. */
async function describe(place: Workplace, cds: readonly string[]): Promise<void> {
  const { api, config, context } = place;
  const { computer, machineName } = context;
  const text = vmxText({
    name: machineName,
    arch: guestArch(computer.arch, "vmwarefusion"),
    knowsDebian: Number.parseInt(config.ProductVersion, 10) >= debianSince[api.product],
    memoryMiB: config.Memory,
    cpus: config.CPU,
    disk: path.basename(fileOf(place, "disk")),
    cds,
    network: config.NetworkType,
    macAddress: config.MacAddress,
    shares: sharesOf(config, computer.os),
    mark: requireMark(context.createId).setting,
  });
  if (api.product === "fusion") await writeFileAtomic(fileOf(place, "plist"), quietSettings, 0o600);
  await writeFileAtomic(fileOf(place, "vmx"), text, 0o600);
}
