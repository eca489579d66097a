/** The description of a virtual machine (`.vmx`): lines `KEY = "VALUE"`. No I/O. */
import type { GuestArch } from "../../driver-kit/images/guest-arch.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { shareName, type Share } from "./shares.ts";

/** Version of the virtual hardware: what the oldest products that are supported know, Fusion 12 and Workstation 16; ARM came with Fusion 13. */
const hardware: Readonly<Record<GuestArch, string>> = { x64: "18", arm64: "20" };

/** What the machine prints on its serial port; in its folder. */
export const consoleFile = "console.log";

export interface MachineDescription {
  readonly name: string;
  readonly arch: GuestArch;
  /** Of the product, where it is known: newer ones know Debian. */
  readonly knowsDebian: boolean;
  readonly memoryMiB: number;
  readonly cpus: number;
  /** File names in the machine's folder. */
  readonly disk: string;
  readonly cds: readonly string[];
  readonly network: string;
  readonly macAddress: string;
  readonly shares: readonly Share[];
  /** Key and value by which a create's machine is known. */
  readonly mark: { readonly key: string; readonly value: string };
}

type Lines = Readonly<Record<string, string>>;

/** The text of the file. Throws `driver-options` for a value that it cannot hold. */
export function vmxText(wish: MachineDescription): string {
  const lines: Lines = {
    ".encoding": "UTF-8",
    "config.version": "8",
    "virtualHW.version": hardware[wish.arch],
    "virtualHW.productCompatibility": "hosted",
    guestOS: guestSystem(wish),
    displayName: wish.name,
    [wish.mark.key]: wish.mark.value,
    memsize: String(wish.memoryMiB),
    numvcpus: String(wish.cpus),
    ...bridges,
    ...disk(wish),
    ...cds(wish.cds),
    ...networkCard(wish),
    ...(wish.arch === "x64" ? { firmware: "bios", "hpet0.present": "TRUE" } : { "usb_xhci.present": "TRUE" }),
    ...common,
    ...shares(wish.shares),
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key} = "${checked(value)}"\n`)
    .join("");
}

/** How VMware writes a quote in a value is not documented. */
function checked(value: string): string {
  if (!/["|\p{Cc}]/u.test(value)) return value;
  throw new MachineError("driver-options", `VMware's description of a machine cannot hold ${JSON.stringify(value)}`, {
    hint: "Choose a name or path without quotes, bars and line breaks.",
  });
}

function guestSystem({ arch, knowsDebian }: MachineDescription): string {
  const system = knowsDebian ? "debian12-64" : "other-64";
  return arch === "arm64" ? `arm-${system}` : system;
}

/** The machine's disk: the cloud kernel has no driver for the usual LSI controller, and that is not there on ARM. */
function disk({ arch, disk: file }: MachineDescription): Lines {
  return arch === "arm64"
    ? { "nvme0.present": "TRUE", "nvme0:0.present": "TRUE", "nvme0:0.fileName": file }
    : { "scsi0.present": "TRUE", "scsi0.virtualDev": "pvscsi", "scsi0:0.present": "TRUE", "scsi0:0.fileName": file };
}

function cds(files: readonly string[]): Lines {
  const drives = files.map((file, index) => [
    [`sata0:${index + 1}.present`, "TRUE"],
    [`sata0:${index + 1}.fileName`, file],
    [`sata0:${index + 1}.deviceType`, "cdrom-image"],
  ]);
  return { "sata0.present": "TRUE", ...Object.fromEntries(drives.flat()) };
}

function networkCard({ network, macAddress }: MachineDescription): Lines {
  return {
    "ethernet0.present": "TRUE",
    "ethernet0.connectionType": network,
    "ethernet0.virtualDev": "vmxnet3",
    "ethernet0.addressType": "static",
    "ethernet0.address": macAddress,
    "ethernet0.wakeOnPcktRcv": "FALSE",
    "ethernet0.linkStatePropagation.enable": "TRUE",
  };
}

/** PCI Express for the cards, as VMware's own machines have it. */
const bridges: Lines = {
  "pciBridge0.present": "TRUE",
  ...Object.fromEntries(
    [4, 5, 6, 7].flatMap((index) => [
      [`pciBridge${index}.present`, "TRUE"],
      [`pciBridge${index}.virtualDev`, "pcieRootPort"],
      [`pciBridge${index}.functions`, "8"],
    ]),
  ),
};

/** Questions of the product are answered by itself: nobody sees its window. */
const common: Lines = {
  "floppy0.present": "FALSE",
  "vmci0.present": "TRUE",
  "mem.hotadd": "TRUE",
  "powerType.powerOff": "soft",
  "powerType.powerOn": "soft",
  "powerType.reset": "soft",
  "powerType.suspend": "soft",
  "tools.syncTime": "TRUE",
  "msg.autoAnswer": "TRUE",
  "uuid.action": "create",
  "serial0.present": "TRUE",
  "serial0.fileType": "file",
  "serial0.fileName": consoleFile,
  "serial0.yieldOnMsrRead": "TRUE",
  // Asked at each start but the first.
  "answer.msg.serial.file.open": "Append",
};

function shares(given: readonly Share[]): Lines {
  if (given.length === 0) return { "isolation.tools.hgfs.disable": "TRUE" };
  const entries = given.flatMap((share, index) => [
    [`sharedFolder${index}.present`, "TRUE"],
    [`sharedFolder${index}.enabled`, "TRUE"],
    [`sharedFolder${index}.readAccess`, "TRUE"],
    [`sharedFolder${index}.writeAccess`, "TRUE"],
    [`sharedFolder${index}.hostPath`, share.hostPath],
    [`sharedFolder${index}.guestName`, shareName(share)],
    [`sharedFolder${index}.expiration`, "never"],
  ]);
  return {
    "isolation.tools.hgfs.disable": "FALSE",
    "sharedFolder.maxNum": String(given.length),
    ...Object.fromEntries(entries),
  };
}

/** Keys are compared without case: VMware writes some in another. */
export function parseVmx(text: string): ReadonlyMap<string, string> {
  const found = text.split(/\r?\n/u).flatMap((line): [string, string][] => {
    const [, key, value] = /^\s*([\w.:-]+)\s*=\s*"(.*)"\s*$/u.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key.toLowerCase(), value]];
  });
  return new Map(found);
}

/** File names of disks, as they stand there: relative to the file, or absolute. */
export function disksIn(vmx: ReadonlyMap<string, string>): readonly string[] {
  return [...vmx].flatMap(([key, value]) => (key.endsWith(".filename") && value.toLowerCase().endsWith(".vmdk") ? [value] : []));
}

/** The text with other values for these keys; where a key stands twice, each. Lines and their ends are as they were. */
export function withValues(text: string, changes: Lines): string {
  return Object.entries(changes).reduce((changed, [key, value]) => withValue(changed, key, checked(value)), text);
}

function withValue(text: string, key: string, value: string): string {
  const line = new RegExp(`^([ \\t]*${key.replaceAll(".", "\\.")}[ \\t]*=[ \\t]*)"[^\\r\\n]*"`, "gimu");
  if (parseVmx(text).has(key.toLowerCase())) return text.replaceAll(line, (_, before: string) => `${before}"${value}"`);
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  return `${text}${text.endsWith("\n") ? "" : end}${key} = "${value}"${end}`;
}
