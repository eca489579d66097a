/** Runs a command: keeps the bound on its time, turns signals into an abort, and says why it was aborted. */
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import type { Invocation } from "./command.ts";
import { commandContext, type ExecuteOptions } from "./command-context.ts";
import { exitCodes } from "./exit-code.ts";
import { Screen } from "./output/screen.ts";
import { commit, version } from "./version.ts";

/** Gives what the command's `run` gives. The command must have a `load`. */
export async function execute(invocation: Invocation, options: ExecuteOptions): Promise<number | void> {
  const stop = new AbortController();
  const screen = new Screen(options.streams);
  const taker = new SignalTaker();
  const unwatch = watch(stop, screen, taker, options);
  try {
    const module = await invocation.command.load?.();
    const context = commandContext(invocation, options, screen, stop.signal, taker.take);
    logTo(context.report, "debug", `Docker Machine Version: ${version}, build ${commit}`);
    return await module?.run(invocation, context);
  } catch (error) {
    // A call that was aborted may reject with its own AbortError; what counts is why it was aborted.
    throw stop.signal.aborted && !isMachineError(error) ? stop.signal.reason : error;
  } finally {
    unwatch();
  }
}

/** Signals closer to each other than this are one: timeout(1) signals a process and then its group, and it with it. */
const oneInterruptMs = 200;

/** Who is told of signals in place of the frame. */
class SignalTaker {
  listener: ((signal: NodeJS.Signals) => void) | undefined;

  readonly take = (listener: (signal: NodeJS.Signals) => void): (() => void) => {
    this.listener = listener;
    return () => void (this.listener = undefined);
  };
}

/** Ties signals and `--timeout` to the abort; gives the way to untie them. */
function watch(stop: AbortController, screen: Screen, taker: SignalTaker, { mainContext, globals }: ExecuteOptions): () => void {
  const ended = globals.timeoutMs === undefined ? undefined : new AbortController();
  let interruptedMs: number | undefined;
  const stopListening = mainContext.onInterrupt((signal) => {
    if (taker.listener !== undefined) return taker.listener(signal);
    const nowMs = mainContext.clock.monotonicMs();
    if (interruptedMs !== undefined && nowMs - interruptedMs < oneInterruptMs) return;
    interruptedMs = nowMs;
    if (stop.signal.aborted) {
      screen.close();
      return mainContext.exitNow(exitCodes.interrupted);
    }
    screen.write("stderr", "Interrupted. Interrupt again to stop at once.\n");
    stop.abort(new MachineError("interrupted", "Interrupted"));
  });
  if (globals.timeoutMs !== undefined) {
    const expire = (): void => stop.abort(timedOut(globals.timeoutMs as number));
    mainContext.clock.sleep(globals.timeoutMs, ended?.signal).then(expire, () => {});
  }
  return () => {
    stopListening();
    ended?.abort();
  };
}

function timedOut(timeoutMs: number): MachineError {
  return new MachineError("timeout", `The command did not finish within ${timeoutMs / 1_000} s`, {
    hint: "Give it more time with --timeout, or leave that out.",
  });
}
