/** `store add NAME RECIPIENT` */
import { lookAtTeam } from "../../team/look-at-team.ts";
import { addMember } from "../../team/membership.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { memberName, openTeamContext, printLook } from "../team-context.ts";

export async function run({ args: [name = "", recipient = ""] }: Invocation, context: CliContext): Promise<void> {
  const team = await openTeamContext(context);
  await addMember(team, memberName(name), recipient, context.signal);
  printLook({ folder: team.root, ...(await lookAtTeam(team, context.signal)) }, context);
}
