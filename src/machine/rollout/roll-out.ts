/**
 * A change of many machines, some at a time, each judged before more are begun. Knows neither what changes nor who asks:
 * `upgrade --to` and `apply` roll engines out by it.
 */
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import type { Clock } from "../../system/clock.ts";
import { forEachMachine } from "../many.ts";

/** How a change is rolled out; times in milliseconds. */
export interface RolloutPace {
  /** How many machines at once, as a number or in hundredths of those that change. */
  readonly maxUnavailable: { readonly machines: number } | { readonly percent: number };
  /** More failures than this stop it. */
  readonly maxFail: number;
  /** How many machines go first, alone; undefined = none do. */
  readonly first: number | undefined;
  /** How long those that go first are watched before the others; where none do, how long is waited between batches. */
  readonly pauseMs: number;
}

/** How a machine stands in the end. `broken`: neither as it was before nor as it should be. */
export type RolloutState = "old" | "new" | "broken";

export interface RolledOut {
  readonly name: string;
  readonly state: RolloutState;
  /** Why it did not become new; absent where it did, and where it was not begun. */
  readonly error?: unknown;
}

export interface RolloutWork {
  /** Changes one machine and judges it. What it throws is its failure. */
  change(name: string): Promise<void>;
  /** Judges one again that was changed. */
  judge(name: string): Promise<void>;
  /** Looks how a machine stands whose change failed. */
  stateAfterFailure(name: string): Promise<RolloutState>;
}

export interface RolloutTime {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called before a pause, with how long it is. */
  readonly onPause?: ((ms: number) => void) | undefined;
}

/**
 * Every machine in the order given, with how it stands. Throws the signal's reason; those that were begun have ended by
 * then. Does not throw for machines that fail: {@link requireRolledOut} does.
 */
export async function rollOut(
  names: readonly string[],
  pace: RolloutPace,
  work: RolloutWork,
  { clock, signal, onPause }: RolloutTime,
): Promise<RolledOut[]> {
  const ends = new Map<string, RolledOut>();
  const failures = (): number => [...ends.values()].filter(({ error }) => error !== undefined).length;
  const pause = async (): Promise<void> => {
    if (pace.pauseMs === 0) return;
    onPause?.(pace.pauseMs);
    await clock.sleep(pace.pauseMs, signal);
  };
  const changeOne = async (name: string): Promise<void> => {
    await endOf(name, work, ends, async () => await work.change(name));
  };
  for (const { batch, isLastOfFirst, isLast } of batchesOf(names, pace)) {
    signal.throwIfAborted();
    await forEachMachine(batch, batch.length, changeOne);
    signal.throwIfAborted();
    if (failures() > pace.maxFail) break;
    if (isLast) continue;
    if (isLastOfFirst) {
      await pause();
      const watched = [...ends.values()].filter(({ error }) => error === undefined).map(({ name }) => name);
      // A pause of nothing has nothing to tell.
      if (pace.pauseMs > 0)
        await forEachMachine(watched, watched.length, async (name) => {
          await endOf(name, work, ends, async () => await work.judge(name));
        });
      if (failures() > pace.maxFail) break;
    } else if (pace.first === undefined) await pause();
  }
  return names.map((name) => ends.get(name) ?? { name, state: "old" });
}

async function endOf(name: string, work: RolloutWork, ends: Map<string, RolledOut>, step: () => Promise<void>): Promise<void> {
  try {
    await step();
    ends.set(name, { name, state: "new" });
  } catch (error) {
    const state = await work.stateAfterFailure(name).catch((): RolloutState => "broken");
    ends.set(name, { name, state, error });
  }
}

interface Batch {
  readonly batch: readonly string[];
  readonly isLastOfFirst: boolean;
  readonly isLast: boolean;
}

function batchesOf(names: readonly string[], { first = 0, maxUnavailable }: RolloutPace): Batch[] {
  // Part of a machine is none, and with none nothing would ever be done.
  const size =
    "machines" in maxUnavailable
      ? maxUnavailable.machines
      : Math.max(1, Math.floor((names.length * maxUnavailable.percent) / 100));
  const canaries = chunks(names.slice(0, first), size);
  const all = [...canaries, ...chunks(names.slice(first), size)];
  return all.map((batch, index) => ({
    batch,
    isLastOfFirst: index === canaries.length - 1,
    isLast: index === all.length - 1,
  }));
}

function chunks(names: readonly string[], size: number): (readonly string[])[] {
  return Array.from({ length: Math.ceil(names.length / size) }, (_, index) => names.slice(index * size, (index + 1) * size));
}

/** Each machine's own end is in `machines`. */
export class RolloutError extends MachineError {
  override readonly name = "RolloutError";
  readonly machines: readonly RolledOut[];

  constructor(machines: readonly RolledOut[], hint: string) {
    super("rollout-failed", sentenceOf(machines), { hint });
    this.machines = machines;
  }
}

/** Throws `rollout-failed` where a machine did, naming which are old, new and broken. */
export function requireRolledOut(machines: readonly RolledOut[], hint: string): void {
  if (machines.some(({ error }) => error !== undefined)) throw new RolloutError(machines, hint);
}

const states = ["broken", "old", "new"] as const satisfies readonly RolloutState[];

function sentenceOf(machines: readonly RolledOut[]): string {
  const failed = machines.filter(({ error }) => error !== undefined);
  const why = failed.map(({ name, error }) => `\n${name}: ${messageOf(error)}`).join("");
  const ends = states.flatMap((state) => {
    const names = machines.filter((machine) => machine.state === state).map(({ name }) => name);
    return names.length === 0 ? [] : [`${state}: ${names.join(", ")}`];
  });
  return `${failed.length} of ${machines.length} machines failed (${ends.join("; ")})${why}`;
}
