/** One command on many machines: in parallel, each failure kept beside its machine, none hiding another. */
import { MachineError } from "../errors/machine-error.ts";
import type { Outcome } from "./machine-context.ts";

/** Runs `work` for every name, at most `limit` at once; the outcomes come in the order of the names. */
export async function forEachMachine<T>(
  names: readonly string[],
  limit: number,
  work: (name: string) => Promise<T>,
): Promise<Outcome<T>[]> {
  const outcomes = new Array<Outcome<T>>(names.length);
  const queue = names.entries();
  const worker = async (): Promise<void> => {
    for (const [index, name] of queue) {
      outcomes[index] = await attempt(name, work);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, names.length) }, worker));
  return outcomes;
}

async function attempt<T>(name: string, work: (name: string) => Promise<T>): Promise<Outcome<T>> {
  try {
    return { name, value: await work(name) };
  } catch (error) {
    return { name, error };
  }
}

/** Throws what went wrong: a single failure of a single machine as it is, else `several-failed`, with each outcome's error as cause. */
export function throwFailures(outcomes: readonly Outcome<unknown>[]): void {
  const failed = outcomes.filter((outcome) => outcome.error !== undefined);
  if (failed.length === 0) return;
  if (outcomes.length === 1) throw failed[0]?.error;
  throw new SeveralFailedError(failed, outcomes.length);
}

/** Each machine's own error is in `failed`; the message only counts them. */
export class SeveralFailedError extends MachineError {
  override readonly name = "SeveralFailedError";
  readonly failed: readonly Outcome<unknown>[];

  constructor(failed: readonly Outcome<unknown>[], total: number) {
    super("several-failed", `${failed.length} of ${total} machines failed: ${failed.map((outcome) => outcome.name).join(", ")}`);
    this.failed = failed;
  }
}
