import { MachineError } from "../../errors/machine-error.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { findBuiltinDriver } from "../../assembly/driver-catalog.ts";
import { serveWith } from "../../assembly/serve-plugin.ts";

/** A built-in driver as a plugin to another program, which started this one. */
export async function run({ args }: Invocation, context: CliContext): Promise<number> {
  const name = args[0] ?? "";
  const module = await findBuiltinDriver(name);
  if (module === undefined) {
    throw new MachineError("driver-not-found", `There is no built-in driver "${name}" to serve`, {
      hint: "The built-in drivers are listed by: docker-machine driver ls",
    });
  }
  const { computer, streams, redactor, signal, globals } = context;
  return await serveWith(module, { computer, streams, redactor, signal, nativeSsh: globals.nativeSsh });
}
