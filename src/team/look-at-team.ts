/** What is to be told of a team's store. */
import { invitationsIn, type Invitation } from "./open-invitations.ts";
import { currentKeys, holderOf } from "./roster.ts";
import type { TeamContext } from "./team-context.ts";
import { sharedPrefix } from "./team-ledger.ts";
import { recipientIn } from "./membership.ts";

export interface TeamLook {
  readonly url: string;
  readonly team: string;
  /** This person's name in it, and what others need to add them. */
  readonly member: string;
  readonly recipient: string;
  readonly members: readonly { readonly name: string; readonly since: string }[];
  /** Who has a token and has not used it. */
  readonly invited: readonly Invitation[];
  /** How many machines are shared. */
  readonly machines: number;
}

/** Asks the database. Throws `store-unreachable`, `store-refused`, `team-key-missing`. */
export async function lookAtTeam(context: TeamContext, signal: AbortSignal): Promise<TeamLook> {
  const { file } = context;
  await using ledger = await context.openLedger();
  const { roster } = await currentKeys(holderOf(context, ledger), signal);
  const { taken: pages } = await ledger.readPages(`${sharedPrefix}machines/`, async ({ length }) => length, signal);
  const open = (await invitationsIn(ledger, roster, context.clock, signal)).filter(({ isOver }) => !isOver);
  return {
    url: file.url,
    team: file.team,
    member: file.member,
    recipient: await recipientIn(context),
    members: Object.entries(roster.members).map(([name, { since }]) => ({ name, since })),
    invited: open.map(({ name, until }) => ({ name, until })),
    machines: pages.reduce((sum, count) => sum + count, 0),
  };
}
