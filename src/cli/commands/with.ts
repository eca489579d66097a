/** `with NAME -- COMMAND`: a program of this computer, for which a machine's engine is the docker engine. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { constants } from "node:os";
import * as path from "node:path";
import { MachineError, messageOf, systemCodeOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { openClientEnvironment } from "../../machine/host/client-environment.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { openKeptFolder } from "../../ssh/kept-folder.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { nameOrDefault } from "../named-machines.ts";
import { openAskingContext } from "../open-context.ts";

/** Gives the program's exit status, 128 + n where signal n ended it. */
export async function run({ options, args, words = [] }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openAskingContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  await using environment = await openClientEnvironment(machineContext, host, options.bool("ssh"), context.signal);
  const env = { ...context.computer.env, ...environment.variables };
  const status =
    words.length > 0
      ? await runProgram(machineContext, words, env, context)
      : await runShell(machineContext, host.name, env, context);
  if (status !== 0) await environment.check().catch((error: unknown) => logTo(context.report, "warn", messageOf(error)));
  return status;
}

type Environment = Readonly<Record<string, string | undefined>>;

async function runProgram(
  { processes }: MachineContext,
  [program = "", ...args]: readonly string[],
  env: Environment,
  context: CliContext,
): Promise<number> {
  const child = processes.spawn(program, args, { stdio: "inherit", env: withoutAbsent(env) });
  const giveBack = context.takeSignals((signal) => passOn(signal, child, context));
  const onAbort = (): boolean => child.kill("SIGTERM");
  context.signal.addEventListener("abort", onAbort, { once: true });
  try {
    const [status, endedBy] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    context.signal.throwIfAborted();
    return endedBy === null ? (status ?? 1) : 128 + constants.signals[endedBy];
  } catch (error) {
    throw context.signal.aborted ? error : notStarted(program, error);
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    giveBack();
  }
}

/** What is typed at a terminal reaches the whole group of processes: a second one would mean something else to the program. */
function passOn(signal: NodeJS.Signals, child: ChildProcess, { streams }: CliContext): void {
  if (signal !== "SIGINT" || !streams.stdin.isTerminal) child.kill(signal);
}

function notStarted(program: string, error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code === "ENOENT")
    return new MachineError("program-missing", `${program} is not installed on this computer, or not on PATH`, { cause: error });
  if (code === "EACCES")
    return new MachineError("program-missing", `${program} cannot be run: permission denied`, { cause: error });
  return error;
}

/** Their names only: a variable without a value would be the text "undefined". */
function withoutAbsent(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}

/** The user's own shell, whose prompt says which machine it is for. */
async function runShell(machineContext: MachineContext, name: string, env: Environment, context: CliContext): Promise<number> {
  const { os } = context.computer;
  const shell = os === "windows" ? (env["ComSpec"] ?? "cmd.exe") : env["SHELL"] || "/bin/sh";
  if (context.streams.stdin.isTerminal) logTo(context.report, "info", `The engine of "${name}" is this shell's; "exit" ends it.`);
  if (path.basename(shell) !== "bash") return await runProgram(machineContext, [shell], { ...env, PS1: `(${name}) $ ` }, context);
  await using folder = await openKeptFolder(context.computer, machineContext.processes);
  const file = path.join(folder.path, "bashrc");
  await writeFile(file, `[ -r ~/.bashrc ] && . ~/.bashrc\nPS1="(${name}) $PS1"\n`, { mode: 0o600 });
  return await runProgram(machineContext, [shell, "--rcfile", file], env, context);
}
