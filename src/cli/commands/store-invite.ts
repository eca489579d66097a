/** `store invite NAME`: a token by which a runner of CI, or somebody who is not there now, joins without being waited for. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { formatInstant, readTimeText } from "../../system/time-text.ts";
import { invite, longestInvitationMs } from "../../team/invitation.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { writeNamedFile } from "../named-file.ts";
import { memberName, openTeamContext } from "../team-context.ts";

export async function run({ options, args: [given = ""] }: Invocation, context: CliContext): Promise<void> {
  const name = memberName(given);
  const forMs = readTimeText(options.string("for"));
  if (forMs === undefined || forMs > longestInvitationMs)
    throw new MachineError("usage", `--for ${JSON.stringify(options.string("for"))} is no time, or longer than 7 days`, {
      hint: "Say how long it may take until it is used: --for 1h.",
    });
  const team = await openTeamContext(context);
  const { token, until, replaced } = await invite(team, name, forMs, context.signal);
  const file = options.string("file");
  if (file !== "") await writeNamedFile(file, `${token}\n`, context);
  if (context.globals.output === "json") context.printJson(file === "" ? { name, until, token } : { name, until, file });
  else if (file === "") context.print(token);
  const source = file === "" ? "env:VARIABLE" : `file:${file}`;
  const login = team.file.user === undefined ? "" : " --user USER --password file:PATH";
  const joining = `${context.program.base} store join ${team.file.url}${login} --token ${source}`;
  const sentence = `Whoever has this token until ${formatInstant(new Date(until))} can become ${name}, once, and then do all that you can. It is a secret. It is used with: ${joining}`;
  logTo(context.report, "info", sentence);
  if (replaced > 0) logTo(context.report, "info", `The earlier invitation of ${name} opens nothing any more`);
}
