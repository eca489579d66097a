/**
 * The resources of one create, kept in the record: noted before each is asked for, so that nothing that was made is ever
 * without a note, and forgotten when it is gone. In the configuration they are texts `KIND=ID`, newest last.
 */
import type { Resource } from "./driver.ts";

/** Before the name of a resource that was asked for and whose identifier is not known yet. */
const intentMark = "?";

export interface LedgerEntry extends Resource {
  /** It was about to be asked for: `id` is the name it was to have, and it may not exist. */
  readonly intended: boolean;
}

export class Ledger {
  readonly #notes: string[];
  readonly #save: () => Promise<void>;

  /** @param notes the list in the driver's configuration, which is changed in place @param save makes it durable */
  constructor(notes: string[], save: () => Promise<void>) {
    this.#notes = notes;
    this.#save = save;
  }

  /** Newest last. */
  get entries(): readonly LedgerEntry[] {
    return this.#notes.map(parseNote);
  }

  of(kind: string): readonly LedgerEntry[] {
    return this.entries.filter((entry) => entry.kind === kind);
  }

  /** The identifier of the only, or newest, resource of a kind; undefined where none was noted. */
  idOf(kind: string): string | undefined {
    return this.of(kind).findLast(({ intended }) => !intended)?.id;
  }

  /** Before the request, for a resource with a name of ours. Durable before it returns. */
  async intend(kind: string, name: string): Promise<void> {
    await this.#add(`${kind}=${intentMark}${name}`);
  }

  /** After the answer; takes the place of the intents of this kind that bear the name. Durable before it returns. */
  async note(kind: string, id: string, name: string = id): Promise<void> {
    this.#drop(`${kind}=${intentMark}${name}`);
    await this.#add(`${kind}=${id}`);
  }

  /** It is gone. Durable before it returns. */
  async forget({ kind, id }: Resource): Promise<void> {
    this.#drop(`${kind}=${id}`);
    this.#drop(`${kind}=${intentMark}${id}`);
    await this.#save();
  }

  /** Saves a note that is there too: an earlier save may have failed, and an intent may have been dropped. */
  async #add(note: string): Promise<void> {
    if (!this.#notes.includes(note)) this.#notes.push(note);
    await this.#save();
  }

  #drop(note: string): void {
    const at = this.#notes.indexOf(note);
    if (at !== -1) this.#notes.splice(at, 1);
  }
}

/**
 * Removes all that is noted, kind by kind in the given order, the newest first, and forgets what is gone. Kinds that the
 * order does not name come last. All are tried; the first failure is thrown after the last attempt.
 *
 * An intent that nothing was found of stays noted: its request may still be under way, and whoever asks again looks again.
 * @param remove succeeds where the resource is not there any more, and tells whether there was anything to remove
 */
export async function removeAll(
  ledger: Ledger,
  order: readonly string[],
  remove: (entry: LedgerEntry, signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const rank = (kind: string): number => (order.includes(kind) ? order.indexOf(kind) : order.length);
  const entries = ledger.entries.toReversed().toSorted((a, b) => rank(a.kind) - rank(b.kind));
  const failures: unknown[] = [];
  for (const entry of entries) {
    try {
      const wasThere = await remove(entry, signal);
      if (wasThere || !entry.intended) await ledger.forget(entry);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

function parseNote(note: string): LedgerEntry {
  const at = note.indexOf("=");
  const [kind, id] = [note.slice(0, at), note.slice(at + 1)];
  return id.startsWith(intentMark) ? { kind, id: id.slice(intentMark.length), intended: true } : { kind, id, intended: false };
}
