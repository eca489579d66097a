/** `start`, `stop`, `kill`, `restart`: one verb each on one machine, in 0.16.2's words. */
import type { MachineState } from "../driver-kit/state.ts";
import { MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { waitForSsh } from "../ssh/connect.ts";
import { openHost, type Host } from "./host.ts";
import { engineUrlOf, waitForEngine } from "./engine-connection.ts";
import type { MachinePorts } from "./ports.ts";
import { waitForState } from "./wait-for-state.ts";

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
      await host.driver.start(signal);
      await waitUntilUsable(ports, host, signal);
    },
  },
  stop: {
    begin: "Stopping",
    end: "was stopped.",
    already: { state: "Stopped", words: "stopped" },
    act: async (ports, host, signal) => {
      await host.driver.stop(signal);
      await waitForState(ports, host, "Stopped", ports.timeouts.runningMs, signal);
    },
  },
  kill: {
    begin: "Killing",
    end: "was killed.",
    already: { state: "Stopped", words: "stopped" },
    act: async (ports, host, signal) => {
      await host.driver.kill(signal);
      await waitForState(ports, host, "Stopped", ports.timeouts.runningMs, signal);
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
  await using _lock = await ports.store.lockMachine(name, { purpose: `${verb} ${name}`, waitMs: ports.timeouts.lockMs, signal });
  await using host = await openHost(ports, name);
  const { begin, end, already, act } = verbs[verb];
  logTo(host.report, "info", `${begin} "${name}"...`);
  if (already !== undefined && (await host.driver.getState(signal)) === already.state) {
    throw new MachineError("machine-state", `Machine "${name}" is already ${already.words}.`);
  }
  await act(ports, host, signal);
  await host.save();
  logTo(host.report, "info", `Machine "${name}" ${end}`);
}

/** A stopped machine is started; a running one restarted; in between there is nothing sensible to do. */
async function restart(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  const state = await host.driver.getState(signal);
  if (state === "Stopped") await host.driver.start(signal);
  else await host.driver.restart(signal);
  await waitUntilUsable(ports, host, signal);
}

async function waitUntilUsable(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  await waitForState(ports, host, "Running", ports.timeouts.runningMs, signal);
  if (!host.module.capabilities.provisionable) return;
  logTo(host.report, "info", "Waiting for SSH to be available...");
  await using ssh = await waitForSsh({ open: host.openSsh, timeoutMs: ports.timeouts.sshMs, clock: ports.clock, signal, retryAuthentication: false });
  await ssh.close();
  await host.save();
  if ((await engineUrlOf(host)) !== "") await waitForEngine(ports, host, signal);
}
