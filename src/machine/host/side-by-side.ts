/**
 * Whether a machine runs, asked of its engine and of its driver at the same time. An engine that answers runs, whatever
 * the driver says; a driver that knows better ends the wait for one that is silent.
 */
import type { MachineState } from "../../driver-kit/state.ts";
import { messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../machine-context.ts";
import { keepPublished } from "../published/keep.ts";
import { settledReason } from "../../system/waiting.ts";
import type { Host } from "./host.ts";
import { stateOf } from "./wait-for-state.ts";

/** How long an engine may be silent before a driver is asked that needs the network or credentials for its answer. */
export const headStartMs = 600;

/** For so long at a time it is listened to one that is silent. */
const listeningMs = 50;

/** What a running engine needs to answer: so long it has, even where the driver says at once that the machine is stopped. */
export const engineGraceMs = 250;

/** What came first: the engine's answer, or a state with why the engine gave none, as far as that was waited for. */
export type Sighting<T> = { readonly answer: T } | { readonly state: MachineState; readonly silence: unknown };

export interface Question<T> {
  /** Anything thrown is silence. Aborted once it is of no more use. */
  askEngine(signal: AbortSignal): Promise<T>;
  /** How long the engine has in any case where the driver tells this state; undefined = as long as it takes. */
  readonly engineMs?: ((state: MachineState) => number | undefined) | undefined;
  /** Bound on the whole question where that is short: half of it is the engine's alone. */
  readonly withinMs?: number | undefined;
}

/** Throws what the driver throws where the engine is silent too, `timeout`, and the signal's reason. */
export async function askSideBySide<T>(
  context: MachineContext,
  host: Host,
  question: Question<T>,
  signal: AbortSignal,
): Promise<Sighting<T>> {
  const seen = await askBoth(context, host, question, signal);
  if ("answer" in seen || seen.state === "Running") await keepPublished(context, host);
  return seen;
}

async function askBoth<T>(context: MachineContext, host: Host, question: Question<T>, signal: AbortSignal): Promise<Sighting<T>> {
  const enough = new AbortController();
  const bound = AbortSignal.any([signal, enough.signal]);
  const engine = settle(question.askEngine(bound));
  const driver = settle(askDriver(context, host, question, engine, bound));
  try {
    const first = await Promise.race([engine, driver.then((outcome) => ({ driver: outcome }))]);
    signal.throwIfAborted();
    if ("driver" in first && "value" in first.driver && first.driver.value.ends)
      return { state: first.driver.value.state, silence: undefined };
    const said = await engine;
    if ("value" in said) return { answer: said.value };
    const told = await driver;
    signal.throwIfAborted();
    if ("error" in told) throw told.error;
    return { state: told.value.state, silence: said.error };
  } finally {
    enough.abort(settledReason);
  }
}

type Settled<T> = { readonly value: T } | { readonly error: unknown };

async function settle<T>(work: Promise<T>): Promise<Settled<T>> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}

interface Told {
  readonly state: MachineState;
  /** Nobody needs to wait for the engine any longer. */
  readonly ends: boolean;
}

async function askDriver<T>(
  context: MachineContext,
  host: Host,
  { engineMs = msUnlessRunning, withinMs = Number.POSITIVE_INFINITY }: Question<T>,
  engine: Promise<unknown>,
  signal: AbortSignal,
): Promise<Told> {
  const { clock } = context;
  const startedMs = clock.monotonicMs();
  if (!tellsStateLocally(host)) await untilSilentFor(Math.min(headStartMs, withinMs / 2));
  const askedMs = clock.monotonicMs();
  const state = await stateOf(context, host, signal).catch((error: unknown) => {
    say(`its driver tells no state: ${messageOf(error)}`, askedMs);
    throw error;
  });
  say(`its driver says ${state === "" ? "nothing of its state" : state}`, askedMs);
  const ms = engineMs(state);
  if (ms === undefined) return { state, ends: false };
  await untilSilentFor(ms - (clock.monotonicMs() - startedMs));
  return { state, ends: true };

  /**
   * An engine that has failed is waited for no longer. In pieces, each of which counts for no more than it was to be: while
   * this process is busy with a hundred others nobody listens, and that is no silence of the engine's.
   */
  async function untilSilentFor(silentMs: number): Promise<void> {
    const failed = new AbortController();
    void engine.then(() => failed.abort(settledReason));
    const ended = AbortSignal.any([signal, failed.signal]);
    for (let leftMs = silentMs; leftMs > 0 && !ended.aborted; leftMs -= listeningMs)
      await clock.sleep(Math.min(leftMs, listeningMs), ended).catch(() => signal.throwIfAborted());
  }

  /** For --debug: of what is asked, what took how long and came to what. */
  function say(what: string, sinceMs: number): void {
    if (!signal.aborted) logTo(host.report, "debug", `"${host.name}": ${what} (${Math.round(clock.monotonicMs() - sinceMs)} ms)`);
  }
}

/** A state that is not known ends no wait. */
function msUnlessRunning(state: MachineState): number | undefined {
  return state === "Running" || state === "" ? undefined : engineGraceMs;
}

/** What the driver says, where only the opened one can tell. */
export function tellsStateLocally({ driver, module }: Host): boolean {
  return driver.tellsStateLocally ?? module.capabilities.tellsStateLocally === true;
}
