/** `store`: where this store is, and who shares it. */
import { isTeamStore } from "../../store/team-mark.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";

export async function run(_: Invocation, context: CliContext): Promise<void> {
  const { storagePath: folder } = context.globals;
  if (!isTeamStore(folder)) {
    if (context.globals.output === "json") context.printJson({ folder });
    else context.print(`${folder}, of this computer alone`);
    return;
  }
  const [{ lookAtTeam }, { openTeamContext, printLook }] = await Promise.all([
    import("../../team/look-at-team.ts"),
    import("../team-context.ts"),
  ]);
  const look = await lookAtTeam(await openTeamContext(context), context.signal);
  printLook({ folder, ...look }, context);
}
