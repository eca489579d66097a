/** `store push NAME...`: machines of this store become the team's, as they are here. */
import { giveOwnKey, lacksOwnKey } from "../../machine/host/own-key.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnNamed } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { isConfirmed, selectedNames } from "../selection/select-machines.ts";
import { openTeamStoreOf } from "../team-context.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { store, request } = await openTeamStoreOf(context);
  const machines = openContext(context);
  const names = await selectedNames(machines, invocation, context);
  const keyless = invocation.options.bool("keep-keys") ? [] : await keylessOf(names, machines);
  if (keyless.length > 0 && !invocation.options.bool("y")) {
    const what = `${keyless.join(", ")} ${keyless.length === 1 ? "gets a key pair of its own, which the team has" : "get key pairs of their own, which the team has"}`;
    const where =
      "a line in authorized_keys there, which rm --restore takes out again. Your own key stays here, and its copy goes from this store";
    logTo(context.report, "info", `${what}: ${where}.`);
    if (!(await isConfirmed("Push?", "push", context))) return;
  }
  await workOnNamed(
    context,
    names,
    async (machineContext, name) => {
      if (keyless.includes(name)) await giveOwnKey(machineContext, name, context.signal);
      await store.push(name, request(`store push ${name}`));
    },
    (_, name) => `The team has "${name}" as it is here`,
  );
}

/** Those that are logged in to by a key of the user's. */
async function keylessOf(names: readonly string[], machines: MachineContext): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) if (await lacksOwnKey(machines, name)) found.push(name);
  return found;
}
