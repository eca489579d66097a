/** Who is in a team: founded by one, who adds the others. All of them can do the same. */
import { MachineError } from "../errors/machine-error.ts";
import { poll } from "../system/waiting.ts";
import { recipientOf } from "./age.ts";
import type { Entry, Ledger, Revision } from "./ledger.ts";
import { invitationsIn } from "./open-invitations.ts";
import { currentKeys, holderOf, rosterIn, rosterKey, rosterPuts, type Keys, type Roster } from "./roster.ts";
import { newDataKey } from "./sealing.ts";
import type { TeamContext } from "./team-context.ts";
import { loggedCommand, logPut } from "./team-log.ts";
import { TeamLedger, sharedPrefix } from "./team-ledger.ts";

/** Makes the team's store where there is none, with one member. The context's file says who that is, and the team's name. */
export async function foundTeam(context: TeamContext, signal: AbortSignal): Promise<void> {
  const { file, clock } = context;
  const recipient = await recipientIn(context);
  const members = { [file.member]: { recipient, since: clock.now().toISOString() } };
  const roster: Roster = { version: 1, team: file.team, key: 1, members };
  await using ledger = await context.openLedger();
  await ledger.prepare(signal);
  const dataKey = newDataKey();
  const log = logPut(context, loggedCommand(clock.now(), "store init", ""), {}, { number: 1, current: dataKey });
  const put = [...(await rosterPuts(roster, dataKey)), log];
  const require = [{ key: rosterKey, revision: 0 }];
  const commit = await ledger.commit({ token: crypto.randomUUID(), require, put, remove: [] }, signal);
  if ("conflicts" in commit)
    throw new MachineError("store-refused", "There is a team's store at that address already", {
      hint: "Join it with: docker-machine store join URL",
    });
  await context.state.setKeys({ current: 1, rosterRevision: commit.revision, keys: { 1: dataKey.toString("base64") } });
}

/** The recipient of this person's identity, which a member needs to add them. Throws `secret-unavailable`, `usage` for what is no identity. */
export async function recipientIn({ file, resolveSecret }: Pick<TeamContext, "file" | "resolveSecret">): Promise<string> {
  const identity = await resolveSecret(file.identity);
  return await recipientOf(identity).catch((error: unknown) => {
    throw new MachineError("usage", "What stands there is no age identity: it begins with AGE-SECRET-KEY-1", { cause: error });
  });
}

/** The team at the address; undefined where there is none. */
export async function findTeam(ledger: Ledger, signal: AbortSignal): Promise<Roster | undefined> {
  return rosterIn((await ledger.read(rosterKey, 0, signal)).entries[0]);
}

const joinPace = { firstMs: 500, mostMs: 3_000 };

/** Waits until a member has added this person's recipient. Throws `team-key-missing` when the time is up. */
export async function awaitMembership(context: TeamContext, ms: number, signal: AbortSignal): Promise<Roster> {
  const recipient = await recipientIn(context);
  await using ledger = await context.openLedger();
  const attempt = async (): Promise<Roster | undefined> => {
    const roster = await findTeam(ledger, signal);
    const isIn = Object.values(roster?.members ?? {}).some((member) => member.recipient === recipient);
    return isIn ? (await currentKeys(holderOf(context, ledger), signal)).roster : undefined;
  };
  return await poll({ ms, clock: context.clock, signal }, joinPace, attempt, () => {
    const hint = `Who is a member adds you with: docker-machine store add ${context.file.member} ${recipient}`;
    return new MachineError("team-key-missing", "Nobody has added you to the team yet", { hint });
  });
}

/** Throws `usage` for what is no recipient, or a name or a recipient that is there already. */
export async function addMember(context: TeamContext, name: string, recipient: string, signal: AbortSignal): Promise<void> {
  await changeRoster(context, `store add ${name}`, signal, async (roster, { current }) => {
    if (roster.members[name] !== undefined)
      throw new MachineError("usage", `The team has a member ${JSON.stringify(name)} already`);
    const [holder] = Object.entries(roster.members).find(([, member]) => member.recipient === recipient) ?? [];
    if (holder !== undefined)
      throw new MachineError("usage", `${JSON.stringify(holder)} is in the team with that recipient already`, {
        hint: "Each member has an identity of their own; store join --identity names another one.",
      });
    const member = { recipient, since: context.clock.now().toISOString() };
    const members = { ...roster.members, [name]: member };
    return { roster: { ...roster, members }, dataKey: current };
  });
}

/**
 * From now on the team has another key, and all that is kept is sealed with it. What the person knows already they go on
 * knowing. Gives how many things were sealed anew. Throws `usage` for who is no member,
 * the last one, or oneself.
 */
export async function removeMember(context: TeamContext, name: string, signal: AbortSignal): Promise<number> {
  await changeRoster(context, `store remove ${name}`, signal, async (roster) => {
    const { [name]: removed, ...members } = roster.members;
    const names = Object.keys(roster.members).join(", ");
    if (removed === undefined)
      throw new MachineError("usage", `The team has no member ${JSON.stringify(name)}`, { hint: `There are ${names}.` });
    if (Object.keys(members).length === 0)
      throw new MachineError("usage", "The last member cannot be removed", {
        hint: "Who wants no team any more: docker-machine store leave",
      });
    // What is to be sealed anew could not be by who has just lost the key.
    if (name === context.file.member)
      throw new MachineError("usage", `${name} is you, and who removes themselves could not finish it`, {
        hint: `Another member runs: docker-machine store remove ${name}. For this computer alone: docker-machine store leave`,
      });
    return { roster: { ...roster, members, key: roster.key + 1 }, dataKey: newDataKey() };
  });
  return await sealAnew(context, signal);
}

type RosterChange = (roster: Roster, keys: Keys) => Promise<{ readonly roster: Roster; readonly dataKey: Buffer }>;

/** What goes with a change, once. */
export interface SpentKey {
  readonly key: string;
  readonly revision: Revision;
  /** It went otherwise. */
  readonly lost: () => Error;
}

/** Gives the roster as it is then; invitations that it makes useless go. Throws what `change` throws, and `usage` for what is no recipient. */
export async function changeRoster(
  context: TeamContext,
  command: string,
  signal: AbortSignal,
  change: RosterChange,
  spent?: SpentKey,
): Promise<Roster> {
  await using ledger = await context.openLedger();
  const logged = loggedCommand(context.clock.now(), command, "");
  for (;;) {
    const keys = await currentKeys(holderOf(context, ledger), signal);
    const { roster, dataKey } = await change(keys.roster, keys);
    const puts = await rosterPuts(roster, dataKey, roster.key === keys.number ? undefined : keys.current).catch(
      (error: unknown) => {
        throw new MachineError(
          "usage",
          "That is no recipient of age: it begins with age1, as docker-machine store join prints it",
          {
            cause: error,
          },
        );
      },
    );
    const put = [...puts, logPut(context, logged, {}, { number: roster.key, current: dataKey })];
    const require = [{ key: rosterKey, revision: keys.revision }, ...(spent === undefined ? [] : [spent])];
    const over = (await invitationsIn(ledger, roster, context.clock, signal))
      .filter(({ isOver }) => isOver)
      .map(({ key }) => key);
    const remove = [...new Set([...over, ...(spent === undefined ? [] : [spent.key])])];
    const commit = await ledger.commit({ token: crypto.randomUUID(), require, put, remove }, signal);
    if ("revision" in commit) return (await currentKeys(holderOf(context, ledger), signal)).roster;
    if (spent !== undefined && commit.conflicts.some(({ key }) => key === spent.key)) throw spent.lost();
  }
}

/** What was changed meanwhile was sealed with the new key by who changed it. */
async function sealAnew(context: TeamContext, signal: AbortSignal): Promise<number> {
  const team = new TeamLedger(context);
  return await team.use(async (ledger) => {
    const sealPage = async (entries: readonly Entry[]): Promise<number> => {
      let sealed = 0;
      for (const entry of entries) if (await sealOne(team, entry, ledger, signal)) sealed += 1;
      return sealed;
    };
    const { taken } = await ledger.readPages(sharedPrefix, sealPage, signal);
    return taken.reduce((sum, sealed) => sum + sealed, 0);
  });
}

async function sealOne(team: TeamLedger, entry: Entry, ledger: Ledger, signal: AbortSignal): Promise<boolean> {
  const opened = await team.open(entry, ledger, signal);
  if (opened === undefined) return false;
  const { key, revision } = entry;
  const put = [{ key, shared: opened.shared, count: opened.count }];
  return typeof (await team.commit({ require: [{ key, revision }], put, remove: [] }, ledger, signal)) === "number";
}
