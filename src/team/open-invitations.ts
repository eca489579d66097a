/** Invitations to a team as they stand in its database: who has a token, until when, and what of it opens something still. */
import type { Clock } from "../system/clock.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { Roster } from "./roster.ts";

const prefix = "invitation/";

export interface Invitation {
  readonly name: string;
  /** ISO 8601. */
  readonly until: string;
}

export interface StoredInvitation {
  /** JSON of an {@link Invitation}. */
  readonly text: string;
  /** Which of the team's keys, wrapped for the token alone, and what it says of the text in this place. */
  readonly key: number;
  readonly wrapped: string;
  readonly signature: string;
}

/** What one is called in the ledger. */
export function invitationKey(id: string): string {
  return `${prefix}${id}/`;
}

/** One that stands there. */
export interface FoundInvitation extends Invitation {
  /** In the ledger. */
  readonly key: string;
  /** It makes nobody a member any more. */
  readonly isOver: boolean;
}

/** Those that nobody has used; what cannot be read is over. @param roster the team as it is, or is about to be */
export async function invitationsIn(
  ledger: Ledger,
  roster: Roster,
  clock: Clock,
  signal: AbortSignal,
): Promise<FoundInvitation[]> {
  const { entries } = await ledger.read(prefix, 0, signal);
  return entries.map((entry) => {
    const found = storedIn(entry);
    const { name, until } = found?.invitation ?? { name: "", until: "" };
    const isGood = found?.stored.key === roster.key && roster.members[name] === undefined && new Date(until) > clock.now();
    return { key: entry.key, name, until, isOver: !isGood };
  });
}

export function storedIn({ value }: Entry): { readonly stored: StoredInvitation; readonly invitation: Invitation } | undefined {
  try {
    const stored = JSON.parse(value ?? "") as StoredInvitation;
    return { stored, invitation: JSON.parse(stored.text) as Invitation };
  } catch {
    return undefined;
  }
}
