/**
 * How fast EC2 may be asked: for each account and region, and for each action by itself (Amazon EC2 Developer Guide, "Request
 * throttling for the Amazon EC2 API"). Many machines that are made at once share these.
 */
import { RequestRate, type Rate } from "../../driver-kit/request-rate.ts";
import type { Clock } from "../../system/clock.ts";

/** One less than AWS allows at once: on their way requests draw nearer to each other. */
const launches: Rate = { burst: 4, perSecond: 1.9 };
const changes: Rate = { burst: 49, perSecond: 4.9 };
/** Those that are neither filtered nor in pages have the fewest. */
const questions: Rate = { burst: 49, perSecond: 9.8 };

function rateOf(action: string): Rate {
  if (action === "RunInstances" || action === "StartInstances") return launches;
  return action.startsWith("Describe") ? questions : changes;
}

/** By the time that they are counted in: one for all machines of a process. */
const rates = new WeakMap<Clock, Map<string, RequestRate>>();

/** Returns when this action may be asked for in that region. Throws the signal's reason. */
export async function turnFor(action: string, region: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const key = `${region} ${action}`;
  const known = rates.get(clock) ?? new Map<string, RequestRate>();
  rates.set(clock, known);
  const rate = known.get(key) ?? new RequestRate(rateOf(action), clock);
  known.set(key, rate);
  await rate.turn(signal);
}
