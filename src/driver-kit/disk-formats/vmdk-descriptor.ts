/** The text that describes a VMDK, within it or beside it (VMware's Virtual Disk Format 5.0). */
import { sectorBytes } from "./disk.ts";

export interface VmdkDescription {
  readonly createType: "streamOptimized" | "monolithicFlat";
  readonly capacityBytes: number;
  /** The disk's identity, whose first digits are what VMware tells versions of a disk apart by. */
  readonly uuid: string;
  /** How the disk's bytes are kept, and in which file. */
  readonly extent: string;
}

/** What every disk of ours says that is not IDE; products look at it as a hint. */
const [heads, sectors] = [255, 63];

export function vmdkDescriptor({ createType, capacityBytes, uuid, extent }: VmdkDescription): string {
  const cylinders = Math.max(1, Math.floor(capacityBytes / sectorBytes / (heads * sectors)));
  return `${[
    "# Disk DescriptorFile",
    "version=1",
    'encoding="UTF-8"',
    `CID=${contentId(uuid)}`,
    "parentCID=ffffffff",
    `createType="${createType}"`,
    "",
    "# Extent description",
    `RW ${capacityBytes / sectorBytes} ${extent}`,
    "",
    "# The Disk Data Base",
    "#DDB",
    "",
    'ddb.virtualHWVersion = "4"',
    `ddb.geometry.cylinders = "${cylinders}"`,
    `ddb.geometry.heads = "${heads}"`,
    `ddb.geometry.sectors = "${sectors}"`,
    'ddb.adapterType = "lsilogic"',
    // Without one of its own VirtualBox takes a disk for another each time it looks.
    `ddb.uuid.image="${uuid}"`,
    `ddb.uuid.parent="${noParent}"`,
    `ddb.uuid.modification="${noParent}"`,
    `ddb.uuid.parentmodification="${noParent}"`,
  ].join("\n")}\n`;
}

const noParent = "00000000-0000-0000-0000-000000000000";

/** Never ffffffff, which means that there is no parent, nor fffffffe. */
function contentId(uuid: string): string {
  return (Number.parseInt(uuid.slice(0, 8), 16) & 0x7fff_ffff).toString(16).padStart(8, "0");
}
