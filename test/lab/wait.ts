/** Waiting in the lab: always bounded, and the bound says what did not happen. */
import { systemClock } from "../../src/system/clock.ts";

/** Calls `probe` until it returns something else than undefined. Throws naming `what` when `boundMs` have passed. */
export async function waitUntil<T>(what: string, boundMs: number, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = systemClock.monotonicMs() + boundMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (systemClock.monotonicMs() > deadline) throw new Error(`${what} did not happen within ${boundMs} ms`);
    await systemClock.sleep(40);
  }
}
