/** What helps where a secret cannot be had from where a machine's record says that it is. */
import * as path from "node:path";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";

/** @param vaultFile in the machine's folder @param secret its name in there */
export function ofMachine(error: unknown, vaultFile: string, secret: string): unknown {
  if (!isMachineError(error, "secret-unavailable")) return error;
  const machine = path.basename(path.dirname(vaultFile));
  return new MachineError(error.code, error.message, {
    cause: error,
    hint: `Make it available there, or tell the machine of another place: docker-machine config set ${machine} ${secret}=REFERENCE`,
  });
}
