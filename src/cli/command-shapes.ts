/** What the tables of commands say in the same words: which arguments a command takes, and how many. */
import type { Arity } from "./command.ts";
import { selectionFlags } from "./selection/selection-flags.ts";

export const noArguments: Arity = { max: 0, message: "Error: Too many arguments given" };
export const oneMachine: Arity = { max: 1, message: "Error: Expected one machine name as an argument" };

/** @param what `one ticket as an argument` */
export function expects(what: string, min: number, max = Number.POSITIVE_INFINITY): Arity {
  return { min, max, message: `Error: Expected ${what}`, showHelp: true };
}

export const argumentIsMachine = "Argument is a machine name.";
export const argumentsAreMachines = "Argument(s) are one or more machine names.";

export const onMachine = { description: argumentIsMachine, arity: oneMachine } as const;

/** Of a command on machines, named or selected, that has no flags of its own. */
export const onMachines = {
  description: argumentsAreMachines,
  argumentText: "NAME...",
  flags: selectionFlags,
  selects: true,
} as const;
