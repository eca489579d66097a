/** What commands on machines share: progress, and one line of result or error for each. */
import { MachineError } from "../errors/machine-error.ts";
import { forEachMachine, throwFailures } from "../machine/many.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import type { CliContext } from "./cli-context.ts";
import type { Invocation } from "./command.ts";
import { openContext } from "./open-context.ts";
import { isAgreed, namesOrDefault, selectedNames, type Selection } from "./selection/select-machines.ts";

/** Machines worked on at the same time: more gain nothing on the machine that waits for them. */
export const atOnce = 16;

/** The one name given, or `default`. */
export async function nameOrDefault(machineContext: MachineContext, args: readonly string[]): Promise<string> {
  const [name = "", ...others] = await namesOrDefault(machineContext, args);
  if (others.length > 0) throw new MachineError("usage", "Error: Expected one machine name as an argument");
  return name;
}

/**
 * Does the work on every machine that is selected in parallel, showing progress. Then come the lines of result, in the order of the
 * names, and every failure is thrown. False where the user, asked about a selection, said no.
 */
export async function workOnMachines<T>(
  context: CliContext,
  invocation: Invocation,
  work: (machineContext: MachineContext, name: string) => Promise<T>,
  resultLine: (value: T, name: string) => string = () => "",
): Promise<boolean> {
  const names = await selectedNames(openContext(context), invocation, context);
  if (invocation.command.cutsOff === true && !(await isAgreed(invocation, names, context))) return false;
  await workOnNamed(context, names, work, resultLine);
  return true;
}

/** As {@link workOnMachines}, where the names are known. */
export async function workOnNamed<T>(
  context: CliContext,
  names: readonly string[],
  work: (machineContext: MachineContext, name: string) => Promise<T>,
  resultLine: (value: T, name: string) => string = () => "",
): Promise<void> {
  const view = await context.showProgress(names);
  const machineContext = openContext(context, (name) => view.reportFor(name));
  try {
    const outcomes = await forEachMachine(names, atOnce, async (name) => {
      try {
        const value = await work(machineContext, name);
        view.finish(name);
        return value;
      } catch (error) {
        view.finish(name, error);
        throw error;
      }
    });
    view.close();
    for (const { name, value, error } of outcomes) {
      const line = error === undefined ? resultLine(value as T, name) : "";
      if (line === "") continue;
      if (context.globals.output === "text") context.print(line);
      else view.reportFor(name)({ type: "log", level: "info", text: line });
    }
    throwFailures(outcomes);
  } finally {
    view.close();
  }
}

/** Asks every machine for a fact; they are printed in the order of the names, the failures thrown at the end. */
export async function readMachines<T>(
  context: CliContext,
  selection: Selection,
  read: (machineContext: MachineContext, name: string) => Promise<T>,
  lineOf: (fact: T) => string | readonly string[],
): Promise<void> {
  await readNamed(context, await selectedNames(openContext(context), selection, context), read, lineOf);
}

/** As {@link readMachines}, where the names are known. */
export async function readNamed<T>(
  context: CliContext,
  names: readonly string[],
  read: (machineContext: MachineContext, name: string) => Promise<T>,
  lineOf: (fact: T) => string | readonly string[],
): Promise<void> {
  const machineContext = openContext(context);
  const outcomes = await forEachMachine(names, atOnce, async (name) => await read(machineContext, name));
  const facts = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]));
  if (context.globals.output === "json") context.printJson(facts);
  else for (const line of facts.flatMap(lineOf)) context.print(line);
  throwFailures(outcomes);
}

/** After a start the provider may have given another address. */
export function sayAddressesMayChange(
  begun: "Started" | "Restarted",
  context: { readonly program: Pick<CliContext["program"], "base">; readonly report: CliContext["report"] },
): void {
  const command = `\`${context.program.base} env\``;
  context.report({
    type: "log",
    level: "info",
    text: `${begun} machines may have new IP addresses. You may need to re-run the ${command} command.`,
  });
}
