/** `start`, `stop`, `suspend`, `kill`, `restart`: one verb each on one machine, in 0.16.2's words. */
import type { MachineState } from "../driver-kit/state.ts";
import { MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { waitForSsh } from "../ssh/connect.ts";
import { within } from "../system/waiting.ts";
import { certifyAddress } from "./certificates.ts";
import { isProvisioned, type Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { isOverSsh } from "./host/engine-transport.ts";
import { engineUrlOf, waitForEngine } from "./host/engine-connection.ts";
import { locate } from "./host/locate.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import { isExpired } from "./lifetime/recorded-lifetime.ts";
import type { MachineContext } from "./machine-context.ts";
import { endPublished, keepPublished } from "./published/keep.ts";
import { requireUnprotected } from "./selection/protection.ts";
import { stateOf, waitForState } from "./host/wait-for-state.ts";

export type LifecycleVerb = "start" | "stop" | "suspend" | "kill" | "restart";

interface Verb {
  readonly begin: string;
  /** What is said when all is done, where 0.16.2 says something. */
  readonly end?: string;
  /** The state in which there is nothing to do, which 0.16.2 calls an error. */
  readonly already?: { readonly state: MachineState; readonly words: string };
  act(context: MachineContext, host: Host, signal: AbortSignal): Promise<void>;
}

const verbs: Readonly<Record<LifecycleVerb, Verb>> = {
  start: {
    begin: "Starting",
    already: { state: "Running", words: "running" },
    act: async (context, host, signal) => {
      warnOfEnd(context, host);
      await bringUp(context, host, signal);
    },
  },
  stop: {
    begin: "Stopping",
    end: "was stopped.",
    already: { state: "Stopped", words: "stopped" },
    act: async (context, host, signal) => {
      await drive(context, host, "stop", signal);
      await waitForState(context, host, "Stopped", signal);
      await endPublished(context, host);
    },
  },
  suspend: {
    begin: "Suspending",
    end: "was suspended; its memory is kept.",
    already: { state: "Saved", words: "suspended" },
    act: async (context, host, signal) => {
      await drive(context, host, "suspend", signal);
      await waitForState(context, host, "Saved", signal);
      await endPublished(context, host);
    },
  },
  kill: {
    begin: "Killing",
    end: "was killed.",
    already: { state: "Stopped", words: "stopped" },
    act: async (context, host, signal) => {
      await drive(context, host, "kill", signal);
      await waitForState(context, host, "Stopped", signal);
      await endPublished(context, host);
    },
  },
  restart: {
    begin: "Restarting",
    act: restart,
  },
};

/**
 * Throws the driver's own refusals, and `machine-state` when the machine is in the wanted state already, as 0.16.2 does,
 * unless that is welcome: then false is given.
 * @param keepsMemory of a `stop`, whether the machine is suspended; undefined = as it was made for
 */
export async function changeState(
  context: MachineContext,
  name: string,
  verb: LifecycleVerb,
  signal: AbortSignal,
  already: "refused" | "welcome" = "refused",
  keepsMemory?: boolean,
): Promise<boolean> {
  await using lock = await lockMachine(context, name, verb, signal);
  if (verb === "kill") await requireUnprotected(context, name, "killed");
  await using host = await openHost(context, name);
  const meant = verb === "stop" ? stopOf(host, keepsMemory) : verbs[verb];
  const isThere = meant.already?.state;
  if (already === "welcome" && isThere !== undefined && (await stateOf(context, host, lock.signal)) === isThere) {
    if (isThere === "Running") await keepPublished(context, host);
    return false;
  }
  await doVerb(context, host, meant, lock.signal);
  return true;
}

async function doVerb(
  context: MachineContext,
  host: Host,
  { begin, end, already, act }: Verb,
  signal: AbortSignal,
): Promise<void> {
  logTo(host.report, "info", `${begin} "${host.name}"...`);
  if (already !== undefined && (await stateOf(context, host, signal)) === already.state) {
    throw new MachineError("machine-state", `Machine "${host.name}" is already ${already.words}.`);
  }
  await act(context, host, signal);
  await host.save();
  if (end !== undefined) logTo(host.report, "info", `Machine "${host.name}" ${end}`);
}

/** As `start` does, for work that needs a machine which runs. The caller holds the machine's lock. */
export async function startHost(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await doVerb(context, host, verbs.start, signal);
}

async function drive(context: MachineContext, host: Host, verb: LifecycleVerb, signal: AbortSignal): Promise<void> {
  const otherwise = `The driver of "${host.name}" did not ${verb} the instance`;
  await within(
    { ms: context.timeouts.driverMs, clock: context.clock, signal },
    async (bound) => await actionOf(host, verb)(bound),
    otherwise,
  );
}

function actionOf({ driver, record, name }: Host, verb: LifecycleVerb): (signal: AbortSignal) => Promise<void> {
  const act = driver[verb]?.bind(driver);
  if (act !== undefined) return act;
  throw new MachineError("driver-unsupported", `The driver ${JSON.stringify(record.driverName)} cannot keep a machine's memory`, {
    hint: `Without it: docker-machine stop ${name}`,
  });
}

/** What `stop` comes to for a machine: as it is said, else as the machine was made for. */
function stopOf({ driver }: Host, keepsMemory: boolean | undefined): Verb {
  return (keepsMemory ?? driver.suspendsOnStop === true) ? verbs.suspend : verbs.stop;
}

/** A stopped machine is started; a running one restarted; in between there is nothing sensible to do. */
async function restart(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const state = await stateOf(context, host, signal);
  if (state === "Stopped") {
    logTo(host.report, "info", `Starting "${host.name}"...`);
    return await bringUp(context, host, signal);
  }
  await drive(context, host, "restart", signal);
  await waitUntilUsable(context, host, signal);
}

/** That it runs is said before its engine is waited for: it stays true whatever comes of that. */
async function bringUp(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await drive(context, host, "start", signal);
  await waitForState(context, host, "Running", signal);
  logTo(host.report, "info", `Machine "${host.name}" was started.`);
  await waitUntilUsable(context, host, signal);
}

async function waitUntilUsable(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await reach(context, host, signal);
  await keepPublished(context, host, "begun");
}

async function reach(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await waitForState(context, host, "Running", signal);
  await locate(context, host, signal);
  if (!isProvisioned(host)) return;
  logTo(host.report, "info", "Waiting for SSH to be available...");
  await using ssh = await waitForSsh({
    open: host.openSsh,
    timeoutMs: context.timeouts.sshMs,
    clock: context.clock,
    signal,
    retryAuthentication: false,
  });
  await ssh.close();
  await host.save();
  if ((await engineUrlOf(host)) === "") return;
  if (!isOverSsh(host)) await certifyAddress(context, host, signal);
  await waitForEngine(context, host, signal);
  if (host.record.extra.LifetimePending === true)
    await (await import("./lifetime/apply-lifetime.ts")).tellHost(context, host, signal);
}

/** Whoever starts a machine behind its deadline means to use it. */
function warnOfEnd({ clock, timeouts }: MachineContext, { name, record, report }: Host): void {
  if (record.extra.LifetimePending === true || !isExpired(record.extra, clock.now())) return;
  const minutes = Math.round(timeouts.ttlGraceMs / 60_000);
  logTo(
    report,
    "warn",
    `The time of "${name}" is over: it is powered off again ${minutes} min after it has booted. To go on: docker-machine ttl ${name} 4h`,
  );
}
