/** What VMware takes as the description of a virtual machine: how the file is written, what it must say, and what must be there. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from "node:fs";
import * as path from "node:path";
import { readCd } from "../../support/iso-reader.ts";

export interface Host {
  readonly arch: "x64" | "arm64";
  /** Newest virtual hardware that the product knows. */
  readonly hardware: number;
}

const required = ["config.version", "virtualHW.version"] as const;

/** Keys and values, or why the product cannot read them. */
export function parseDescription(text: string): ReadonlyMap<string, string> | string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines[0] !== '.encoding = "UTF-8"') return "the first line is not the encoding";
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, key, value] = /^([\w.:-]+) = "([^"|]*)"$/u.exec(line) ?? [];
    if (key === undefined || value === undefined) return `not a line: ${line}`;
    if (found.has(key)) return `twice: ${key}`;
    found.set(key, value);
  }
  const lacking = required.filter((key) => !found.has(key));
  return lacking.length === 0 ? found : `without ${lacking.join(", ")}`;
}

/** Why the product does not start this machine, in its own words where they are known; undefined where it does. */
export function startProblem(vmx: string, description: ReadonlyMap<string, string>, host: Host): string | undefined {
  const of = (key: string): string => description.get(key) ?? "";
  const folder = path.dirname(vmx);
  if (of("guestOS") === "") return "The configuration file does not specify a guest operating system";
  if (host.arch === "arm64" && !of("guestOS").startsWith("arm-")) return "This virtual machine is for another architecture";
  if (host.arch === "x64" && of("guestOS").startsWith("arm-")) return "This virtual machine is for another architecture";
  if (Number(of("virtualHW.version")) > host.hardware) return "This virtual machine's hardware is newer than this product";
  if (!(Number(of("memsize")) >= 4) || Number(of("memsize")) % 4 !== 0) return "The memory size is invalid";
  if (!(Number(of("numvcpus")) >= 1)) return "The number of processors is invalid";
  if (
    of("ethernet0.addressType") === "static" &&
    !/^00:50:56:[0-3][0-9a-f]:[0-9a-f]{2}:[0-9a-f]{2}$/u.test(of("ethernet0.address"))
  )
    return "The MAC address is not in the range for addresses chosen by hand";
  if (host.arch === "arm64" && (description.has("ide0:0.present") || of("scsi0.virtualDev") === "lsilogic"))
    return "This controller is not available on ARM";
  const serial = of("serial0.fileName");
  const asks =
    of("serial0.fileType") === "file" && existsSync(path.resolve(folder, serial)) && of("answer.msg.serial.file.open") === "";
  if (asks) return `The file ${serial} exists: replace it, or append to it?`;
  const hasController = [...description.keys()].filter((key) => /^(?:scsi|nvme|sata)\d+:\d+\.fileName$/u.test(key));
  for (const key of hasController) {
    const [controller = ""] = key.split(":");
    if (of(`${controller}.present`) !== "TRUE") return `There is no controller ${controller}`;
    const file = path.resolve(folder, of(key));
    if (!existsSync(file)) return `Cannot find the file ${file}`;
    if (of(key.replace("fileName", "deviceType")) === "cdrom-image") {
      if (readCd(file) === undefined) return `${file} is not a CD image`;
    } else {
      const problem = diskProblem(file);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

/** A stream of compressed grains is for transfers only. */
function diskProblem(file: string): string | undefined {
  const head = headOf(file, 4096);
  const isSparse = head.toString("latin1", 0, 4) === "KDMV";
  if (isSparse && (head.readUInt32LE(8) & 0x1_0000) !== 0) return `${file} is compressed and cannot be attached`;
  const isFlat = head.toString("latin1", 0, 21) === "# Disk DescriptorFile" && head.includes("monolithicFlat");
  return isSparse || isFlat ? undefined : `${file} is not a virtual disk`;
}

export function headOf(file: string, length: number): Buffer {
  const handle = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(length);
    readSync(handle, bytes, 0, length, 0);
    return bytes;
  } finally {
    closeSync(handle);
  }
}

const sectorBytes = 512;

/** Capacity in bytes of a whole stream of compressed grains; undefined for anything else. */
export function streamCapacity(file: string): number | undefined {
  const bytes = readFileSync(file);
  const isStream =
    bytes.length >= 4 * sectorBytes && bytes.toString("latin1", 0, 4) === "KDMV" && bytes.readUInt32LE(8) === 0x3_0001;
  // The header again, with the place of the directory, and the end of the stream behind it.
  const footer = bytes.subarray(-2 * sectorBytes, -sectorBytes);
  const isWhole = footer.toString("latin1", 0, 4) === "KDMV" && bytes.subarray(-sectorBytes).every((byte) => byte === 0);
  return isStream && isWhole ? Number(bytes.readBigUInt64LE(12)) * sectorBytes : undefined;
}
