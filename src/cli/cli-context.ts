/**
 * What a command is given besides its arguments: the computer it runs on, its streams, the global options, and the
 * ways to report, ask and stop. A command touches `process` nowhere.
 */
import type { Report } from "../log/event.ts";
import type { Redactor } from "../log/redact.ts";
import type { Computer } from "../system/computer.ts";
import type { OutputStream } from "../system/process-output.ts";

/** The program's path as typed and its last part; descriptions name the program. */
export interface ProgramName {
  readonly path: string;
  readonly base: string;
}

export interface InputStream {
  readonly isTerminal: boolean;
  /** The next line without its end, or undefined at the end of input. Rejects with the signal's reason. */
  readLine(signal: AbortSignal): Promise<string | undefined>;
  /** As `readLine`, without showing what is typed on a terminal; `onHidden` is called when that is so. */
  readSecretLine(signal: AbortSignal, onHidden: () => void): Promise<string | undefined>;
  /** Every key of a terminal as it is pressed, unseen. Gives the way to have the terminal as it was. */
  takeKeys(listener: KeyListener): Promise<() => void>;
}

export interface KeyListener {
  onKey(key: string): void;
  /** The program is about to be stopped, as by Ctrl-Z: what is drawn should be taken away. */
  onSuspend(): void;
}

export interface Streams {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export interface GlobalOptions {
  readonly debug: boolean;
  /** Absolute. Throws `store-unusable` when it is not given and no home directory is known. */
  readonly storagePath: string;
  /** Undefined = the store's own. */
  readonly tlsCaCert: string | undefined;
  readonly tlsCaKey: string | undefined;
  readonly tlsClientCert: string | undefined;
  readonly tlsClientKey: string | undefined;
  readonly githubApiToken: string | undefined;
  readonly nativeSsh: boolean;
  readonly output: "text" | "json";
  /** Bound on the whole command. The frame keeps it, through {@link CliContext.signal}. */
  readonly timeoutMs: number | undefined;
}

/** How the work on each of several machines is shown. */
export interface ProgressView {
  /** Receives the events of one machine. */
  reportFor(machineName: string): Report;
  /** The machine's work ended; `error` as it was thrown. Prints nothing by itself. */
  finish(machineName: string, error?: unknown): void;
  /** Removes what is drawn. Idempotent. */
  close(): void;
}

/** Lines that are redrawn in place on standard output. */
export interface LiveLines {
  readonly columns: number;
  readonly hasColour: boolean;
  /** Replaces what is drawn; no lines removes it. */
  draw(lines: readonly string[]): void;
}

export interface CliContext {
  readonly computer: Computer;
  readonly streams: Streams;
  readonly globals: GlobalOptions;
  /** MACHINE_COMPAT=0.16: exit codes and defaults of 0.16.2 where they differ. */
  readonly compat: boolean;
  readonly program: ProgramName;
  /** As {@link MainContext.ownProgram}. */
  readonly ownProgram: readonly string[] | undefined;
  /** The whole command line as typed, the program first: what `env` tells the user to run. */
  readonly commandLine: readonly string[];
  readonly redactor: Redactor;
  /** Shows events of the command itself; secrets are redacted. */
  readonly report: Report;
  /** Aborted by a signal or `--timeout`; its reason is the error to end with. */
  readonly signal: AbortSignal;
  /**
   * Hands signals over to a command that runs another program in its place: none of them aborts {@link signal} until the
   * way back is called, which this gives.
   */
  takeSignals(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Prints one line of result to standard output, secrets redacted; of commands of progress with `--output json` as an event. */
  print(line: string): void;
  /** Prints a value as JSON, for `--output json`, secrets redacted. */
  printJson(value: unknown): void;
  /** Prints the command's help to standard output. */
  showHelp(): Promise<void>;
  /** Asks a question answered by y or n, as 0.16.2 does: anything that does not begin with y is a no. Undefined at the end of input, where 0.16.2 ends no line. */
  confirm(question: string, unanswered?: "" | "\n"): Promise<boolean | undefined>;
  /** Asks for a line; undefined at the end of input. */
  ask(question: string): Promise<string | undefined>;
  /** Asks for a password on the terminal; undefined where there is no terminal. The answer is redacted from then on. */
  askSecret(question: string): Promise<string | undefined>;
  /** Undefined where standard output is no terminal, one that cannot move its cursor, or debug lines are wanted. */
  liveLines(): LiveLines | undefined;
  /** Shows the work on machines: plain lines, on a terminal a live view, with `--output json` NDJSON. */
  showProgress(machineNames: readonly string[]): Promise<ProgressView>;
}
