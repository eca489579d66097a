/** `store push NAME...`: machines of this store become the team's, as they are here. */
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnNamed } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { selectedNames } from "../selection/select-machines.ts";
import { openTeamStoreOf } from "../team-context.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { store, request } = await openTeamStoreOf(context);
  await workOnNamed(
    context,
    await selectedNames(openContext(context), invocation, context),
    async (_, name) => await store.push(name, request(`store push ${name}`)),
    (_, name) => `The team has "${name}" as it is here`,
  );
}
