/** What is said of a machine that does not answer where it is recorded: it does not run, or is somewhere else. */
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";
import { ask } from "./locate.ts";

/** 0.16.2's sentence, with what helps in that state. */
export function notRunning(host: Host, state: MachineState): MachineError {
  if (host.module.capabilities.guest === true) return shutOut(host);
  return new MachineError("machine-not-running", "Host is not running", { hint: wayToRun(host, state) });
}

/** Of a machine that is somebody else's, whose time is over or whose owner has taken it back. */
export function shutOut({ name }: Pick<Host, "name">, cause?: MachineError): MachineError {
  return new MachineError("ssh-authentication", `"${name}" is not shared with you any more`, {
    cause,
    hint: "Or never was with the key that is tried here. Ask its owner for another ticket, with what docker-machine share request prints.",
  });
}

/** What gets a machine to run, as a sentence. */
export function wayToRun({ name, module }: Pick<Host, "name" | "module">, state: MachineState): string {
  if (state === "Starting" || state === "Stopping") return `It is ${state.toLowerCase()}: try again in a moment.`;
  if (state === "Error") return `See what is wrong with: docker-machine status ${name}`;
  if (module.capabilities.lifecycle.start) return `Start it with: docker-machine start ${name}`;
  return "It cannot be started from here: switch it on, and see that its SSH port can be reached.";
}

/**
 * Returns where there is nothing more to say than that the engine is silent. Throws `machine-not-running` unless the
 * state is Running, and `machine-state` where its provider has the machine at another address by now.
 */
export async function requireReachable(
  context: MachineContext,
  host: Host,
  state: MachineState,
  signal: AbortSignal,
): Promise<void> {
  if (state !== "Running") throw notRunning(host, state);
  if (host.driver.locate === undefined) return;
  const recorded = await host.driver.getIp();
  const present = await ask(context, host, signal).catch((error: unknown) => {
    // Who cannot say where it is does not explain the silence.
    if (isMachineError(error) && !signal.aborted) return undefined;
    throw error;
  });
  if (present === undefined || present === recorded) return;
  throw new MachineError("machine-state", `"${host.name}" runs at another address than before: ${present}, not ${recorded}`, {
    hint: `Have it recorded, and the engine's certificate made for it, with: docker-machine regenerate-certs ${host.name}`,
  });
}
