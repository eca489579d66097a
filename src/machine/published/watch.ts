/**
 * The watcher of a machine: sees to it that the ports which its containers publish lead there from this computer, for as
 * long as the machine's run lasts, and ends with it. It listens to the engine's events; it asks by itself only once a
 * minute, because a guest that was reset leaves a connection that nobody ends.
 */
import * as path from "node:path";
import type { ContainerPorts, PublishedPort } from "../../driver-kit/driver.ts";
import { followContainers, listPublished } from "../../engine/container-ports.ts";
import type { EngineApi } from "../../engine/engine-api.ts";
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { BoundedLog } from "../../system/bounded-log.ts";
import { lockFile, type FileLock } from "../../system/file-lock.ts";
import { tryPort } from "../../system/loopback-port.ts";
import { identifyProcess } from "../../system/process-identity.ts";
import { poll, unlessAborted, within } from "../../system/waiting.ts";
import { openEngineWay } from "../host/engine-way.ts";
import { openHost } from "../host/open-host.ts";
import type { MachineContext } from "../machine-context.ts";
import { Bell } from "./bell.ts";
import { outcomeWords } from "./outcome-words.ts";
import { wantedPorts, type WantedPort } from "./wanted-ports.ts";
import { readNote, removeNote, watcherLock, watcherLog, writeNote, type NotedPort, type PortOutcome } from "./watcher-note.ts";

/** In milliseconds. */
export const watcherBounds = {
  /** For the watcher of the run before to end. */
  lock: 10_000,
  lockPoll: 200,
  /** For an engine to begin to tell, at most: a guest that boots takes connections and says nothing. */
  answer: 30_000,
  /** One subscription to the engine's events. */
  subscription: 60_000,
  /** Containers come in groups, and their events with them. */
  settle: 100,
  /** An engine tells of a container's end a little before it forgets its ports. */
  secondLook: 1_000,
  /** A port that a program of this computer has is looked at so often. */
  retry: 5_000,
  /** Between two attempts to reach an engine: doubled from the first up to the last. */
  firstPause: 250,
  longestPause: 5_000,
  /** For closing what is open, once the watcher alone is ended. */
  close: 5_000,
} as const;

const logBytes = 65_536;

/** Watches until the machine's run is over, or the signal is aborted: then the ports are closed. Returns at once where another watches. */
export async function watchPublished(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using lock = await takeWatch(context, name, signal);
  if (lock === undefined) return;
  await using log = await BoundedLog.open(path.join(context.store.machineDir(name), watcherLog), logBytes, context.clock);
  await new Watcher(context, name, log).watch(signal);
}

/** Undefined where the machine does not run, or another watches this run of it. */
async function takeWatch(context: MachineContext, name: string, signal: AbortSignal): Promise<FileLock | undefined> {
  const dir = context.store.machineDir(name);
  const request = { what: `The ports of "${name}"`, purpose: "watch ports", waitMs: 0 };
  const attempt = async (): Promise<FileLock | "none" | undefined> => {
    const run = await (await portsOf(context, name))?.run();
    if (run === undefined) return "none";
    try {
      return await lockFile(path.join(dir, watcherLock), request);
    } catch (error) {
      if (!isMachineError(error, "machine-busy")) throw error;
      return (await readNote(dir))?.run === run ? "none" : undefined;
    }
  };
  const taken = await poll({ ms: watcherBounds.lock, clock: context.clock, signal }, watcherBounds.lockPoll, attempt);
  return taken === "none" ? undefined : taken;
}

async function portsOf(context: MachineContext, name: string): Promise<ContainerPorts | undefined> {
  await using host = await openHost(context, name);
  return host.driver.containerPorts;
}

class Watcher {
  readonly #context: MachineContext;
  readonly #name: string;
  readonly #log: BoundedLog;
  readonly #since: string;
  /** By the record as it was last read. */
  #ports: ContainerPorts | undefined;
  #run: string | undefined;
  #wanted: readonly WantedPort[] = [];
  #noted: readonly NotedPort[] = [];
  #trouble: string | undefined;

  constructor(context: MachineContext, name: string, log: BoundedLog) {
    this.#context = context;
    this.#name = name;
    this.#log = log;
    this.#since = context.clock.now().toISOString();
  }

  async watch(signal: AbortSignal): Promise<void> {
    let pauseMs: number = watcherBounds.firstPause;
    try {
      while (await this.#isOn()) {
        const wasHeard = await this.#followEngine(signal);
        await this.#context.clock.sleep(pauseMs, signal);
        pauseMs = wasHeard ? watcherBounds.firstPause : Math.min(pauseMs * 2, watcherBounds.longestPause);
      }
      await this.#log.say("The machine's run is over.");
    } catch (error) {
      if (!signal.aborted) throw error;
      await this.#closeAll();
    } finally {
      await removeNote(this.#dir);
    }
  }

  get #dir(): string {
    return this.#context.store.machineDir(this.#name);
  }

  /** Whether the run lasts that is watched. A machine that has another name by now, or runs anew, is another watcher's. */
  async #isOn(): Promise<boolean> {
    try {
      this.#ports = await portsOf(this.#context, this.#name);
    } catch (error) {
      if (isMachineError(error, "machine-not-found")) return false;
      // A record that cannot be read just now says nothing of the machine that runs.
      await this.#setTrouble(messageOf(error));
    }
    const run = await this.#ports?.run();
    if (run === undefined || (this.#run ?? run) !== run) return false;
    if (this.#run === undefined) {
      this.#run = run;
      await this.#log.say(`Watching the run ${run} as process ${process.pid}.`);
      await this.#note();
    }
    return true;
  }

  /** Until the connection ends, for whatever reason; whether there was one. */
  async #followEngine(signal: AbortSignal): Promise<boolean> {
    let wasHeard = false;
    try {
      await using host = await openHost(this.#context, this.#name);
      await using way = await openEngineWay(this.#context, host, signal);
      while (await this.#followEvents(way.api, signal, () => (wasHeard = true))) wasHeard = true;
    } catch (error) {
      signal.throwIfAborted();
      await this.#setTrouble(messageOf(error));
    }
    return wasHeard;
  }

  /** One subscription; true when its time is up, false when the engine ended it. */
  async #followEvents(api: EngineApi, signal: AbortSignal, onHeard: () => void): Promise<boolean> {
    const { clock, timeouts } = this.#context;
    const enough = new AbortController();
    const bound = AbortSignal.any([signal, enough.signal]);
    const bell = new Bell();
    const over = new AbortController();
    try {
      const patience = { ms: Math.min(timeouts.engineRequestMs, watcherBounds.answer), clock, signal };
      const subscribe = async (late: AbortSignal): ReturnType<typeof followContainers> =>
        await unlessAborted(followContainers(api, bound), late);
      const read = await within(patience, subscribe, "The engine did not tell of its containers");
      const end = (): void => {
        over.abort();
        bell.ring();
      };
      void read(() => bell.ring()).then(end, end);
      const untilMs = clock.monotonicMs() + watcherBounds.subscription;
      await this.#look(api, "all", bound);
      onHeard();
      for (let pauseMs = this.#pauseMs(); !over.signal.aborted;) {
        const leftMs = untilMs - clock.monotonicMs();
        if (leftMs <= 0) return true;
        const isEvent = await bell.heard(Math.min(leftMs, pauseMs), clock, bound);
        if (isEvent) await clock.sleep(watcherBounds.settle, bound);
        if (isEvent || pauseMs === watcherBounds.secondLook) await this.#look(api, "changes", bound);
        else await this.#retry(bound);
        pauseMs = isEvent ? watcherBounds.secondLook : this.#pauseMs();
      }
      return false;
    } finally {
      enough.abort();
    }
  }

  #pauseMs(): number {
    return this.#noted.some(({ outcome }) => outcome === "in-use") ? watcherBounds.retry : watcherBounds.subscription;
  }

  /** Asks the engine, and has come here what it says: in any case, or where that is something else than before. */
  async #look(api: EngineApi, what: "all" | "changes", signal: AbortSignal): Promise<void> {
    const published = await listPublished(api, { signal, timeoutMs: this.#context.timeouts.engineRequestMs });
    const wanted = wantedPorts(published, (port) => this.#ports?.wants(port) === true);
    const isAsBefore = JSON.stringify(wanted) === JSON.stringify(this.#wanted);
    this.#wanted = wanted;
    if (what === "all" || !isAsBefore) await this.#bring(signal);
  }

  /** Those that a program of this computer had, as soon as one is free. */
  async #retry(signal: AbortSignal): Promise<void> {
    for (const { protocol, port, outcome } of this.#noted) {
      if (outcome !== "in-use" || (await tryPort({ protocol, address: "127.0.0.1", port })) === "in-use") continue;
      return await this.#bring(signal);
    }
  }

  async #bring(signal: AbortSignal): Promise<void> {
    const reachable = this.#wanted.filter(({ isReachable }) => isReachable);
    const outcomes = (await this.#ports?.bring(reachable, async () => await this.#recorded(), signal)) ?? [];
    const outcomeOf = (port: WantedPort): PortOutcome => outcomes[reachable.indexOf(port)] ?? "inside";
    const noted = this.#wanted.map((port) => {
      const { protocol, port: number, containers } = port;
      return { protocol, port: number, containers, outcome: outcomeOf(port) };
    });
    const before = this.#noted.map(sentenceOf);
    for (const text of noted.map(sentenceOf)) if (!before.includes(text)) await this.#log.say(text);
    for (const { port, protocol } of this.#noted)
      if (!noted.some((other) => other.port === port && other.protocol === protocol))
        await this.#log.say(`${port}/${protocol} is published no more.`);
    this.#noted = noted;
    this.#trouble = undefined;
    await this.#note();
  }

  async #recorded(): Promise<readonly PublishedPort[]> {
    await using host = await openHost(this.#context, this.#name);
    return (await host.driver.publishedPorts?.()) ?? [];
  }

  async #setTrouble(trouble: string): Promise<void> {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    await this.#log.say(trouble);
    await this.#note();
  }

  async #note(): Promise<void> {
    const note = { machine: this.#name, run: this.#run, since: this.#since, ports: this.#noted, trouble: this.#trouble };
    const self = await identifyProcess(process.pid);
    await writeNote(this.#dir, { process: self, ...note }).catch(async (error: unknown) => await this.#log.say(messageOf(error)));
  }

  /** Nobody would close them afterwards. */
  async #closeAll(): Promise<void> {
    try {
      await this.#ports?.bring([], async () => await this.#recorded(), AbortSignal.timeout(watcherBounds.close));
      await this.#log.say("Ended, and closed the ports.");
    } catch (error) {
      await this.#log.say(`Ended without closing the ports: ${messageOf(error)}`);
    }
  }
}

function sentenceOf({ protocol, port, containers, outcome }: NotedPort): string {
  return `${port}/${protocol} of ${containers.join(", ")}: ${outcomeWords[outcome]}.`;
}
