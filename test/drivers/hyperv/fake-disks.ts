/** Disks and CDs as the stand-in for Hyper-V reads and converts them: what a file is, tells its content. */
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readCd } from "../../support/iso-reader.ts";
import { PowerShellError } from "./cmdlet-rules.ts";
import type { PowerShellObject } from "./fake-model.ts";

/** An error of one of Hyper-V's cmdlets. */
export const invalid = (id: string, message: string): PowerShellError =>
  new PowerShellError(`${id},Microsoft.HyperV.PowerShell`, message);

export function requireCd(file: string): string {
  if (!existsSync(file)) throw invalid("ObjectNotFound", `Die Datei ${file} fehlt. (0x80070002)`);
  if (readCd(file) === undefined) throw invalid("InvalidParameter", `${file} ist kein CD-Abbild`);
  return file;
}

/** What stands for a VHDX: its first bytes, and the disk it was made of. */
const vhdxMagic = "vhdxfile";

/** Throws unless it is a disk of the kind that its name says, whole and without holes. */
export function requireDisk(file: string, generation: number): void {
  if (!existsSync(file)) throw invalid("ObjectNotFound", `Die Datei ${file} fehlt. (0x80070002)`);
  const { size, blocks } = statSync(file);
  if (blocks * 512 < size / 2)
    throw invalid("InvalidParameter", `${file} darf nicht komprimiert oder spärlich sein. (0xC03A001A)`);
  const isVhdx = file.toLowerCase().endsWith(".vhdx");
  if (!isVhdx && generation === 2) throw invalid("InvalidParameter", "Generation 2 nimmt nur VHDX");
  const magic = isVhdx ? headOf(file, 0, 8) : headOf(file, size - 512, 8);
  if (magic !== (isVhdx ? vhdxMagic : "conectix")) throw invalid("InvalidParameter", `${file} ist beschädigt. (0xC03A0005)`);
}

export function convert(source: string, destination: string, deletesSource: boolean): readonly PowerShellObject[] {
  requireDisk(source, 1);
  if (!/\.vhdx$/iu.test(destination)) throw invalid("InvalidParameter", "Die Endung bestimmt das Format");
  if (existsSync(destination)) throw invalid("ObjectAlreadyExists", `${destination} ist vorhanden. (0x80070050)`);
  try {
    writeFileSync(destination, Buffer.concat([Buffer.from(vhdxMagic), readFileSync(source)]));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    throw invalid("OperationFailed", "Auf dem Datenträger ist nicht genügend Speicherplatz. (0x80070070)");
  }
  if (deletesSource) rmSync(source);
  return [];
}

function headOf(file: string, offset: number, length: number): string {
  const handle = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(length);
    readSync(handle, bytes, 0, length, offset);
    return bytes.toString("latin1");
  } finally {
    closeSync(handle);
  }
}
