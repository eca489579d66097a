/** A disk of others in a machine's folder, which would go with that. */
import { MachineError } from "../../errors/machine-error.ts";

const moveIt = "Move it to another folder, and take it off the virtual machine; then run the command again.";

/** The error that keeps such a machine from being removed. @param hint how the disk gets out of the way */
export function foreignDisk(file: string, machineName: string, hint = moveIt): MachineError {
  const message = `A disk that is not of docker-machine lies in the folder of "${machineName}": ${file}`;
  return new MachineError("driver-failed", message, { hint });
}
