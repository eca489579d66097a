/** `config relocate NAME...|--filter F|--all`: writes the paths of the store in use into records that were made in another place. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { relocateMachine, type Relocation } from "../../machine/host/moved-store.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { atOnce } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { selectedNames } from "../selection/select-machines.ts";
import { isSelected } from "../selection/selection-flags.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  if (invocation.args.length === 0 && !isSelected(invocation.options))
    throw new MachineError("usage", "Error: Expected machine names, --filter or --all as arguments");
  const names = await selectedNames(machineContext, invocation, context);
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
