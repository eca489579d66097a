/** Switching a server: what Nova calls an action (https://docs.openstack.org/api-ref/compute/#servers-run-an-action-servers-action). */
import type { MachineState } from "../../driver-kit/state.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import { gone } from "./creation.ts";
import { stateAt } from "./state.ts";
import { pace, recordedServer, taskOf, type Server, type Workplace } from "./workplace.ts";

/** How a server that does not run is made to. */
const startActions: Readonly<Record<string, string>> = {
  PAUSED: "unpause",
  SUSPENDED: "resume",
  SHELVED: "unshelve",
  SHELVED_OFFLOADED: "unshelve",
};

export async function start(place: Workplace, signal: AbortSignal): Promise<void> {
  const server = await requireIdle(place, signal);
  if (stateAt(server) === "Running") return;
  await act(place, { [startActions[server.status] ?? "os-start"]: null }, "Running", signal);
}

export async function stop(place: Workplace, signal: AbortSignal): Promise<void> {
  logTo(
    place.context.report,
    "info",
    "An instance that is stopped keeps its place, its addresses and volumes, and mostly its price; rm ends that.",
  );
  await switchOff(place, signal);
}

/** OpenStack has no harder way for users than that which `stop` takes: Nova gives the guest a minute, and then ends it. */
export async function kill(place: Workplace, signal: AbortSignal): Promise<void> {
  await switchOff(place, signal);
}

async function switchOff(place: Workplace, signal: AbortSignal): Promise<void> {
  const server = await requireIdle(place, signal);
  if (stateAt(server) !== "Stopped") await act(place, { "os-stop": null }, "Stopped", signal);
}

/** The guest is asked, and what does not answer is forced; returns when it is through. */
export async function restart(place: Workplace, signal: AbortSignal): Promise<void> {
  const server = await requireIdle(place, signal);
  if (stateAt(server) === "Stopped") return await start(place, signal);
  const type = server.status === "ERROR" ? "HARD" : "SOFT";
  await act(place, { reboot: { type } }, undefined, signal);
  const { clock, machineName, operationMs } = place.context;
  const isBack = async (): Promise<true | undefined> => {
    const now = await requireServer(place, signal);
    return taskOf(now) === "" && !["REBOOT", "HARD_REBOOT"].includes(now.status) ? true : undefined;
  };
  await poll({ ms: operationMs, clock, signal }, pace, isBack, `OpenStack did not finish to restart "${machineName}"`);
}

/** @param goal it is worth doing only while that is not so; undefined: in any state, and never twice */
async function act(place: Workplace, body: object, goal: MachineState | undefined, signal: AbortSignal): Promise<void> {
  const path = `/servers/${place.config.MachineId}/action`;
  try {
    await place.api.send("compute", { method: "POST", path, body, safe: goal !== undefined }, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Others were first, or an answer was lost.
    if (goal === undefined || !isReached(await requireServer(place, signal), goal)) throw error;
  }
}

function isReached(server: Server, goal: MachineState): boolean {
  const state = stateAt(server);
  return state === goal || state === (goal === "Running" ? "Starting" : "Stopping");
}

async function requireServer(place: Workplace, signal: AbortSignal): Promise<Server> {
  const server = await recordedServer(place, signal);
  if (server === undefined) throw gone(place);
  return server;
}

/** Nova does one thing at a time with a server. */
async function requireIdle(place: Workplace, signal: AbortSignal): Promise<Server> {
  const { clock, operationMs } = place.context;
  const idle = async (): Promise<Server | undefined> => {
    const server = await requireServer(place, signal);
    return taskOf(server) === "" ? server : undefined;
  };
  return await poll({ ms: operationMs, clock, signal }, pace, idle, "OpenStack did not finish its work on the instance");
}
