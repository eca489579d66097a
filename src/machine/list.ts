/**
 * `ls`: every machine of the store at once, each within the same bound. No provider is asked over the network, and no
 * plugin started for its state, where the engine answers in time.
 */
import type { MachineState } from "../driver-kit/state.ts";
import { logTo } from "../log/event.ts";
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import type { EngineOptions, SwarmOptions } from "../store/host-record.ts";
import type { RecordFacts } from "../store/record-facts.ts";
import { sideBySideWithin } from "../system/open-files.ts";
import { unlessAborted, within } from "../system/waiting.ts";
import { engineCertificateEnd } from "./host/certificate-dates.ts";
import { isOwnFileAtFault, versionOf } from "./host/engine-connection.ts";
import { isOverSsh, sshUrlOf } from "./host/engine-transport.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { askSideBySide, tellsStateLocally } from "./host/side-by-side.ts";
import { stateOf } from "./host/wait-for-state.ts";
import { describeInterruption, findInterruption } from "./interruption/interrupted.ts";
import { recordedMachines, type RecordedMachines } from "./list-records.ts";
import { forEachMachine } from "./many.ts";
import type { MachineContext } from "./machine-context.ts";

export interface ListedMachine {
  readonly name: string;
  readonly driverName: string;
  readonly state: MachineState;
  readonly url: string;
  /** `v27.3.1`, "Unknown", or "" of a machine that did not answer in time or cannot be loaded. */
  readonly engineVersion: string;
  readonly error: string;
  /** Who did not answer in time, as a clause, where the state is Timeout. */
  readonly reason?: string | undefined;
  readonly responseTimeMs: number;
  /** Absent for a machine whose record cannot be read. */
  readonly options?: { readonly engine: EngineOptions; readonly swarm: SwarmOptions } | undefined;
  /** When the certificate of its engine ends, ISO 8601 in UTC; absent where it has none. */
  readonly certificateExpires?: string | undefined;
  /** When it is powered off, ISO 8601 in UTC; absent where it has no deadline. */
  readonly expires?: string | undefined;
  /** The step at which an earlier command was cut off. */
  readonly interrupted?: string | undefined;
}

/** What is looked at: the record alone, its driver's name too, or the machine itself. */
export type ListDepth = "record" | "driver" | "machine";

export interface ListRequest {
  /** Bound on everything that is asked of one machine. */
  readonly timeoutMs: number;
  /** Which machines, by what is recorded of them; those whose record cannot be read are always listed. All unless given. */
  readonly select?: ((facts: RecordFacts) => boolean) | undefined;
  /** `machine` unless given. Of what is not looked at, the fields are empty. */
  readonly depth?: ListDepth | undefined;
  /** Whether it is told when certificates end; so unless given. */
  readonly certificates?: boolean | undefined;
  /** Called with each machine as soon as it is known. */
  readonly onListed?: ((machine: ListedMachine) => void) | undefined;
}

/** Machines asked at once, and what each may have open: a connection to its engine, and what its driver asks by. */
const atOnce = { most: 64, openEach: 4 };

/** Machines in no particular order of work, listed in natural order of their names. */
export async function listMachines(context: MachineContext, request: ListRequest, signal: AbortSignal): Promise<ListedMachine[]> {
  return await lookAtMachines(context, await recordedMachines(context), request, signal);
}

/** As {@link listMachines}, of machines whose records were read already. */
export async function lookAtMachines(
  context: MachineContext,
  { readable, unreadable }: RecordedMachines,
  request: ListRequest,
  signal: AbortSignal,
): Promise<ListedMachine[]> {
  const { select = () => true, onListed } = request;
  const broken = unreadable.map(({ name, error }) => unloadable(name, error));
  for (const machine of broken) onListed?.(machine);
  const chosen = readable.filter(select).toSorted((a, b) => byNaturalOrder(a.name, b.name));
  const places = await sideBySideWithin(Math.min(atOnce.most, chosen.length), atOnce.openEach);
  const together = { ...context, credentialsRead: new Map() };
  const facts = new Map(chosen.map((each) => [each.name, each]));
  const outcomes = await forEachMachine([...facts.keys()], places, async (name) => {
    const machine = await listOne(together, facts.get(name) as RecordFacts, request, signal);
    if (machine !== undefined) onListed?.(machine);
    return machine;
  });
  // That the whole command is over is no fault of any machine.
  signal.throwIfAborted();
  const known = outcomes.flatMap(({ value }) => value ?? []);
  return broken.length === 0 ? known : [...known, ...broken].sort((a, b) => byNaturalOrder(a.name, b.name));
}

/** Undefined of a machine that is gone by now. */
async function listOne(
  context: MachineContext,
  facts: RecordFacts,
  request: ListRequest,
  signal: AbortSignal,
): Promise<ListedMachine | undefined> {
  try {
    return request.depth === "record" ? recorded(facts) : await openAndLook(context, facts, request, signal);
  } catch (error) {
    signal.throwIfAborted();
    return isGone(error) ? undefined : unloadable(facts.name, error);
  }
}

function recorded({ name, driverName, engine, swarm }: RecordFacts): ListedMachine {
  return { name, driverName, ...notAsked, responseTimeMs: 0, options: { engine, swarm } };
}

async function openAndLook(
  context: MachineContext,
  facts: RecordFacts,
  { timeoutMs, depth, certificates = true }: ListRequest,
  signal: AbortSignal,
): Promise<ListedMachine> {
  const started = context.clock.monotonicMs();
  const { name } = facts;
  await using host = await openHost(context, name);
  if (depth === "driver") return { ...recorded(facts), driverName: host.driver.driverName };
  const seen = await lookWithin(timeoutMs, context, host, signal);
  const { EngineOptions: engine, SwarmOptions: swarm } = host.record.hostOptions;
  const interrupted = await interruption(context, host);
  const certificateExpires = certificates ? (await engineCertificateEnd(host))?.toISOString() : undefined;
  return {
    name,
    driverName: host.driver.driverName,
    ...seen,
    // That a command was cut off explains what the engine says, and is what is to be mended.
    error: interrupted ?? seen.error,
    responseTimeMs: context.clock.monotonicMs() - started,
    options: { engine, swarm },
    certificateExpires,
    expires: host.record.extra.Expires,
    interrupted,
  };
}

/** Someone removed it since the names were read. */
function isGone(error: unknown): boolean {
  return isMachineError(error, "machine-not-found");
}

/** A driver may be a plugin that never answers: not all of what is asked of it takes a signal. */
async function lookWithin(timeoutMs: number, context: MachineContext, host: Host, signal: AbortSignal): Promise<Seen> {
  let asked: string | undefined;
  const timedOut = (): Seen => ({ state: "Timeout", url: "", engineVersion: "", error: "", reason: silent(asked, timeoutMs) });
  const late = new MachineError("timeout", `"${host.name}" did not answer`);
  if (timeoutMs <= 0) return timedOut();
  try {
    const patience = { ms: timeoutMs, clock: context.clock, signal };
    return await within(
      patience,
      async (bound) =>
        await unlessAborted(look(context, host, { withinMs: timeoutMs, onAsked: (url) => (asked = url) }, bound), bound),
      () => late,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error === late) return timedOut();
    return { state: "Error", url: "", engineVersion: "Unknown", error: messageOf(error) };
  }
}

const unexplained = "Its driver says that it is in the state Error, and not why";

type Seen = Pick<ListedMachine, "state" | "url" | "engineVersion" | "error" | "reason">;

const notAsked: Seen = { state: "", url: "", engineVersion: "", error: "" };

/** @param url where its engine was asked; undefined where its driver had not even told that */
function silent(url: string | undefined, timeoutMs: number): string {
  const within = `within ${timeoutMs / 1_000} s`;
  return url === undefined
    ? `its driver did not answer ${within}`
    : `neither its engine at ${url} nor its driver answered ${within}`;
}

interface Look {
  readonly withinMs: number;
  /** The engine is about to be asked at this URL. */
  onAsked(url: string): void;
}

async function look(context: MachineContext, host: Host, { withinMs, onAsked }: Look, signal: AbortSignal): Promise<Seen> {
  let problem = "";
  const url = await (isOverSsh(host) ? sshUrlOf(host) : host.driver.getUrl()).catch((error: unknown) => {
    if (!isMachineError(error, "machine-not-running")) problem = messageOf(error);
    return "";
  });
  if (url === "") {
    const seen = notRunning(host, await stateOf(context, host, signal));
    // A driver that cannot tell the address, yet, may well tell the state.
    return problem === "" ? seen : { ...seen, error: problem };
  }
  onAsked(url);
  const askEngine = async (bound: AbortSignal): Promise<Seen> => await engineAnswer(context, host, url, bound);
  const seen = await askSideBySide(context, host, { askEngine, withinMs }, signal);
  if ("answer" in seen) return seen.answer;
  const { state, silence } = seen;
  if (state !== "Running") return notRunning(host, state);
  return { state, url, engineVersion: "Unknown", error: `Unable to query docker version: ${reasonOf(silence)}` };
}

/** What is wrong where something is, in the driver's own words. */
function notRunning({ driver }: Host, state: MachineState): Seen {
  const error = driver.stateProblem ?? (state === "Error" ? unexplained : "");
  return { state, url: "", engineVersion: "Unknown", error };
}

/** For --debug: of what is asked, what took how long and came to what. */
function say(host: Host, what: string, ms: number): void {
  logTo(host.report, "debug", `"${host.name}": ${what} (${Math.round(ms)} ms)`);
}

/** What the engine's answer tells. Throws why there is none. */
async function engineAnswer(context: MachineContext, host: Host, url: string, signal: AbortSignal): Promise<Seen> {
  const startedMs = context.clock.monotonicMs();
  const sayAnswer = (what: string): void => say(host, `asked at ${url}, ${what}`, context.clock.monotonicMs() - startedMs);
  try {
    const { Version } = await versionOf(context, host, url, signal);
    sayAnswer(`its engine says that it is ${Version}`);
    return { state: "Running", url, engineVersion: `v${Version}`, error: "" };
  } catch (error) {
    if (!signal.aborted) sayAnswer(`its engine gave no version: ${messageOf(error)}`);
    // A foreign certificate is an answer too: the machine runs, and what is wrong is said. Who is asked at no cost is
    // asked all the same, for another machine may have the address of one that is stopped.
    if (!isMachineError(error, "engine-certificate") || tellsStateLocally(host)) throw error;
    return { state: "Running", url, engineVersion: "Unknown", error: `Unable to query docker version: ${error.message}` };
  }
}

function reasonOf(silence: unknown): string {
  const isTold = isOwnFileAtFault(silence) || isMachineError(silence, "engine-certificate");
  return isTold ? silence.message : "Cannot connect to the docker engine endpoint";
}

async function interruption({ store }: MachineContext, host: Host): Promise<string | undefined> {
  const journal = await findInterruption(store, host.name);
  return journal && describeInterruption(host.name, journal, host.module.capabilities);
}

function unloadable(name: string, error: unknown): ListedMachine {
  return {
    name,
    driverName: "not found",
    state: "Error",
    url: "",
    engineVersion: "",
    error: messageOf(error).replaceAll(/\s+/gu, " "),
    responseTimeMs: 0,
  };
}

/** Lower-cased, numbers by value: beta2 before beta10. */
export function byNaturalOrder(left: string, right: string): number {
  const parts = (text: string): string[] => text.toLowerCase().split(/(\d+)/u);
  const [a, b] = [parts(left), parts(right)];
  for (const [index, part] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (part === other) continue;
    const numeric = index % 2 === 1 ? Number(part) - Number(other) : 0;
    return numeric === 0 ? (part < other ? -1 : 1) : numeric;
  }
  return a.length - b.length;
}
