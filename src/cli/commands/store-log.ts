/** `store log [NAME]`: who changed what in the team's store, and when. */
import { MachineError } from "../../errors/machine-error.ts";
import { oneLine } from "../../log/plain-text.ts";
import { readTimeText } from "../../system/time-text.ts";
import { readLog, type ReadLogEntry } from "../../team/team-log.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { columns } from "../output/columns.ts";
import { openTeamContext } from "../team-context.ts";

export async function run({ options, args: [name = ""] }: Invocation, context: CliContext): Promise<void> {
  const team = await openTeamContext(context);
  const oldest = oldestOf(options.string("since"), team.clock.now());
  const entries = (await readLog(team, context.signal)).filter(
    ({ at, machine }) => at >= oldest && (name === "" || machine.toLowerCase() === name.toLowerCase()),
  );
  if (context.globals.output === "json") return context.printJson(entries);
  const rows = entries.map((entry) => [entry.at.slice(0, 19).replace("T", " "), whoOf(entry), entry.command, outcomeOf(entry)]);
  if (rows.length === 0) context.print("Nothing is in the log");
  else for (const line of columns([["WHEN (UTC)", "WHO", "WHAT", "OUTCOME"], ...rows]).map(oneLine)) context.print(line);
}

/** ISO 8601, which compares as text. */
function oldestOf(since: string, now: Date): string {
  if (since === "") return "";
  const ms = readTimeText(since);
  if (ms !== undefined) return new Date(now.getTime() - ms).toISOString();
  const date = /^\d{4}-\d{2}-\d{2}/u.test(since) ? new Date(since) : undefined;
  if (date !== undefined && !Number.isNaN(date.getTime())) return date.toISOString();
  throw new MachineError("usage", `--since ${JSON.stringify(since)} is no time`, {
    hint: "Say how long ago, or since when: --since 24h, --since 7d, --since 2026-11-28.",
  });
}

function whoOf({ member, by }: ReadLogEntry): string {
  return `${member} (${by})`;
}

function outcomeOf({ outcome, step, signature }: ReadLogEntry): string {
  const doubt = { good: "", bad: " - NOT WRITTEN BY A MEMBER", unknown: " - signed with an earlier key" }[signature];
  return `${outcome === "unfinished" ? `unfinished, at ${JSON.stringify(step)}` : outcome}${doubt}`;
}
