/** Errors of a store in 0.16.2's words. */
import { MachineError } from "../errors/machine-error.ts";
import { didYouMean } from "../errors/nearest.ts";

/** @param names machines that there are */
export function machineNotFound(name: string, names: readonly string[] = []): MachineError {
  return new MachineError(
    "machine-not-found",
    `Docker machine ${JSON.stringify(name)} does not exist. Use "docker-machine ls" to list machines. Use "docker-machine create" to add a new one.`,
    { hint: didYouMean(name, names) },
  );
}

/** `existing` is the name that is in the store: the same, or one that differs only in case. */
export function machineExists(name: string, existing: string): MachineError {
  if (existing === name)
    return new MachineError("machine-exists", `Docker machine "${name}" already exists`, { hint: "Choose another name." });
  return new MachineError("machine-exists", `Docker machine "${existing}" already exists`, {
    hint: `"${name}" differs from it only in case, and the two could not live in one folder on every computer. Choose another name.`,
  });
}

export function nameInvalid(): MachineError {
  return new MachineError("machine-name-invalid", "Invalid hostname specified. Allowed hostname chars are: 0-9a-zA-Z . -");
}
