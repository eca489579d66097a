/**
 * Who is in a team, and its keys. The roster stands in the ledger for all to read, and is signed with the team's key, so
 * that whoever can merely write there makes nobody a member. A key is wrapped for each member in `keyring/N/`.
 */
import { MachineError } from "../errors/machine-error.ts";
import { unwrap, wrap } from "./age.ts";
import type { Entry, Ledger, Put, Revision } from "./ledger.ts";
import { signed } from "./sealing.ts";
import type { KnownKeys, SyncState } from "./sync-state.ts";
import type { TeamContext } from "./team-context.ts";

export interface Member {
  readonly recipient: string;
  /** ISO 8601. */
  readonly since: string;
}

export interface Roster {
  readonly version: 1;
  /** Names the team's store, whatever else is called so. */
  readonly team: string;
  /** The number of the key that values are sealed with. */
  readonly key: number;
  readonly members: Readonly<Record<string, Member>>;
}

export const rosterKey = "team/";

function keyringKey(key: number): string {
  return `keyring/${key}/`;
}

/** What of a roster everyone may know: it is believed once its signature was looked at. */
export function rosterIn(entry: Entry | undefined): Roster | undefined {
  if (entry?.value === undefined) return undefined;
  const { version, ...rest } = JSON.parse((JSON.parse(entry.value) as { roster: string }).roster) as Omit<Roster, "version"> & {
    version: number;
  };
  if (version !== 1)
    throw new MachineError("record-from-future", "The team's store was made by a newer version", {
      hint: "Update docker-machine.",
    });
  return { ...rest, version };
}

/** What makes a roster, with its key for each of its members. @param before the key of the one before, where that is another */
export async function rosterPuts(roster: Roster, dataKey: Buffer, before?: Buffer): Promise<Put[]> {
  const text = JSON.stringify(roster);
  const value = {
    roster: text,
    signature: signed(text, dataKey),
    ...(before === undefined ? {} : { before: signed(text, before) }),
  };
  const recipients = Object.values(roster.members).map(({ recipient }) => recipient);
  return [
    { key: rosterKey, value: JSON.stringify(value) },
    { key: keyringKey(roster.key), value: await wrap(dataKey, recipients) },
  ];
}

/** What values are sealed with, for as long as the roster stands at this revision. */
export interface Keys {
  readonly revision: Revision;
  readonly number: number;
  readonly current: Buffer;
}

export interface KeyHolder {
  readonly ledger: Ledger;
  readonly state: SyncState;
  readonly team: string;
  /** Asked only where a key is new. Throws `secret-unavailable`. */
  readonly identity: () => Promise<string>;
}

/** Whoever opens a team's store on this computer. */
export function holderOf({ state, file, resolveSecret }: TeamContext, ledger: Ledger): KeyHolder {
  return { ledger, state, team: file.team, identity: async () => await resolveSecret(file.identity) };
}

/**
 * The roster as it is now, and its key. Throws `team-key-missing` for who is no member, `store-refused` for a roster that no
 * member signed.
 */
export async function currentKeys(holder: KeyHolder, signal: AbortSignal): Promise<Keys & { readonly roster: Roster }> {
  const { ledger, state, team } = holder;
  const entry = (await ledger.read(rosterKey, 0, signal)).entries[0];
  const roster = rosterIn(entry);
  if (entry === undefined || roster === undefined || roster.team !== team)
    throw new MachineError("store-refused", "What stands at the address of the team's store is not this team's", {
      hint: "Look at the url in team.json; to join what is there: docker-machine store leave, then docker-machine store join URL",
    });
  const known = await state.keys();
  const current = known?.keys[roster.key] === undefined ? await fetchKey(holder, roster.key, signal) : keyOf(known, roster.key);
  requireSigned(entry, roster, current, known);
  if (known === undefined || known.current !== roster.key || known.rosterRevision !== entry.revision)
    await state.setKeys({
      current: roster.key,
      rosterRevision: entry.revision,
      keys: { ...known?.keys, [roster.key]: current.toString("base64") },
    });
  return { roster, revision: entry.revision, number: roster.key, current };
}

/** A key by its number, from here or wrapped for this person. Throws `team-key-missing`. */
export async function keyFor(holder: KeyHolder, key: number, signal: AbortSignal): Promise<Buffer> {
  const known = await holder.state.keys();
  if (known?.keys[key] !== undefined) return keyOf(known, key);
  await currentKeys(holder, signal);
  const after = await holder.state.keys();
  return after?.keys[key] === undefined ? await fetchKey(holder, key, signal) : keyOf(after, key);
}

function keyOf({ keys }: KnownKeys, key: number): Buffer {
  return Buffer.from(keys[key] ?? "", "base64");
}

async function fetchKey({ ledger, identity }: KeyHolder, key: number, signal: AbortSignal): Promise<Buffer> {
  const [wrapped] = (await ledger.read(keyringKey(key), 0, signal)).entries;
  const opened = wrapped?.value === undefined ? undefined : await unwrap(wrapped.value, await identity());
  if (opened !== undefined) return opened;
  throw new MachineError("team-key-missing", "This computer's identity opens nothing of the team's store", {
    hint: "Who is a member adds you with: docker-machine store add NAME RECIPIENT. To go on with what is here, alone: docker-machine store leave",
  });
}

/** By the key of the one before too, where that is another: who has that was a member. */
function requireSigned(entry: Entry, roster: Roster, current: Buffer, known: KnownKeys | undefined): void {
  const {
    roster: text,
    signature,
    before,
  } = JSON.parse(entry.value ?? "{}") as {
    roster: string;
    signature?: string;
    before?: string;
  };
  const isChanged = known !== undefined && known.current !== roster.key;
  const isFromMember = !isChanged || (known.current === roster.key - 1 && before === signed(text, keyOf(known, known.current)));
  if (signature === signed(text, current) && isFromMember) return;
  throw new MachineError("store-refused", "The list of the team's members is not signed by one of those known here", {
    hint: "Where it was changed more than once since this computer looked, join again: docker-machine store leave, then docker-machine store join URL",
  });
}
