/** `store init URL`: the first of a team. */
import { initTeam } from "../../team/enter-team.ts";
import { lookAtTeam } from "../../team/look-at-team.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { logTo } from "../../log/event.ts";
import { openContext } from "../open-context.ts";
import { printLook, requestOf, shareAuthority, surroundingsOf } from "../team-context.ts";

export async function run({ options, args: [url = ""] }: Invocation, context: CliContext): Promise<void> {
  const surroundings = surroundingsOf(openContext(context));
  const team = await initTeam(surroundings, await requestOf(url, options, context), context.signal);
  await shareAuthority(context);
  printLook({ folder: surroundings.root, ...(await lookAtTeam(team, context.signal)) }, context);
  logTo(context.report, "info", "Machines that are here already are given to the team with: docker-machine store push NAME");
}
