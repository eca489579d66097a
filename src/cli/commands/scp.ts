import { chooseSshBackend } from "../../ssh/connect.ts";
import { copyFiles, parseCopyArgument } from "../../ssh/scp.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { endpointFor } from "../machine-paths.ts";
import { openContext } from "../open-context.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const [source, destination] = await Promise.all(
    args.map(async (text) => await endpointFor(machineContext, parseCopyArgument(text, context.computer.os), text)),
  );
  if (source === undefined || destination === undefined) throw new MachineError("usage", "Improper number of arguments");
  const request = {
    source,
    destination,
    recursive: options.bool("recursive"),
    delta: options.bool("delta"),
    quiet: options.bool("quiet"),
    legacy: options.bool("legacy"),
    signal: context.signal,
  };
  const backend = await chooseSshBackend(context.globals.nativeSsh, machineContext.processes);
  await copyFiles(request, backend, {
    processes: machineContext.processes,
    clock: machineContext.clock,
    computer: machineContext.computer,
    report: context.report,
  });
}
