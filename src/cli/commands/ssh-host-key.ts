import { MachineError } from "../../errors/machine-error.ts";
import type { CliContext } from "../context.ts";
import type { Invocation } from "../command.ts";

export function run(invocation: Invocation, _context: CliContext): Promise<number | void> {
  return Promise.reject(new MachineError("usage", `docker-machine ${invocation.command.name} is not in this build`));
}
