/** What every kind of help, and the pages of the documentation, say of a command in the same words. Pure. */
import type { ProgramName } from "../cli-context.ts";
import type { Command } from "../command.ts";
import type { CliFlag } from "../flags/flag.ts";

/** `docker-machine ls [OPTIONS] [arg...]`. @param flags the command's own, for `create` with the driver's */
export function usageOf(command: Command, flags: readonly CliFlag[], programName: string): string {
  const options = flags.some(({ hidden }) => hidden !== true) ? " [OPTIONS]" : "";
  return `${programName} ${command.name}${options} ${command.argumentText ?? argumentTextOf(command)}`;
}

function argumentTextOf(command: Command): string {
  return command.load !== undefined || command.subcommands === undefined ? "[arg...]" : "COMMAND [arg...]";
}

/** Undefined where its summary says it all. */
export function descriptionOf({ description }: Command, program: ProgramName): string | undefined {
  return typeof description === "function" ? description(program) : description;
}
