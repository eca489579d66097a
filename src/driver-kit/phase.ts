/** Parts of a driver's work that take long enough to bear a name: views show which one runs, and how long each took. */
import type { Report } from "../log/event.ts";
import type { Clock } from "../system/clock.ts";

export interface PhaseContext {
  readonly report: Report;
  readonly clock: Clock;
}

/** Reports the beginning and, unless it throws, the end of the work. */
export async function inPhase<Result>(context: PhaseContext, name: string, work: () => Promise<Result>): Promise<Result> {
  const end = beginPhase(context, name);
  const result = await work();
  end();
  return result;
}

/** For work whose end is an event and not a return: gives what reports it. */
export function beginPhase({ report, clock }: PhaseContext, phase: string): () => void {
  const startedMs = clock.monotonicMs();
  report({ type: "phase-started", phase });
  return () => report({ type: "phase-finished", phase, durationMs: clock.monotonicMs() - startedMs });
}
