import { upgradeMachine } from "../../machine/maintain.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { rolloutFlags } from "../flags/rollout-flags.ts";
import { workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  // An empty one, of a variable that is not set, is no wish for the newest version everywhere.
  if (options.isSet("to")) return await (await import("./upgrade-to.ts")).run(invocation, context);
  const alone = rolloutFlags.find(({ name }) => options.isSet(name));
  if (alone !== undefined) throw new MachineError("usage", `--${alone.name} is for upgrade --to VERSION`);
  await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await upgradeMachine(machineContext, name, context.signal),
    ({ before, after }, name) =>
      before === after
        ? `Docker ${after} of "${name}" is the newest`
        : `Docker of "${name}" was upgraded from ${before} to ${after}`,
  );
}
