import type { CliContext } from "../context.ts";
import type { Invocation } from "../command.ts";
import { versionLine } from "../version.ts";
import { MachineError } from "../../errors/machine-error.ts";

/** The program's own version, or the engine's of one machine. */
export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  if (args.length > 0) throw new MachineError("usage", "docker-machine version NAME is not in this build");
  context.print(versionLine(context.program.base));
}
