/** Waiting in the lab: always bounded, and the bound says what did not happen. */
import { systemClock } from "../../src/system/clock.ts";
import { poll } from "../../src/system/waiting.ts";

/** Calls `probe` until it returns something else than undefined. Throws naming `what` when `boundMs` have passed. */
export async function waitUntil<T>(what: string, boundMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const patience = { ms: boundMs, clock: systemClock, signal: undefined };
  return await poll(patience, 40, probe, () => new Error(`${what} did not happen within ${boundMs} ms`));
}
