/** The ledger at a place. Each engine is loaded where it is meant. */
import type { Clock } from "../system/clock.ts";
import type { Ledger } from "./ledger.ts";
import type { TeamLogin, TeamPlace } from "./place.ts";

/** Asks nobody yet. */
export async function openLedger(place: TeamPlace, login: TeamLogin, clock: Clock): Promise<Ledger> {
  if (place.engine === "etcd") return new (await import("./etcd-ledger.ts")).EtcdLedger({ place, login, clock });
  return new (await import("./postgres-ledger.ts")).PostgresLedger({ place, login, clock });
}
