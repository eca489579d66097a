/** What commands on machines share: which machines are meant, and one line of result or error for each. */
import { MachineError } from "../errors/machine-error.ts";
import { expandNames } from "../machine/names.ts";
import { forEachMachine, throwFailures } from "../machine/many.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import type { CliContext } from "./cli-context.ts";
import { openContext } from "./open-context.ts";

const defaultMachine = "default";
/** Machines worked on at the same time: more gain nothing on the machine that waits for them. */
const atOnce = 16;

/** The names given, or `default` where there is such a machine. */
export async function namesOrDefault(machineContext: MachineContext, args: readonly string[]): Promise<string[]> {
  if (args.length > 0) return expandNames(args);
  if (await machineContext.store.has(defaultMachine)) return [defaultMachine];
  throw new MachineError("usage", 'Error: No machine name(s) specified and no "default" machine exists');
}

/** The one name given, or `default`. */
export async function nameOrDefault(machineContext: MachineContext, args: readonly string[]): Promise<string> {
  const [name = defaultMachine, ...others] = await namesOrDefault(machineContext, args);
  if (others.length > 0) throw new MachineError("usage", "Error: Expected one machine name as an argument");
  return name;
}

/**
 * Does the work on every machine in parallel, showing progress. Then come the lines of result, in the order of the
 * names, and every failure is thrown.
 */
export async function workOnMachines<T>(
  context: CliContext,
  args: readonly string[],
  work: (machineContext: MachineContext, name: string) => Promise<T>,
  resultLine: (value: T, name: string) => string = () => "",
): Promise<void> {
  const names = await namesOrDefault(openContext(context), args);
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
  args: readonly string[],
  read: (machineContext: MachineContext, name: string) => Promise<T>,
  lineOf: (fact: T) => string,
): Promise<void> {
  const machineContext = openContext(context);
  const outcomes = await forEachMachine(
    await namesOrDefault(machineContext, args),
    atOnce,
    async (name) => await read(machineContext, name),
  );
  const facts = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]));
  if (context.globals.output === "json") context.printJson(facts);
  else for (const fact of facts) context.print(lineOf(fact));
  throwFailures(outcomes);
}

/** After a start the provider may have given another address. */
export function sayAddressesMayChange(context: CliContext): void {
  const command = `\`${context.program.base} env\``;
  context.report({
    type: "log",
    level: "info",
    text: `Started machines may have new IP addresses. You may need to re-run the ${command} command.`,
  });
}
