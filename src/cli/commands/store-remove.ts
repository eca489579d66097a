/** `store remove NAME`: and what that does not undo. */
import { logTo } from "../../log/event.ts";
import { lookAtTeam } from "../../team/look-at-team.ts";
import { withdrawInvitations } from "../../team/invitation.ts";
import { removeMember } from "../../team/membership.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openTeamContext, printLook } from "../team-context.ts";

export async function run({ args: [name = ""] }: Invocation, context: CliContext): Promise<void> {
  const team = await openTeamContext(context);
  const withdrawn = await withdrawInvitations(team, name, context.signal);
  if (withdrawn > 0) {
    logTo(context.report, "info", `The invitation of ${name} opens nothing any more`);
    const look = await lookAtTeam(team, context.signal);
    if (look.members.every((member) => member.name !== name)) return printLook({ folder: team.root, ...look }, context);
  }
  const sealed = await removeMember(team, name, context.signal);
  printLook({ folder: team.root, ...(await lookAtTeam(team, context.signal)) }, context);
  for (const sentence of [
    `The team has a new key, and ${sealed} things in its store are sealed with it.`,
    `What ${name} has copied stays theirs: the key of the certificate authority, machines' SSH keys, drivers' tokens.`,
    `To take that away as well: remove ${name}'s login to the database and tokens at providers, move certs/ away and run regenerate-certs for each machine, and build machines anew whose SSH keys matter.`,
  ])
    logTo(context.report, "warn", sentence);
}
