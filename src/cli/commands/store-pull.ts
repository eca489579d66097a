/** `store pull NAME...`: machines as the team has them. */
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
    async (_, name) => await store.pull(name, request(`store pull ${name}`)),
    (_, name) => `"${name}" is as the team has it`,
  );
}
