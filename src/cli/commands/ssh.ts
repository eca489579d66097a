import type { MachineState } from "../../driver-kit/state.ts";
import type { ErrorCode } from "../../errors/codes.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { Host } from "../../machine/host/host.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { stateOf } from "../../machine/host/wait-for-state.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { keepPublished } from "../../machine/published/keep.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import { parseSshWords } from "../../ssh/ssh-words.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { namesOrDefault } from "../selection/select-machines.ts";

/** Everything behind the machine's name is for ssh, dashes and all. */
export async function run({ args }: Invocation, context: CliContext): Promise<number> {
  const first = args[0];
  if (first === "-h" || first === "--help" || first === "-help") {
    await context.showHelp();
    return 0;
  }
  const machineContext = openContext(context);
  const [name = ""] = await namesOrDefault(machineContext, args.slice(0, 1));
  await using host = await openHost(machineContext, name);
  const session = parseSshWords(args.slice(1));
  const { adopted, guest } = host.module.capabilities;
  // Whether somebody else's box runs a login tells best, and one is needed anyway.
  const isAskedByLogin = adopted && guest !== true && session.sshFlags?.length === 0;
  if (!isAskedByLogin) await requireRunning(machineContext, host, context);
  await using ssh = await host.openSsh();
  if (isAskedByLogin) await login(machineContext, host, ssh, context);
  const status = await ssh.session({ ...session, signal: context.signal });
  return context.compat && status !== 0 ? 1 : status;
}

async function requireRunning(machineContext: MachineContext, host: Host, context: CliContext): Promise<void> {
  const state = await knownState(machineContext, host, context.signal);
  if (state === "Running") return await keepPublished(machineContext, host);
  if (state === undefined) return;
  if (host.module.capabilities.guest === true) throw (await import("../../machine/host/not-running.ts")).shutOut(host);
  throw notRunning(host, context);
}

/** In 0.16.2's words. */
function notRunning(host: Host, context: CliContext): MachineError {
  return new MachineError("machine-not-running", `Error: Cannot run SSH command: Host "${host.name}" is not running`, {
    hint: host.module.capabilities.lifecycle.start
      ? `Start it with: ${context.program.base} start ${host.name}`
      : "Its SSH server does not answer. Check its address, and that it is on and on the network: its driver cannot start it.",
  });
}

/** For a driver to find another sign of life where a login has just found nobody. */
const otherSignMs = 3_000;

/** Throws what the login throws, or that the machine does not run. */
async function login(machineContext: MachineContext, host: Host, ssh: SshExecutor, context: CliContext): Promise<void> {
  try {
    await ssh.connect(context.signal);
  } catch (error) {
    const { saysNobodyIsThere } = await import("../../ssh/ssh-errors.ts");
    if (!saysNobodyIsThere(error)) throw error;
    const state = await stateOf(machineContext, host, context.signal, otherSignMs).catch(() => undefined);
    context.signal.throwIfAborted();
    throw state === "Running" ? error : notRunning(host, context);
  }
  await keepPublished(machineContext, host);
}

/** That the provider does not answer us says nothing about the machine, whose address is recorded. */
const providersOwn: readonly ErrorCode[] = [
  "secret-unavailable",
  "provider-credentials",
  "provider-permission",
  "provider-rate-limit",
  "provider-unreachable",
  "provider-untrusted",
];

/** Undefined where the provider could not be asked: then SSH itself tells whether somebody is there. */
async function knownState(context: MachineContext, host: Host, signal: AbortSignal): Promise<MachineState | undefined> {
  try {
    return await stateOf(context, host, signal);
  } catch (error) {
    if (!isMachineError(error) || !providersOwn.includes(error.code)) throw error;
    logTo(host.report, "debug", `The state of "${host.name}" is not known: ${error.message}`);
    return undefined;
  }
}
