/** Whether a file that someone brings can be booted here, told before anything is made of it. */
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf, headOf, removeTree } from "../../system/disk-files.ts";
import { lastLineOf } from "../../system/last-line.ts";
import type { ProcessRunner } from "../../system/process.ts";
import { readDiskHeader, type DiskFacts } from "./disk-header.ts";
import { archNames, type GuestArch } from "./guest-arch.ts";

const toolTimeoutMs = 120_000;
/** Protective MBR, GPT header and its entries. */
const headBytes = 64 * 1024;

/** Throws `image-unusable` where the file that an image is to be is not there. */
export async function requireImageFile(source: { readonly kind: string; readonly file?: string | undefined }): Promise<void> {
  if (source.file !== undefined && (await factsOf(source.file)) === undefined)
    throw new MachineError("image-unusable", `The image ${source.file} does not exist`);
}

/** A file, and what messages call it: the file may be a copy. */
export interface NamedDisk {
  readonly file: string;
  readonly name: string;
  /** The driver's name: messages name its flags. */
  readonly prefix: string;
}

/**
 * What the disk is. Throws `image-unusable` for a file that is no disk, is damaged, reaches for other files, or has no boot
 * loader for this architecture. `qemu-img` looks closest; without it the header counts, and the boot loader of a raw
 * disk.
 */
export async function examineDisk(
  processes: ProcessRunner,
  disk: NamedDisk,
  arch: GuestArch,
  signal: AbortSignal,
): Promise<DiskFacts> {
  if ((await processes.find("qemu-img")) === undefined) return await examineHead(disk, arch);
  const facts = await inspectDisk(processes, disk, signal);
  await requireBootable(processes, disk, facts.format, arch, signal);
  return facts;
}

async function examineHead(disk: NamedDisk, arch: GuestArch): Promise<DiskFacts> {
  const head = await headOf(disk.file, headBytes);
  const found = readDiskHeader(head, (await factsOf(disk.file))?.sizeBytes ?? 0);
  const problem = "problem" in found ? found.problem : found.format === "raw" ? bootProblem(head, arch) : undefined;
  if (problem !== undefined || "problem" in found) throw unusable(disk, problem ?? "");
  return found;
}

async function inspectDisk(processes: ProcessRunner, disk: NamedDisk, signal: AbortSignal): Promise<DiskFacts> {
  const { file } = disk;
  const options = { signal, timeoutMs: toolTimeoutMs };
  const info = await processes.run("qemu-img", ["info", "--output=json", file], options);
  if (info.status !== 0) throw unusable(disk, lastLineOf(info.stderr));
  const facts = JSON.parse(info.stdout.toString("utf8")) as QemuImgInfo;
  if (facts.format !== "qcow2" && facts.format !== "raw") throw unusable(disk, `its format is ${facts.format}, not qcow2 or raw`);
  // Such an image would show the guest whatever file of this computer it names.
  if (facts["backing-filename"] !== undefined || facts["format-specific"]?.data?.["data-file"] !== undefined) {
    throw unusable(disk, "it refers to another file; flatten it with: qemu-img convert -O qcow2");
  }
  if (facts.format === "qcow2") await checkConsistency(processes, disk, options);
  return { format: facts.format, virtualSizeBytes: facts["virtual-size"] };
}

interface QemuImgInfo {
  readonly format: string;
  readonly "virtual-size": number;
  readonly "backing-filename"?: string;
  readonly "format-specific"?: { readonly data?: Readonly<Record<string, unknown>> };
}

async function checkConsistency(
  processes: ProcessRunner,
  disk: NamedDisk,
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<void> {
  const check = await processes.run("qemu-img", ["check", "-q", "-f", "qcow2", disk.file], options);
  // 3 = leaked clusters only, which cost space and nothing else (qemu-img(1)).
  if (check.status !== 0 && check.status !== 3) throw unusable(disk, `it is damaged: ${lastLineOf(check.stderr)}`);
}

async function requireBootable(
  processes: ProcessRunner,
  disk: NamedDisk,
  format: string,
  arch: GuestArch,
  signal: AbortSignal,
): Promise<void> {
  const sample = `${disk.file}.head`;
  try {
    const args = ["dd", "-f", format, "-O", "raw", `bs=${headBytes}`, "count=1", `if=${disk.file}`, `of=${sample}`];
    const result = await processes.run("qemu-img", args, { signal, timeoutMs: toolTimeoutMs });
    if (result.status !== 0) throw unusable(disk, lastLineOf(result.stderr));
    const problem = bootProblem(await headOf(sample, headBytes), arch);
    if (problem !== undefined) throw unusable(disk, problem);
  } finally {
    await removeTree(sample);
  }
}

const sectorBytes = 512;
const gptEntriesOffset = 2 * sectorBytes;
const gptEntryBytes = 128;
const gptEntries = 128;

/** Partition types of the Discoverable Partitions Specification and of boot loaders, as they stand in GPT entries. */
const partitionTypes: Readonly<Record<string, "x64" | "arm64" | "other" | "bios-boot">> = {
  "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "x64",
  "b921b045-1df0-41c3-af44-4c6f280d3fae": "arm64",
  "44479540-f297-41b2-9af7-d131d5f0458a": "other",
  "69dad710-2ce4-4e3c-b16c-21a1d49abed3": "other",
  "72ec70a6-cf74-40e6-bd49-4bda08e8f224": "other",
  "c31c45e6-3f39-412e-80fb-4809c4980599": "other",
  "21686148-6449-6e6f-744e-656564454649": "bios-boot",
};

/** Why a disk that begins with these bytes does not boot on the architecture; undefined when nothing speaks against it. */
export function bootProblem(head: Buffer, arch: GuestArch): string | undefined {
  if (head.length < sectorBytes || head.readUInt16LE(510) !== 0xaa55)
    return "it has no partition table, so it is no bootable disk";
  const types = gptTypes(head);
  const foreign = types.includes("other") || types.includes(arch === "x64" ? "arm64" : "x64");
  const { debian } = archNames[arch];
  if (foreign && !types.includes(arch)) return `it is for another architecture than this computer's (${debian})`;
  // PC firmware runs the first sector; images for other architectures leave it empty.
  if (arch === "x64" && head.subarray(0, 64).every((byte) => byte === 0))
    return `it has no boot code for a PC (${debian}): it is for another architecture, or for UEFI only`;
  return undefined;
}

function gptTypes(head: Buffer): readonly string[] {
  if (head.toString("latin1", sectorBytes, sectorBytes + 8) !== "EFI PART") return [];
  const entries = Array.from({ length: gptEntries }, (_, index) => gptEntriesOffset + index * gptEntryBytes);
  return entries
    .filter((offset) => offset + 16 <= head.length)
    .map((offset) => partitionTypes[formatGuid(head.subarray(offset, offset + 16))] ?? "");
}

/** The first three groups are little-endian (UEFI specification, appendix A). */
export function formatGuid(bytes: Buffer): string {
  const groups = [
    Buffer.from(bytes.subarray(0, 4)).reverse(),
    Buffer.from(bytes.subarray(4, 6)).reverse(),
    Buffer.from(bytes.subarray(6, 8)).reverse(),
    bytes.subarray(8, 10),
    bytes.subarray(10, 16),
  ];
  return groups.map((group) => group.toString("hex")).join("-");
}

function unusable({ name, prefix }: NamedDisk, reason: string): MachineError {
  return new MachineError("image-unusable", `The image ${name} cannot be used: ${reason}`, {
    hint: `Give --${prefix}-image another image: default, a qcow2 or raw file, or a URL.`,
  });
}
