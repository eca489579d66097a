/** Makes the context of a command: streams, reporter and terminal put together. */
import type { Redactor } from "../log/redact.ts";
import type { HostPlatform } from "../system/host-platform.ts";
import type { Invocation } from "./command.ts";
import type { CliContext, GlobalOptions, ProgramName, ProgressView, Streams } from "./context.ts";
import { LineProgress } from "./line-progress.ts";
import { LiveProgress } from "./live-progress.ts";
import type { MainPorts } from "./main-ports.ts";
import { Reporter } from "./reporter.ts";
import { Screen } from "./screen.ts";

export interface ExecuteOptions {
  readonly platform: HostPlatform;
  readonly streams: Streams;
  readonly ports: MainPorts;
  readonly globals: GlobalOptions;
  readonly compat: boolean;
  readonly program: ProgramName;
  readonly commandLine: readonly string[];
  readonly redactor: Redactor;
  showHelp(): Promise<void>;
}

export function createContext(invocation: Invocation, options: ExecuteOptions, signal: AbortSignal): CliContext {
  const { streams, redactor, globals, platform, ports } = options;
  const screen = new Screen(streams);
  const { output } = invocation.command;
  const { debug, output: format } = globals;
  const reporter = new Reporter({ screen, redactor, clock: ports.clock, debug, format, output });
  const write = (line: string): void => screen.write("stdout", `${redactor.redact(line)}\n`);
  // Standard output is NDJSON there; a line of result is an event like the others.
  const print =
    format === "json" && output === "progress" ? (text: string) => reporter.report({ type: "log", level: "info", text }) : write;
  const isLive = (): boolean =>
    format === "text" && !debug && canMoveCursor(platform.env) && streams[reporter.eventStream].isTerminal;
  const showProgress = (names: readonly string[]): ProgressView =>
    isLive() ? new LiveProgress(reporter, screen, reporter.eventStream, ports.clock, names) : new LineProgress(reporter, names);
  return {
    platform,
    streams,
    globals,
    compat: options.compat,
    program: options.program,
    commandLine: options.commandLine,
    redactor,
    report: reporter.report,
    signal,
    print,
    printJson: (value) => write(JSON.stringify(value, undefined, 4)),
    showHelp: () => options.showHelp(),
    showProgress,
    confirm: (question) =>
      screen.withoutFooter(async () =>
        (await import("./prompt.ts")).confirm(question, streams, signal, format === "json" ? "stderr" : "stdout"),
      ),
    askSecret: async (question) => {
      const ask = async (): Promise<string | undefined> => (await import("./prompt.ts")).askSecret(question, streams, signal);
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
