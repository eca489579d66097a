/** `store join URL`: this store becomes a part of a team's. */
import { joinTeam, ownAuthority } from "../../team/enter-team.ts";
import { lookAtTeam } from "../../team/look-at-team.ts";
import type { TeamSurroundings } from "../../team/team-context.ts";
import { logTo } from "../../log/event.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { isConfirmed } from "../selection/select-machines.ts";
import { printLook, referenceOf, requestOf, shareAuthority, surroundingsOf } from "../team-context.ts";

export async function run({ options, args: [url = ""] }: Invocation, context: CliContext): Promise<void> {
  const surroundings = surroundingsOf(openContext(context));
  const request = await requestOf(url, options, context);
  const tell = (recipient: string): void =>
    logTo(context.report, "info", `Waiting for a member to run: docker-machine store add ${request.member} ${recipient}`);
  const reference = referenceOf("token", options.string("token") || undefined, context);
  const token = reference === undefined ? undefined : await surroundings.resolveSecret(reference);
  const agree = async (): Promise<boolean> => options.bool("y") || (await isAgreed(surroundings, url, context));
  const team = await joinTeam(surroundings, request, { tell, agree, token }, context.signal);
  if (team === undefined) return;
  await shareAuthority(context);
  printLook({ folder: surroundings.root, ...(await lookAtTeam(team, context.signal)) }, context);
}

/** Asked where machines are here whose engines believe another authority than the team's. */
async function isAgreed(surroundings: TeamSurroundings, url: string, context: CliContext): Promise<boolean> {
  const { machines, keptIn } = await ownAuthority(surroundings, url);
  if (machines.length === 0) return true;
  const [whose, they] = machines.length === 1 ? ["has a certificate", "It goes"] : ["have certificates", "They go"];
  const sentences = [
    `${machines.join(", ")} ${whose} of this store's own authority; where the team has another, that takes its place for all that is made from now on.`,
    `${they} on answering here: the authority is then kept in ${keptIn}, and their records lead there.`,
    "store push gives one that others are to use a certificate of the team's, which restarts its engine; store leave puts the authority back.",
  ];
  for (const sentence of sentences) logTo(context.report, "info", sentence);
  return await isConfirmed("Join?", "join", context);
}
