/** What use cases are given, made from what the user typed. */
import { assemble } from "../assembly/assemble.ts";
import { timeoutsOf } from "../assembly/timeout-variables.ts";
import type { Report } from "../log/event.ts";
import type { MachineContext } from "../machine/machine-context.ts";
import type { CliContext } from "./cli-context.ts";

/** For so long somebody at a terminal waits for an engine's first word, who has not asked for more. */
const personsPatienceMs = 5_000;

/**
 * As {@link openContext}, for commands that ask an engine one question and have nothing to do until it is answered. Programs
 * wait as long as 0.16.2 does.
 */
export function openAskingContext(context: CliContext): MachineContext {
  const opened = openContext(context);
  const { globals, compat, computer, streams } = context;
  const isAskedFor = globals.timeoutMs !== undefined || (computer.env["MACHINE_TIMEOUT_ENGINE_REQUEST"] ?? "") !== "";
  if (compat || isAskedFor || !streams.stderr.isTerminal) return opened;
  return { ...opened, timeouts: { ...opened.timeouts, engineRequestMs: personsPatienceMs } };
}

/** @param reportFor where events of one machine go; the command's own report unless given. */
export function openContext(context: CliContext, reportFor?: (machineName: string) => Report): MachineContext {
  const { globals, computer, redactor, signal, ownProgram } = context;
  return assemble({
    computer,
    redactor,
    signal,
    storePath: globals.storagePath,
    timeouts: timeoutsOf(computer.env),
    nativeSsh: globals.nativeSsh,
    certificates: {
      caCertPath: globals.tlsCaCert,
      caKeyPath: globals.tlsCaKey,
      clientCertPath: globals.tlsClientCert,
      clientKeyPath: globals.tlsClientKey,
    },
    ownProgram: ownProgram && (globals.nativeSsh ? [...ownProgram, "--native-ssh"] : ownProgram),
    reportFor: (name) => (name === undefined || reportFor === undefined ? context.report : reportFor(name)),
    askSudoPassword: async (name) => await context.askSecret(`Password for sudo on ${name}: `),
  });
}
