/**
 * Membership by a token, for who cannot be waited for: a runner of CI. The token is an age identity that was made for it, by
 * which one value in the ledger gives the team's key; whoever uses it becomes a member with an identity of their own, and the
 * value goes in the same change, so that it is used once.
 */
import { MachineError } from "../errors/machine-error.ts";
import { newIdentity, recipientOf, unwrap, wrap } from "./age.ts";
import { changeRoster, recipientIn } from "./membership.ts";
import { invitationKey, invitationsIn, storedIn, type Invitation, type StoredInvitation } from "./open-invitations.ts";
import { currentKeys, holderOf, rosterIn, rosterKey, type Roster } from "./roster.ts";
import { signed } from "./sealing.ts";
import type { TeamContext } from "./team-context.ts";
import { loggedCommand, logPut } from "./team-log.ts";

const tokenForm = /^docker-machine-invitation-1\.([0-9a-f-]{36})\.(AGE-SECRET-KEY-1[0-9A-Z]+)$/u;
/** Longer ones lie about too long. */
export const longestInvitationMs = 7 * 86_400_000;

function placed(team: string, key: string, text: string): string {
  return JSON.stringify([team, key, text]);
}

export interface NewInvitation extends Invitation {
  /** A secret. */
  readonly token: string;
  /** How many of that name it takes the place of. */
  readonly replaced: number;
}

/** An earlier one of the name ends. Throws `usage` for a name that is taken. */
export async function invite(context: TeamContext, name: string, forMs: number, signal: AbortSignal): Promise<NewInvitation> {
  await using ledger = await context.openLedger();
  const keys = await currentKeys(holderOf(context, ledger), signal);
  if (keys.roster.members[name] !== undefined)
    throw new MachineError("usage", `The team has a member ${JSON.stringify(name)} already`);
  const [id, identity] = [crypto.randomUUID(), await newIdentity()];
  const invitation = { name, until: new Date(context.clock.now().getTime() + forMs).toISOString() };
  const text = JSON.stringify(invitation);
  const wrapped = await wrap(keys.current, [await recipientOf(identity)]);
  const signature = signed(placed(context.file.team, invitationKey(id), text), keys.current);
  const value: StoredInvitation = { text, key: keys.number, wrapped, signature };
  const require = [{ key: rosterKey, revision: keys.revision }];
  const others = (await invitationsIn(ledger, keys.roster, context.clock, signal)).filter(
    (each) => each.isOver || each.name === name,
  );
  const log = logPut(context, loggedCommand(context.clock.now(), `store invite ${name}`, ""), {}, keys);
  const put = [{ key: invitationKey(id), value: JSON.stringify(value) }, log];
  const commit = await ledger.commit({ token: crypto.randomUUID(), require, put, remove: others.map(({ key }) => key) }, signal);
  if ("conflicts" in commit)
    throw new MachineError("store-conflict", "Somebody else changed the team at the same moment", {
      hint: "Run the command again.",
    });
  const replaced = others.filter(({ isOver }) => !isOver).length;
  return { ...invitation, replaced, token: `docker-machine-invitation-1.${id}.${identity}` };
}

/** Takes back those of a name. Gives how many. */
export async function withdrawInvitations(context: TeamContext, name: string, signal: AbortSignal): Promise<number> {
  await using ledger = await context.openLedger();
  const keys = await currentKeys(holderOf(context, ledger), signal);
  const found = await invitationsIn(ledger, keys.roster, context.clock, signal);
  const remove = found.filter((each) => each.name === name).map(({ key }) => key);
  if (remove.length === 0) return 0;
  const put = [logPut(context, loggedCommand(context.clock.now(), `store remove ${name}`, ""), {}, keys)];
  await ledger.commit({ token: crypto.randomUUID(), require: [], put, remove }, signal);
  return remove.length;
}

/**
 * Makes this person a member, under the name of the invitation. Throws `usage` for what is no token, and for one of another
 * name than is wanted, `team-key-missing` for one that was used, is over, or was made before a member was removed,
 * `store-refused` for one that no member made.
 */
export async function acceptInvitation(
  context: TeamContext,
  token: string,
  signal: AbortSignal,
  wanted?: string,
): Promise<Roster> {
  const [, id = "", identity = ""] = tokenForm.exec(token.trim()) ?? [];
  if (id === "" || !(await isIdentity(identity)))
    throw new MachineError("usage", "What stands there is no invitation to a team, or a part of it is missing", {
      hint: "It is the whole word that docker-machine store invite NAME printed.",
    });
  await using ledger = await context.openLedger();
  const [[entry], rosterEntry] = await Promise.all([
    ledger.read(invitationKey(id), 0, signal).then(({ entries }) => entries),
    ledger.read(rosterKey, 0, signal).then(({ entries }) => entries[0]),
  ]);
  const found = entry === undefined ? undefined : storedIn(entry);
  if (entry === undefined || found === undefined)
    throw gone("was used already, or taken back, or somebody was removed from the team since");
  const { stored, invitation } = found;
  if (!(new Date(invitation.until) > context.clock.now())) throw gone(`was good until ${invitation.until}`);
  const dataKey = await unwrap(stored.wrapped, identity);
  const roster = rosterIn(rosterEntry);
  if (dataKey === undefined || stored.signature !== signed(placed(context.file.team, invitationKey(id), stored.text), dataKey))
    throw new MachineError("store-refused", "The invitation was not made by a member of this team", {
      hint: "Ask a member for another one: docker-machine store invite NAME",
    });
  if (wanted !== undefined && wanted !== invitation.name)
    throw new MachineError("usage", `The invitation is for ${invitation.name}, and makes nobody ${wanted}`, {
      hint: `Leave --name out to join as ${invitation.name}, or ask a member for another one: docker-machine store invite ${wanted}`,
    });
  if (roster?.key !== stored.key) throw gone("was made before somebody was removed from the team");
  await context.state.setKeys({ current: stored.key, rosterRevision: 0, keys: { [stored.key]: dataKey.toString("base64") } });
  const recipient = await recipientIn(context);
  const spent = { key: entry.key, revision: entry.revision, lost: () => gone("was used by somebody else just now") };
  return await changeRoster(
    context,
    `store join (invited as ${invitation.name})`,
    signal,
    async ({ members, ...rest }, { current }) => {
      if (rest.key !== stored.key) throw gone("was made before somebody was removed from the team");
      if (members[invitation.name] !== undefined)
        throw new MachineError("usage", `The team has a member ${JSON.stringify(invitation.name)} already`);
      const member = { recipient, since: context.clock.now().toISOString() };
      return { roster: { ...rest, members: { ...members, [invitation.name]: member } }, dataKey: current };
    },
    spent,
  );
}

async function isIdentity(text: string): Promise<boolean> {
  return await recipientOf(text).then(
    () => true,
    () => false,
  );
}

function gone(why: string): MachineError {
  return new MachineError("team-key-missing", `The invitation ${why}`, {
    hint: "Ask a member for another one: docker-machine store invite NAME",
  });
}
