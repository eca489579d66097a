/** What a team's store is given: where it is, whose it is, and the outside world. */
import type { Report } from "../log/event.ts";
import type { Clock } from "../system/clock.ts";
import type { Ledger } from "./ledger.ts";
import type { SyncState } from "./sync-state.ts";
import type { TeamFile } from "./team-file.ts";

export type Reach =
  /** They are elsewhere, and what the team shares is all that is needed. */
  | "everybody"
  /** They live on this computer, or are somebody else's: their records are of no use to others. */
  | "here"
  /** Nobody knows, and whether what the driver keeps beside the record is needed: they are shared where a person says so. */
  | "unknown";

export interface TeamSurroundings {
  /** Absolute path of the store's folder. */
  readonly root: string;
  readonly clock: Clock;
  /** Where what concerns no single machine is said. */
  readonly report: Report;
  /** Who works here, for the others: `alice@laptop`. */
  readonly by: string;
  /** Follows a reference. Throws `secret-unavailable`. */
  readonly resolveSecret: (reference: string) => Promise<string>;
  /** Who can use machines of a driver. */
  readonly reachOf: (driverName: string) => Promise<Reach>;
}

export interface TeamContext extends TeamSurroundings {
  readonly file: TeamFile;
  readonly state: SyncState;
  /** Asks nobody yet. The caller ends it. */
  readonly openLedger: () => Promise<Ledger>;
}
