/** Makes the context of a command: streams, reporter and terminal put together. */
import { withoutControls } from "../log/plain-text.ts";
import type { Redactor } from "../log/redact.ts";
import type { Computer } from "../system/computer.ts";
import type { Invocation } from "./command.ts";
import type { CliContext, GlobalOptions, LiveLines, ProgramName, ProgressView, Streams } from "./cli-context.ts";
import type { MainContext } from "./main-context.ts";
import { Reporter } from "./output/reporter.ts";
import type { Screen } from "./output/screen.ts";

export interface ExecuteOptions {
  readonly computer: Computer;
  readonly streams: Streams;
  readonly mainContext: MainContext;
  readonly globals: GlobalOptions;
  readonly compat: boolean;
  readonly program: ProgramName;
  readonly commandLine: readonly string[];
  readonly redactor: Redactor;
  showHelp(): Promise<void>;
}

export function commandContext(
  invocation: Invocation,
  options: ExecuteOptions,
  screen: Screen,
  signal: AbortSignal,
  takeSignals: CliContext["takeSignals"],
): CliContext {
  const { streams, redactor, globals, computer, mainContext } = options;
  const { output } = invocation.command;
  const { debug, output: format } = globals;
  const reporter = new Reporter({ screen, redactor, clock: mainContext.clock, debug, format, output });
  // Asked last: to ask whether it is a terminal opens a stream, whose errors come late.
  const plain = (line: string): string => {
    const safe = withoutControls(line);
    return safe !== line && streams.stdout.isTerminal ? safe : line;
  };
  const write = (line: string): void => screen.write("stdout", `${plain(redactor.redact(line))}\n`);
  // Standard output is NDJSON there; a line of result is an event like the others.
  const print =
    format === "json" && output === "progress" ? (text: string) => reporter.report({ type: "log", level: "info", text }) : write;
  const isLive = (): boolean =>
    format === "text" && !debug && canMoveCursor(computer.env) && streams[reporter.eventStream].isTerminal;
  const showProgress = async (names: readonly string[]): Promise<ProgressView> => {
    if (!isLive()) return new (await import("./output/line-progress.ts")).LineProgress(reporter, names);
    const { LiveProgress } = await import("./output/live-progress.ts");
    return new LiveProgress(reporter, screen, reporter.eventStream, mainContext.clock, names);
  };
  const liveLines = (): LiveLines | undefined => {
    if (format !== "text" || debug || computer.env["TERM"] === "dumb" || !streams.stdout.isTerminal) return undefined;
    const draw = (lines: readonly string[]): void =>
      screen.setFooter(
        "stdout",
        lines.map((line) => redactor.redact(line)),
      );
    return {
      get columns() {
        return streams.stdout.columns;
      },
      hasColour: (computer.env["NO_COLOR"] ?? "") === "",
      draw,
    };
  };
  return {
    computer,
    streams,
    globals,
    compat: options.compat,
    program: options.program,
    ownProgram: mainContext.ownProgram,
    commandLine: options.commandLine,
    redactor,
    report: reporter.report,
    signal,
    takeSignals,
    print,
    printJson: (value) => write(JSON.stringify(value, undefined, 4)),
    showHelp: () => options.showHelp(),
    showProgress,
    liveLines,
    confirm: (question, unanswered = "") =>
      screen.withoutFooter(async () =>
        (await import("./terminal/prompt.ts")).confirm(question, streams, signal, {
          shownOn: format === "json" ? "stderr" : "stdout",
          unanswered,
        }),
      ),
    ask: (question) =>
      screen.withoutFooter(async () =>
        (await import("./terminal/prompt.ts")).askLine(question, streams, signal, format === "json" ? "stderr" : "stdout"),
      ),
    askSecret: async (question) => {
      const ask = async (): Promise<string | undefined> =>
        (await import("./terminal/prompt.ts")).askSecret(question, streams, signal);
      const answer = await screen.withoutFooter(ask);
      redactor.add(answer);
      return answer;
    },
  };
}

/** NO_COLOR is taken as the wish for plain output altogether. */
function canMoveCursor(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}
