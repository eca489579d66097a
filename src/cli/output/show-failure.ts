/** How a run that failed is shown: help where it belongs, the error's lines, for a bug of ours a report file. */
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { withoutControls } from "../../log/plain-text.ts";
import type { Redactor } from "../../log/redact.ts";
import type { Clock } from "../../system/clock.ts";
import type { Computer } from "../../system/computer.ts";
import type { Command, Invocation } from "../command.ts";
import type { GlobalOptions, Streams } from "../cli-context.ts";
import { globalOptions } from "../flags/global-options.ts";
import { doctorCommand } from "./doctor-advice.ts";
import { errorObject, renderError, type ErrorTextOptions } from "./render-error.ts";
import { Reporter } from "./reporter.ts";
import { Screen } from "./screen.ts";
import { FlagError, UsageError } from "../usage-error.ts";

export interface Failure {
  readonly computer: Computer;
  readonly streams: Streams;
  readonly clock: Clock;
  /** The runtime's name and version. */
  readonly runtime: string;
  readonly redactor: Redactor;
  readonly compat: boolean;
  /** Undefined when the run ended before a command was found. */
  readonly command: Command | undefined;
  /** Undefined when it ended before that was known. */
  readonly invocation: Invocation | undefined;
  readonly argv: readonly string[];
  /** Whether all of its flags were read: not those behind an unknown command or driver, or with one that is wrong. */
  readonly isParsed: boolean;
  /** As `globalOptions` takes them; empty when the flags could not be parsed. */
  readonly globalSources: readonly DriverOptions[];
  printHelp(): Promise<void>;
}

export async function showFailure(error: unknown, failure: Failure): Promise<void> {
  const doctor = failure.invocation === undefined ? undefined : doctorCommand(error, failure.invocation);
  const globals = optionsOrNone(failure);
  const isJson = globals?.output === "json" || (!failure.isParsed && asksForJson(failure.argv));
  if (error instanceof FlagError && !isJson) failure.streams.stdout.write("Incorrect Usage.\n\n");
  if (error instanceof UsageError && error.showHelp && !isJson) await failure.printHelp();
  const report = isMachineError(error) ? undefined : await reportBug(error, failure, globals);
  if (isJson) return showAsJson(error, doctor, failure);
  const text = renderError(error, { debug: globals?.debug ?? false, compat: failure.compat, doctor, report });
  failure.streams.stderr.write(`${withoutControls(failure.redactor.redact(text))}\n`);
}

function optionsOrNone(failure: Failure): GlobalOptions | undefined {
  try {
    return globalOptions(failure.globalSources, failure.computer);
  } catch {
    // The options themselves may be what failed.
    return undefined;
  }
}

/** Where the flags cannot be read as a whole, this one is looked for by hand. */
function asksForJson(argv: readonly string[]): boolean {
  return argv.some((word, index) => /^--?output=json$/u.test(word) || (/^--?output$/u.test(word) && argv[index + 1] === "json"));
}

function showAsJson(error: unknown, doctor: string | undefined, failure: Failure): void {
  const { streams, redactor, clock } = failure;
  const output = failure.command?.output ?? "facts";
  new Reporter({ screen: new Screen(streams), redactor, clock, debug: false, format: "json", output }).writeObject(
    errorObject(error, doctor),
  );
}

async function reportBug(
  error: unknown,
  failure: Failure,
  globals: GlobalOptions | undefined,
): Promise<ErrorTextOptions["report"]> {
  try {
    const { writeCrashReport } = await import("./crash-report.ts");
    return { file: await writeCrashReport(error, failure, globals?.storagePath) };
  } catch (problem) {
    return { problem: problem instanceof Error ? problem.message : String(problem) };
  }
}
