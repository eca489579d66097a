/** How long a team's database is waited for; docs/timeouts.md names them. In milliseconds. */
export interface LedgerBounds {
  /** A reader goes on with what it has. */
  readonly readMs: number;
  /** A database that chooses another leader needs 7 s to say that it does not know what became of a change. */
  readonly writeMs: number;
  /** A page of what is there or has changed, by who was answered a moment ago: megabytes, on however slow a line. */
  readonly pageMs: number;
  /** As for {@link writeMs}, by who has had no answer yet, and so has begun nothing. */
  readonly firstMs: number;
  /** And where it is told that nobody is there; a reader believes that at once. */
  readonly nobodyMs: number;
}

/** For as long a lock stands that its holder does not renew: it tries three times as often. */
export const lockTtlMs = 15_000;

export const ledgerBounds: LedgerBounds = { readMs: 2_000, writeMs: 10_000, pageMs: 30_000, firstMs: 3_000, nobodyMs: 300 };
