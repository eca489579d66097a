/** `exec [NAME...] -- COMMAND`: the same command on many machines at once. */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { MachineError, systemCodeOf } from "../../errors/machine-error.ts";
import { withoutControls } from "../../log/plain-text.ts";
import { execOnMachine, type ExecResult } from "../../machine/exec.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import type { Outcome } from "../../machine/machine-context.ts";
import { quoteCommand } from "../../ssh/shell-quote.ts";
import { explainFileError } from "../../system/files.ts";
import { LineSplitter } from "../../system/line-splitter.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { groupedLines, prefixesOf } from "../exec/grouped-output.ts";
import { parseTimeout } from "../flags/global-options.ts";
import { openContext } from "../open-context.ts";
import { selectedNames } from "../selection/select-machines.ts";

/** What a parallel of 1,000 would do to this computer helps nobody. */
const mostAtOnce = 256;

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const command = commandOf(invocation);
  const atOnce = options.int("parallel");
  if (atOnce < 1 || atOnce > mostAtOnce) throw new MachineError("usage", `--parallel takes 1 to ${mostAtOnce}, not ${atOnce}`);
  const timeoutMs = parseTimeout(options.string("timeout"));
  const stdin = await inputOf(options.string("stdin"), context);
  const machineContext = openContext(context);
  const names = await selectedNames(machineContext, invocation, context);
  const isStreamed = context.globals.output === "text" && !options.bool("group");
  const prefixes = prefixesOf(names);
  const outcomes = await forEachMachine(names, atOnce, async (name) => {
    const lines = isStreamed ? new PrefixedLines(context, names.length === 1 ? "" : (prefixes.get(name) ?? "")) : undefined;
    try {
      const onOutput = lines?.take;
      return await execOnMachine(machineContext, name, { command, stdin, timeoutMs, onOutput }, context.signal);
    } finally {
      lines?.end();
    }
  });
  context.signal.throwIfAborted();
  const results = outcomes.flatMap(({ value }) => value ?? []);
  if (context.globals.output === "json") context.printJson(results);
  else if (!isStreamed) for (const line of groupedLines(results)) context.print(line);
  throwFailures(outcomes.map(asFailure));
}

/** One word is a line of shell; several are a program and its arguments, each as it is. */
function commandOf({ args, words = [] }: Invocation): string {
  const [first, ...rest] = words;
  if (first === undefined) {
    throw new MachineError("usage", "Error: No command is given", {
      hint: `It stands behind two dashes: docker-machine exec ${exampleFor(args)}`,
    });
  }
  return rest.length === 0 ? first : quoteCommand(words);
}

/** The words that were typed, with the dashes where they are most likely missing. */
function exampleFor([name, ...rest]: readonly string[]): string {
  return name === undefined || rest.length === 0 ? `${name ?? "web-1 web-2"} -- uptime` : `${name} -- ${quoteCommand(rest)}`;
}

async function inputOf(file: string, { computer }: CliContext): Promise<Uint8Array | undefined> {
  if (file === "") return undefined;
  const absolute = path.resolve(computer.cwd, file);
  return await readFile(absolute).catch((error: unknown) => {
    if (systemCodeOf(error) === "ENOENT") throw new MachineError("usage", `--stdin ${file} does not exist`);
    throw explainFileError(error, absolute, "read");
  });
}

/** A status other than 0 is a failure of the whole. */
function asFailure({ name, value, error }: Outcome<ExecResult>): Outcome<ExecResult> {
  if (value === undefined) return { name, error };
  if (value.status === 0) return { name, value };
  return { name, error: new MachineError("remote-command", `The command ended with status ${value.status} on "${name}"`) };
}

/** Each line as it completes, to the stream it came from. */
class PrefixedLines {
  readonly #stdout: LineSplitter;
  readonly #stderr: LineSplitter;

  constructor({ print, redactor, streams }: CliContext, prefix: string) {
    this.#stdout = new LineSplitter((line) => print(prefix + line));
    this.#stderr = new LineSplitter((line) => streams.stderr.write(`${withoutControls(redactor.redact(prefix + line))}\n`));
  }

  readonly take = (stream: "stdout" | "stderr", chunk: Uint8Array): void => {
    (stream === "stdout" ? this.#stdout : this.#stderr).push(chunk);
  };

  end(): void {
    this.#stdout.end();
    this.#stderr.end();
  }
}
