/** The disk that the machine starts from, made by VBoxManage out of an image that goes through it byte by byte. */
import { formatMeDisk } from "../../driver-kit/guest/format-me-disk.ts";
import { openDisk } from "../../driver-kit/disk-formats/open-disk.ts";
import { requireCapacity } from "../../driver-kit/disk-formats/capacity.ts";
import { feedRaw } from "../../driver-kit/disk-formats/write-raw.ts";
import { provideBootIso } from "../../driver-kit/images/boot-iso.ts";
import { provideDiskImage } from "../../driver-kit/images/disk-image.ts";
import type { GuestArch } from "../../driver-kit/images/guest-arch.ts";
import type { DiskSource } from "../../driver-kit/images/image-source.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { removeTree } from "../../system/disk-files.ts";
import type { InputFeed } from "../../system/process.ts";
import { openByteSource } from "../../system/random-access.ts";
import { importVm } from "./import-vm.ts";
import { imageSource } from "./options.ts";
import { fileOf, vmFiles, type Workplace } from "./workplace.ts";

const mib = 1024 * 1024;

/** What the machine starts from, in its folder. The CD is boot2docker's; undefined where the machine gets one with its keys. */
export interface Disk {
  readonly disk: string;
  readonly cd: string | undefined;
}

/** Makes the disk anew. Throws `image-unusable`, `download-failed`, `disk-full`, `driver-options`. */
export async function provideDisk(place: Workplace, arch: GuestArch, signal: AbortSignal): Promise<Disk> {
  const { config, context } = place;
  const disk = fileOf(place, vmFiles.disk);
  const source = imageSource(config, context.computer.cwd);
  await removeTree(disk);
  if (config.Boot2DockerImportVM !== "") {
    const imported = await importVm(place, disk, signal);
    config.SSHKeyPath = imported.keyFile;
    const cd = await provideBootIso(context, source.kind === "iso" ? source : imported.cd, "virtualbox", signal);
    return { disk, cd };
  }
  if (source.kind !== "iso") {
    await fromImage(place, source, disk, arch, signal);
    return { disk, cd: undefined };
  }
  const cd = await provideBootIso(context, source, "virtualbox", signal);
  await emptyDisk(place, disk, signal);
  return { disk, cd };
}

async function fromImage(
  place: Workplace,
  source: DiskSource,
  file: string,
  arch: GuestArch,
  signal: AbortSignal,
): Promise<void> {
  const { config, context } = place;
  const wish = { source, arch, flavour: "generic", refresh: config.ImageRefresh, prefix: "virtualbox" } as const;
  const image = await provideDiskImage(context, wish, signal);
  config.ImageDigest = image.digest;
  await using bytes = await openByteSource(image.file, image.title);
  const disk = await openDisk(bytes, signal);
  const capacity = requireCapacity(disk, config.DiskSize * mib, { format: "a virtual disk" });
  await inPhase(context, "Writing the disk", async () => {
    const feed: InputFeed = async (write) => await feedRaw(disk, write, disk.sizeBytes, signal);
    await convert(place, file, disk.sizeBytes, capacity, feed, signal);
  });
}

/** boot2docker formats it on its first start. */
async function emptyDisk(place: Workplace, file: string, signal: AbortSignal): Promise<void> {
  const { privateKeyPath, publicKey } = await place.context.ensureSshKey({ type: "rsa" });
  place.config.SSHKeyPath = privateKeyPath;
  const head = formatMeDisk([publicKey]);
  const capacity = place.config.DiskSize * mib;
  await convert(place, file, head.length, capacity, async (write) => await write(head), signal);
}

/**
 * What is missing of the whole is zeros, except on Windows, where VBoxManage wants every byte: there the disk is written as large
 * as its content and made larger afterwards.
 */
async function convert(
  { config, context, tool }: Workplace,
  file: string,
  contentBytes: number,
  capacityBytes: number,
  feed: InputFeed,
  signal: AbortSignal,
): Promise<void> {
  const isWhole = context.computer.os === "windows";
  const size = isWhole ? Math.ceil(contentBytes / mib) * mib : capacityBytes;
  const stdin: InputFeed = async (write) => {
    await feed(write);
    if (isWhole && size > contentBytes) await write(Buffer.alloc(size - contentBytes));
  };
  const target = ["--format", "VDI", "--uuid", config.DiskUuid];
  const facts = { file };
  await tool.run(["convertfromraw", "stdin", file, String(size), ...target], signal, {
    timeoutMs: context.operationMs,
    stdin,
    facts,
  });
  if (size < capacityBytes) await tool.run(["modifymedium", "disk", file, "--resize", String(capacityBytes / mib)], signal);
}
