/** `store leave` */
import { leaveTeam } from "../../team/enter-team.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openTeamContext } from "../team-context.ts";

export async function run(_: Invocation, context: CliContext): Promise<void> {
  const { root: folder, file } = await openTeamContext(context);
  await leaveTeam(folder);
  if (context.globals.output === "json") context.printJson({ folder });
  else
    context.print(
      `${folder} is of this computer alone now. A member removes you with: docker-machine store remove ${file.member}`,
    );
}
