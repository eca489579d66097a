/** `start`, `stop`, `kill`, `restart`: one verb each on one machine, in 0.16.2's words. */
import type { MachineState } from "../driver-kit/state.ts";
import { MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { waitForSsh } from "../ssh/connect.ts";
import { within } from "./bounded.ts";
import { certifyAddress } from "./certificates.ts";
import type { Host } from "./host.ts";
import { openHost } from "./open-host.ts";
import { engineUrlOf, waitForEngine } from "./engine-connection.ts";
import { lockMachine } from "./lock.ts";
import type { MachinePorts } from "./ports.ts";
import { stateOf, waitForState } from "./wait-for-state.ts";

export type LifecycleVerb = "start" | "stop" | "kill" | "restart";

interface Verb {
  readonly begin: string;
  readonly end: string;
  /** The state in which there is nothing to do, which 0.16.2 calls an error. */
  readonly already?: { readonly state: MachineState; readonly words: string };
  act(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void>;
}

const verbs: Readonly<Record<LifecycleVerb, Verb>> = {
  start: {
    begin: "Starting",
    end: "was started.",
    already: { state: "Running", words: "running" },
    act: async (ports, host, signal) => {
      await drive(ports, host, "start", signal);
      await waitUntilUsable(ports, host, signal);
    },
  },
  stop: {
    begin: "Stopping",
    end: "was stopped.",
    already: { state: "Stopped", words: "stopped" },
    act: async (ports, host, signal) => {
      await drive(ports, host, "stop", signal);
      await waitForState(ports, host, "Stopped", signal);
    },
  },
  kill: {
    begin: "Killing",
    end: "was killed.",
    already: { state: "Stopped", words: "stopped" },
    act: async (ports, host, signal) => {
      await drive(ports, host, "kill", signal);
      await waitForState(ports, host, "Stopped", signal);
    },
  },
  restart: {
    begin: "Restarting",
    end: "was restarted.",
    act: restart,
  },
};

/** Throws `machine-state` when the machine is in the wanted state already, and the driver's own refusals. */
export async function changeState(ports: MachinePorts, name: string, verb: LifecycleVerb, signal: AbortSignal): Promise<void> {
  await using _lock = await lockMachine(ports, name, verb, signal);
  await using host = await openHost(ports, name);
  const { begin, end, already, act } = verbs[verb];
  logTo(host.report, "info", `${begin} "${name}"...`);
  if (already !== undefined && (await stateOf(ports, host, signal)) === already.state) {
    throw new MachineError("machine-state", `Machine "${name}" is already ${already.words}.`);
  }
  await act(ports, host, signal);
  await host.save();
  logTo(host.report, "info", `Machine "${name}" ${end}`);
}

async function drive(ports: MachinePorts, host: Host, verb: LifecycleVerb, signal: AbortSignal): Promise<void> {
  const otherwise = `The driver of "${host.name}" did not ${verb} the instance`;
  await within(
    { ms: ports.timeouts.driverMs, otherwise, clock: ports.clock, signal },
    async (bound) => await host.driver[verb](bound),
  );
}

/** A stopped machine is started; a running one restarted; in between there is nothing sensible to do. */
async function restart(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  const state = await stateOf(ports, host, signal);
  if (state === "Stopped") await drive(ports, host, "start", signal);
  else await drive(ports, host, "restart", signal);
  await waitUntilUsable(ports, host, signal);
}

async function waitUntilUsable(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  await waitForState(ports, host, "Running", signal);
  if (!host.module.capabilities.provisionable) return;
  logTo(host.report, "info", "Waiting for SSH to be available...");
  await using ssh = await waitForSsh({
    open: host.openSsh,
    timeoutMs: ports.timeouts.sshMs,
    clock: ports.clock,
    signal,
    retryAuthentication: false,
  });
  await ssh.close();
  await host.save();
  if ((await engineUrlOf(host)) === "") return;
  await certifyAddress(ports, host, signal);
  await waitForEngine(ports, host, signal);
}
