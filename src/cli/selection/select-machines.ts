/** Which machines a command is for: those named, those that a filter selects, all, or `default`. */
import { MachineError } from "../../errors/machine-error.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { expandNames } from "../../machine/names.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { isSelected } from "./selection-flags.ts";

const defaultMachine = "default";

/** What of an invocation says which machines are meant. */
export type Selection = Pick<Invocation, "options" | "args">;

/** The names given, or `default` where there is such a machine. */
export async function namesOrDefault({ store }: MachineContext, args: readonly string[]): Promise<string[]> {
  if (args.length > 0) return expandNames(args);
  if (await store.has(defaultMachine)) return [defaultMachine];
  throw new MachineError("usage", 'Error: No machine name(s) specified and no "default" machine exists');
}

/** Throws `usage` where names and a selection are given, `filter-invalid`, and `nothing-selected`: nothing is never all. */
export async function selectedNames(
  machineContext: MachineContext,
  { options, args }: Selection,
  context: Pick<CliContext, "report" | "signal">,
): Promise<string[]> {
  if (!isSelected(options)) return await namesOrDefault(machineContext, args);
  if (args.length > 0) {
    throw new MachineError("usage", `Error: Machines are given by name (${args.join(" ")}) and by --filter or --all`, {
      hint: "Give the one or the other. A name is a filter too: --filter name=^web-1$",
    });
  }
  const filters = options.strings("filter");
  if (filters.length === 0) return await allNames(machineContext);
  return await (await import("./filtered-names.ts")).filteredNames(machineContext, filters, context);
}

async function allNames({ store }: MachineContext): Promise<string[]> {
  const names = (await store.list()).sort();
  if (names.length > 0) return names;
  throw new MachineError("nothing-selected", "There are no machines in this store");
}

/**
 * For a command that cuts machines off: shows those that were selected, and asks. Who named them has said what is meant.
 * False for a no. Throws `usage` where nobody answers.
 */
export async function isAgreed(
  { command, options }: Invocation,
  names: readonly string[],
  context: Pick<CliContext, "print" | "confirm">,
): Promise<boolean> {
  if (!isSelected(options) || options.bool("y")) return true;
  context.print(`About to ${command.name} ${names.join(", ")}`);
  return await isConfirmed("Are you sure?", command.name, context);
}

/** False for a no. Throws `usage` where nobody answers. */
export async function isConfirmed(question: string, verb: string, context: Pick<CliContext, "confirm">): Promise<boolean> {
  const answer = await context.confirm(question, "\n");
  if (answer !== undefined) return answer;
  throw nobodyAnswered(verb);
}

export function nobodyAnswered(verb: string): MachineError {
  return new MachineError("usage", `Nobody answered whether to ${verb} what was selected`, {
    hint: "Where there is nobody to ask, give -y.",
  });
}
