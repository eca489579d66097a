/**
 * `wait`: until a machine is what somebody needs of it. Nothing is changed and no lock taken, so that one can wait for
 * what another command is at work on; the record is read anew each time, for the address may change meanwhile.
 */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { poll, type Attempt } from "../system/waiting.ts";
import { engineUrlOf, pingEngine } from "./host/engine-connection.ts";
import { isProvisioned, type Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { stateOf } from "./host/wait-for-state.ts";
import type { MachineContext } from "./machine-context.ts";
import { keepPublished } from "./published/keep.ts";

/** What is waited for: the engine's answer, a login over SSH, or a state at the provider. */
export const waitGoals = ["engine", "ssh", "running", "stopped"] as const;
export type WaitGoal = (typeof waitGoals)[number];

const pace = { firstMs: 250, mostMs: 2_000 };

/**
 * Throws `machine-not-found`, `driver-unsupported` where the goal is not to be had of such a machine, and `timeout` with what was in the way last.
 * @param ms bound in milliseconds
 */
export async function waitForMachine(
  context: MachineContext,
  name: string,
  goal: WaitGoal | undefined,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  const ask = async ({ remainingMs, note }: Attempt): Promise<true | undefined> => {
    await using host = await openHost(context, name);
    try {
      await reach(context, host, goal ?? usefulGoal(host), Math.max(remainingMs, 1), signal);
      if (goal !== "stopped") await keepPublished(context, host);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      // What the driver has no way for does not come.
      if (!isMachineError(error) || isMachineError(error, "driver-unsupported")) throw error;
      note(error);
      return undefined;
    }
  };
  await poll({ ms, clock: context.clock, signal }, pace, ask, (last) => late(name, goal, ms, last));
}

/** What a machine is of use by. */
function usefulGoal(host: Host): WaitGoal {
  return isProvisioned(host) ? "engine" : "running";
}

async function reach(context: MachineContext, host: Host, goal: WaitGoal, atMostMs: number, signal: AbortSignal): Promise<void> {
  switch (goal) {
    case "engine": {
      const url = await engineUrlOf(host);
      if (url === "") throw new MachineError("machine-not-running", "it has no address yet");
      return await pingEngine(context, host, url, signal, "by-name-too", atMostMs);
    }
    case "ssh": {
      await using ssh = await host.openSsh();
      await ssh.connect(signal);
      return;
    }
    case "running":
      return await requireState(context, host, "Running", signal);
    case "stopped":
      return await requireState(context, host, "Stopped", signal);
  }
}

async function requireState(
  context: MachineContext,
  host: Host,
  wanted: "Running" | "Stopped",
  signal: AbortSignal,
): Promise<void> {
  const state = await stateOf(context, host, signal);
  if (state !== wanted) throw new MachineError("machine-state", state === "" ? "it has no state" : `it is ${state}`);
}

function late(name: string, goal: WaitGoal | undefined, ms: number, last: unknown): MachineError {
  const wanted = goal === "stopped" ? "did not stop" : goal === "ssh" ? "was not reached by SSH" : "was not ready";
  return new MachineError("timeout", `"${name}" ${wanted} within ${ms / 1_000} s: ${messageOf(last)}`, {
    cause: last,
    hint: isMachineError(last) ? last.hint : undefined,
  });
}
