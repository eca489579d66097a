/**
 * What must be so of a machine whose engine was changed: it answers, is of the version, its containers run as before, and
 * a command of the user's succeeds. Asked over the engine's API; changes nothing.
 */
import type { EngineApi } from "../../engine/engine-api.ts";
import { isApiError } from "../../engine/engine-api.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import { execOnMachine } from "../exec.ts";
import type { MachineContext } from "../machine-context.ts";
import { atEngine } from "../host/engine-way.ts";
import { isVersion } from "./engine-version.ts";

/** What must be so before the next batch begins. */
export interface HealthGate {
  /** Whether containers that ran must run again, and be healthy. */
  readonly containers: "as-before" | "ignored";
  /** A line of shell on the machine that must end with status 0. */
  readonly command: string | undefined;
  readonly withinMs: number;
}

/** A container that its engine is to keep running. */
export interface KeptContainer {
  readonly id: string;
  readonly name: string;
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State?: { readonly Running?: boolean; readonly Restarting?: boolean; readonly Health?: { readonly Status?: string } };
  readonly HostConfig?: { readonly RestartPolicy?: { readonly Name?: string } };
}

const paceMs = 500;
const swarmLabel = "com.docker.swarm.task.id";

/** Those that run with a restart policy. The tasks of swarm mode are the swarm's, which puts others in their place. */
export async function keptContainers(context: MachineContext, name: string, signal: AbortSignal): Promise<KeptContainer[]> {
  return await atEngine(context, name, signal, async (api) => {
    const running = (await api.send("GET", "/containers/json", { signal })) as { Id: string; Labels?: Record<string, string> }[];
    const own = running.filter(({ Labels }) => Labels?.[swarmLabel] === undefined);
    const inspected = await Promise.all(own.map(async ({ Id }) => await inspect(api, Id, signal)));
    return inspected.flatMap((container) => {
      const policy = container?.HostConfig?.RestartPolicy?.Name ?? "";
      if (container === undefined || policy === "" || policy === "no") return [];
      return [{ id: container.Id, name: container.Name.replace(/^\//u, "") }];
    });
  });
}

/** The version that the engine tells. Throws why it tells none. */
export async function engineVersionAt(context: MachineContext, name: string, signal: AbortSignal): Promise<string> {
  return await atEngine(context, name, signal, async (api) => {
    return ((await api.send("GET", "/version", { signal })) as { Version?: string } | undefined)?.Version ?? "";
  });
}

/**
 * Asks until all is so, within the gate's time. Throws `timeout` with what was not, last.
 * @param version undefined = whichever it is
 */
export async function passGate(
  context: MachineContext,
  name: string,
  expected: { readonly version: string | undefined; readonly containers: readonly KeptContainer[] },
  gate: HealthGate,
  signal: AbortSignal,
): Promise<void> {
  const patience = { ms: gate.withinMs, clock: context.clock, signal };
  const late = (last: unknown): MachineError =>
    new MachineError("timeout", `Not as it should be within ${Math.round(gate.withinMs / 1000)} s: ${String(last)}`, {
      hint: `See what is wrong with: docker-machine doctor ${name}`,
    });
  await poll(
    patience,
    paceMs,
    async ({ note }) => {
      const complaint = await complaintOf(context, name, expected, gate, signal);
      if (complaint === undefined) return true;
      note(complaint);
      return undefined;
    },
    late,
  );
}

/** What is not as it should be, as a clause. */
async function complaintOf(
  context: MachineContext,
  name: string,
  { version, containers }: { readonly version: string | undefined; readonly containers: readonly KeptContainer[] },
  { command }: HealthGate,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const actual = await engineVersionAt(context, name, signal);
    if (version !== undefined && !isVersion(actual, version)) return `its engine is ${actual}, not ${version}`;
    const down = await atEngine(context, name, signal, async (api) => await firstDown(api, containers, signal));
    return down ?? (command === undefined ? undefined : await complaintOfCommand(context, name, command, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof MachineError) return error.message;
    throw error;
  }
}

async function firstDown(api: EngineApi, containers: readonly KeptContainer[], signal: AbortSignal): Promise<string | undefined> {
  for (const { id, name } of containers) {
    const state = (await inspect(api, id, signal))?.State;
    if (state?.Running !== true || state.Restarting === true) return `the container ${name} ran before and does not run`;
    const health = state.Health?.Status ?? "none";
    if (health !== "none" && health !== "healthy") return `the container ${name} is ${health}`;
  }
  return undefined;
}

async function complaintOfCommand(
  context: MachineContext,
  name: string,
  command: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const request = { command, timeoutMs: context.timeouts.probeMs };
  const { status, stdout, stderr } = await execOnMachine(context, name, request, signal);
  if (status === 0) return undefined;
  const words = `${stderr}\n${stdout}`.trim().split("\n").at(-1) ?? "";
  return `the command ended with status ${status}${words === "" ? "" : `: ${words}`}`;
}

/** Undefined where it is gone. */
async function inspect(api: EngineApi, id: string, signal: AbortSignal): Promise<Inspected | undefined> {
  try {
    return (await api.send("GET", `/containers/${id}/json`, { signal })) as Inspected;
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
}
