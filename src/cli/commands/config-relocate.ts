/** `config relocate NAME...|--all`: writes the paths of the store in use into records that were made in another place. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { relocateMachine, type Relocation } from "../../machine/host/moved-store.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import { expandNames } from "../../machine/names.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";

const atOnce = 16;

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const all = options.bool("all");
  if (all === args.length > 0) throw new MachineError("usage", "Error: Expected machine names or --all as arguments");
  const names = all ? (await machineContext.store.list()).sort() : expandNames(args);
  const outcomes = await forEachMachine(
    names,
    atOnce,
    async (name) => await relocateMachine(machineContext, name, context.signal),
  );
  const done = outcomes.flatMap(({ value }) => value ?? []);
  if (context.globals.output === "json") context.printJson(done);
  else for (const each of done) say(each, context);
  throwFailures(outcomes);
}

function say({ name, from, left }: Relocation, context: CliContext): void {
  if (from === undefined) context.print(`"${name}" is at home in this store`);
  else if (left.length === 0) context.print(`"${name}" was made in ${from}; its record names this store now`);
  for (const file of left)
    logTo(
      context.report,
      "warn",
      `"${name}" still names ${file}: there is nothing in its place in this store. Put it there and run this again.`,
    );
}
