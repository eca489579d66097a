/** What a guest printed on a serial port that its hypervisor writes to a file of this computer. */
import { MachineError } from "../errors/machine-error.ts";
import { factsOf, tailOf } from "../system/disk-files.ts";

/** A guest that boots for years writes more than anybody reads. */
const mostBytes = 1_048_576;

/** The end of it. Throws `driver-unsupported` where nothing is written there. @param wayOut the hint then */
export async function readConsoleLog(file: string, machineName: string, wayOut: string): Promise<string> {
  if ((await factsOf(file)) === undefined) throw noConsole(machineName, wayOut);
  return await tailOf(file, mostBytes);
}

/** The error of a machine whose console is not kept. */
export function noConsole(machineName: string, wayOut: string): MachineError {
  return new MachineError("driver-unsupported", `What "${machineName}" prints on its console is kept nowhere`, { hint: wayOut });
}
