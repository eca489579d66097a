/** `store join URL`: this store becomes a part of a team's. */
import { joinTeam } from "../../team/enter-team.ts";
import { lookAtTeam } from "../../team/look-at-team.ts";
import { logTo } from "../../log/event.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { printLook, referenceOf, requestOf, shareAuthority, surroundingsOf } from "../team-context.ts";

export async function run({ options, args: [url = ""] }: Invocation, context: CliContext): Promise<void> {
  const surroundings = surroundingsOf(openContext(context));
  const request = await requestOf(url, options, context);
  const tell = (recipient: string): void =>
    logTo(context.report, "info", `Waiting for a member to run: docker-machine store add ${request.member} ${recipient}`);
  const reference = referenceOf("token", options.string("token") || undefined, context);
  const token = reference === undefined ? undefined : await surroundings.resolveSecret(reference);
  const team = await joinTeam(surroundings, request, tell, context.signal, token);
  await shareAuthority(context);
  printLook({ folder: surroundings.root, ...(await lookAtTeam(team, context.signal)) }, context);
}
