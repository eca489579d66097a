/** Runs a command: builds its context, keeps the bound on time, turns signals into an abort. */
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import type { Redactor } from "../log/redact.ts";
import { logTo } from "../log/event.ts";
import type { HostPlatform } from "../system/host-platform.ts";
import type { Invocation, ProgramName } from "./command.ts";
import type { CliContext, GlobalOptions, Streams } from "./context.ts";
import { exitCodes } from "./exit-code.ts";
import { LineProgress } from "./line-progress.ts";
import type { MainPorts } from "./main.ts";
import { Reporter } from "./reporter.ts";

export interface ExecuteOptions {
  readonly platform: HostPlatform;
  readonly streams: Streams;
  readonly ports: MainPorts;
  readonly globals: GlobalOptions;
  readonly compat: boolean;
  readonly program: ProgramName;
  readonly commandLine: readonly string[];
  readonly redactor: Redactor;
  /** Values of secret flags; never shown from here on. */
  readonly secrets: readonly string[];
  /** What was odd about the environment; one sentence each. */
  readonly warnings: readonly string[];
  showHelp(): Promise<void>;
}

/** Gives what the command's `run` gives. */
export async function execute(invocation: Invocation, options: ExecuteOptions): Promise<number | void> {
  for (const secret of options.secrets) options.redactor.add(secret);
  const stop = new AbortController();
  const release = watch(stop, options);
  try {
    const context = createContext(invocation, options, stop.signal);
    for (const warning of options.warnings) options.streams.stderr.write(`${options.redactor.redact(warning)}\n`);
    const load = invocation.command.load as NonNullable<typeof invocation.command.load>;
    return await (await load()).run(invocation, context);
  } catch (error) {
    // A call that was aborted may reject with its own AbortError; what counts is why it was aborted.
    throw stop.signal.aborted && !isMachineError(error) ? stop.signal.reason : error;
  } finally {
    release();
  }
}

function createContext(invocation: Invocation, options: ExecuteOptions, signal: AbortSignal): CliContext {
  const { streams, redactor, globals } = options;
  const { output } = invocation.command;
  const reporter = new Reporter({ streams, redactor, debug: globals.debug, format: globals.output, output });
  const print = (line: string): void => streams.stdout.write(`${redactor.redact(line)}\n`);
  return {
    platform: options.platform,
    streams,
    globals,
    compat: options.compat,
    program: options.program,
    commandLine: options.commandLine,
    redactor,
    report: reporter.report,
    signal,
    print,
    printJson: (value) => print(JSON.stringify(value, undefined, 4)),
    showHelp: () => options.showHelp(),
    confirm: async (question) => await (await import("./prompt.ts")).confirm(question, streams, signal),
    askSecret: async (question) => {
      const answer = await (await import("./prompt.ts")).askSecret(question, streams, signal);
      redactor.add(answer);
      return answer;
    },
    showProgress: (machineNames) => new LineProgress(reporter, machineNames),
  };
}

/** Ties signals and `--timeout` to the abort; gives the way to untie them. */
function watch(stop: AbortController, options: ExecuteOptions): () => void {
  const { ports, streams, globals } = options;
  const stopWatching = ports.onInterrupt(() => {
    if (stop.signal.aborted) return ports.exitNow(exitCodes.interrupted);
    streams.stderr.write("Interrupted: undoing what was begun. Interrupt again to stop at once.\n");
    stop.abort(new MachineError("interrupted", "Interrupted"));
  });
  const timer = globals.timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(timedOut(globals.timeoutMs)), globals.timeoutMs);
  return () => {
    stopWatching();
    clearTimeout(timer);
  };
}

function timedOut(timeoutMs: number | undefined): MachineError {
  return new MachineError("timeout", `The command did not finish within ${Number(timeoutMs) / 1_000} s`, {
    hint: "Give it more time with --timeout, or leave that out.",
  });
}
