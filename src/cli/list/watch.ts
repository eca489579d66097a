/**
 * `ls --watch`: round after round until it is interrupted, which is the way it ends and no interruption of any work, or until
 * what it tells is not read any more.
 */
import { MachineError } from "../../errors/machine-error.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";

/** From the beginning of a round to that of the next, unless a machine is waited for that long. */
const watchMs = 5_000;
/** By which the rounds of several watchers are kept apart. */
const jitterMs = 500;

/**
 * @param round is given the context that ends with the watch. What it throws then does not matter.
 * @param over ends it too
 */
export async function watch(
  { clock }: Pick<MachineContext, "clock">,
  context: CliContext,
  round: (context: CliContext) => Promise<void>,
  over?: AbortSignal,
): Promise<void> {
  const interrupted = new AbortController();
  const signal = AbortSignal.any([context.signal, interrupted.signal, ...(over === undefined ? [] : [over])]);
  // The next one is the frame's: it ends what does not end by itself.
  const giveBack = context.takeSignals(() => {
    giveBack();
    interrupted.abort(new MachineError("interrupted", "Interrupted"));
  });
  try {
    while (!signal.aborted && !context.streams.stdout.isUnread) {
      const pause = clock.sleep(watchMs + Math.random() * jitterMs, signal).catch(() => {});
      await round({ ...context, signal });
      if (!context.streams.stdout.isUnread) await pause;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    giveBack();
  }
}
