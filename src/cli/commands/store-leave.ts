/** `store leave` */
import { leaveTeam } from "../../team/enter-team.ts";
import { logTo } from "../../log/event.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { openTeamContext } from "../team-context.ts";

export async function run(_: Invocation, context: CliContext): Promise<void> {
  const team = await openTeamContext(context);
  const { root: folder, file } = team;
  const { lockMs } = openContext(context).timeouts;
  const swapped = await leaveTeam(team, { purpose: "store leave", waitMs: lockMs, signal: context.signal });
  if (context.globals.output === "json") context.printJson({ folder });
  else
    context.print(
      `${folder} is of this computer alone now. A member removes you with: docker-machine store remove ${file.member}`,
    );
  const sentence =
    swapped === undefined
      ? "This store goes on with the team's certificate authority, whose key its members have. For one of its own, move certs/ away and run regenerate-certs for each machine."
      : `This store has the certificate authority again that it had before. The team's is kept in ${swapped.keptIn}${forWhom(swapped.machines)}.`;
  logTo(context.report, "info", sentence);
}

function forWhom(machines: readonly string[]): string {
  return machines.length === 0 ? "" : `, for ${machines.join(", ")}`;
}
