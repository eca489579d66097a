/** How large a disk is written: as large as was asked for, never smaller than its image. */
import { MachineError } from "../../errors/machine-error.ts";
import { sectorBytes, type VirtualDisk } from "./disk.ts";

const mib = 1 << 20;

export interface CapacityLimits {
  /** What the format is called in messages. */
  readonly format: string;
  /** Capacities are whole numbers of these. */
  readonly unitBytes?: number | undefined;
  readonly mostBytes?: number | undefined;
}

/**
 * The capacity to write, rounded up to what the format can tell. Throws `driver-options` when the image does not fit
 * into what was asked for, or what was asked for into the format.
 */
export function requireCapacity(disk: VirtualDisk, wantedBytes: number, limits: CapacityLimits): number {
  const { format, unitBytes = sectorBytes, mostBytes = Number.MAX_SAFE_INTEGER - unitBytes } = limits;
  if (!(wantedBytes >= disk.sizeBytes)) {
    throw new MachineError(
      "driver-options",
      `A disk of ${inMib(wantedBytes)} is too small for its image of ${inMib(disk.sizeBytes)}`,
      {
        hint: `Ask for a disk of at least ${Math.ceil(disk.sizeBytes / mib)} MiB, or give a smaller image.`,
      },
    );
  }
  if (wantedBytes > mostBytes) {
    throw new MachineError("driver-options", `A disk of ${inMib(wantedBytes)} is too large for ${format}`, {
      hint: `Ask for a disk of at most ${Math.floor(mostBytes / mib)} MiB.`,
    });
  }
  return Math.ceil(wantedBytes / unitBytes) * unitBytes;
}

function inMib(bytes: number): string {
  return `${Number.isInteger(bytes / mib) ? bytes / mib : (bytes / mib).toFixed(1)} MiB`;
}
