import { MachineError } from "../../errors/machine-error.ts";
import { checkCreate, createMachine, planCreate } from "../../machine/create.ts";
import { expandNames } from "../../machine/names.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import type { DriverModule } from "../../driver-kit/driver.ts";
import { overlayOptions, type DriverOptions } from "../../driver-kit/create-flag.ts";
import type { Invocation } from "../command.ts";
import type { CliContext, ProgressView } from "../cli-context.ts";
import { valueOfTexts } from "../flags/parse-flags.ts";
import { openContext } from "../open-context.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const [first = "", ...others] = args;
  if (first === "") {
    await context.showHelp();
    throw new MachineError("usage", "Error: No machine name specified");
  }
  if (context.compat && others.length > 0) throw extraArguments(others);
  const names = expandNames(args);
  const driverName = options.string("driver");
  // Until the machines are shown, what there is to say is the command's own.
  let shown: Pick<ProgressView, "reportFor"> = { reportFor: () => context.report };
  const machineContext = openContext(context, (name) => shown.reportFor(name));
  const module = await machineContext.findDriver(driverName);
  const optionsOf = optionsPerName(module, options, names);
  if (options.bool("dry-run")) {
    for (const name of names)
      context.print((await planCreate(machineContext, { name, driverName, options: optionsOf(name) }, context.signal)).trimEnd());
    return;
  }
  const atATime = machinesAtATime(module, options);
  // Of several, none is begun where one is wrong: ten machines are not made for the sake of a slip in the eleventh.
  if (names.length > 1) {
    const check = async (name: string): Promise<void> =>
      await checkCreate(machineContext, { name, driverName, options: optionsOf(name) }, context.signal);
    throwFailures(await forEachMachine(names, atATime, check));
  }
  const view = await context.showProgress(names);
  shown = view;
  try {
    const outcomes = await forEachMachine(names, atATime, async (name) => {
      try {
        await createMachine(machineContext, { name, driverName, options: optionsOf(name) }, context.signal);
        view.finish(name);
      } catch (error) {
        view.finish(name, error);
        throw error;
      }
    });
    view.close();
    for (const { name, error } of outcomes) if (error === undefined) sayHowToConnect(context, name);
    throwFailures(outcomes);
  } finally {
    view.close();
  }
}

/** Provisioning is mostly waiting for the other side: twenty at a time hardly load this computer. 0.16.2's flags have no number: it takes one name. */
function machinesAtATime({ capabilities }: DriverModule, options: Invocation["options"]): number {
  const wanted = options.int("parallel");
  if (wanted < 1 && !options.isSet("parallel")) return 1;
  if (wanted < 1) throw new MachineError("usage", `--parallel ${wanted}: at least one machine is made at a time`);
  return capabilities.parallelCreate ? wanted : 1;
}

function sayHowToConnect(context: CliContext, name: string): void {
  if (context.globals.output === "json") return;
  const connect = `${context.program.path} env ${name}`;
  context.print(`To see how to connect your Docker Client to the Docker Engine running on this virtual machine, run: ${connect}`);
}

/** With several names a per-name flag is given once for each, in their order, or once for all where that makes sense. */
function optionsPerName(
  module: DriverModule,
  options: Invocation["options"],
  names: readonly string[],
): (name: string) => DriverOptions {
  if (names.length === 1) return () => options;
  const perName = module.capabilities.perNameFlags.flatMap((name) => module.flags.filter((flag) => flag.name === name));
  const lists = perName.flatMap((flag) => {
    const given = options.occurrences(flag.name);
    if (given.length <= 1 && !identifies(module, flag.name)) return [];
    if (given.length === names.length || given.length === 0) return given.length === 0 ? [] : [{ flag, given }];
    throw extraArguments(
      names.slice(1),
      `To create ${names.length} machines at once, give --${flag.name} ${names.length} times, once for each name.`,
    );
  });
  return (name) => {
    const index = names.indexOf(name);
    return overlayOptions(
      options,
      Object.fromEntries(lists.map(({ flag, given }) => [flag.name, valueOfTexts(flag, [given[index] ?? ""])])),
    );
  };
}

function extraArguments(names: readonly string[], hint?: string): MachineError {
  return new MachineError("usage", `Invalid command line. Found extra arguments [${names.join(" ")}]`, { hint });
}

/** The first per-name flag is what tells one machine from another: it cannot be shared. */
function identifies(module: DriverModule, flag: string): boolean {
  return module.capabilities.perNameFlags[0] === flag;
}
