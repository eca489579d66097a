/**
 * One life of a driver, which can end at any step: what it asks of the world from then on is neither done nor answered, as
 * in a process that was killed. What it had asked for before is done.
 */
import type { DriverContext } from "../driver-kit/driver.ts";
import type { HttpRequest, HttpTransport } from "../driver-kit/http-transport.ts";
import type { ProcessRunner } from "../system/process.ts";

export class Life {
  /** What was done to the world, in its order. */
  readonly steps: string[] = [];
  /** Resolves when it ends. */
  readonly ended: Promise<void>;
  /** Whether it can end in the midst of a waiting. */
  readonly countsPauses: boolean;
  readonly #lastStep: number;
  readonly #end: () => void;
  readonly #onStep: (count: number) => void;
  #isOver = false;

  /**
   * @param lastStep the number of the step that it does not survive, from 1; 0 = it is not killed
   * @param onStep called at each step with its number
   */
  constructor(lastStep: number, onStep: (count: number) => void = () => {}, countsPauses = true) {
    this.countsPauses = countsPauses;
    this.#lastStep = lastStep;
    this.#onStep = onStep;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Before or after something is done to the world. Never resolves for the dead. */
  readonly step = async (what: string): Promise<void> => {
    if (!this.#isOver) {
      this.steps.push(what);
      this.#onStep(this.steps.length);
      if (this.steps.length === this.#lastStep) {
        this.#isOver = true;
        this.#end();
      }
    }
    await this.whileAlive();
  };

  /** Never resolves for the dead. */
  async whileAlive(): Promise<void> {
    if (this.#isOver) await new Promise<never>(() => {});
  }
}

/** Whether a request changes nothing at the provider: to be killed before and after it is the same. */
export type IsReading = (request: HttpRequest) => boolean;

/** What a driver is given in this life. @param save makes its configuration durable */
export function mortalContext(
  context: DriverContext,
  life: Life,
  save: () => Promise<void>,
  isReading: IsReading = () => false,
): DriverContext {
  const around = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await life.step(`before ${what}`);
    // What it has asked for is done without it.
    const [outcome] = await Promise.allSettled([work()]);
    await life.step(`after ${what}`);
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  };
  return {
    ...context,
    save: async () => await around("save", save),
    ensureSshKey: async (wish) => await around("ensureSshKey", async () => await context.ensureSshKey(wish)),
    http: mortalHttp(context.http, { around, isReading, life }),
    processes: mortalProcesses(context.processes, around),
    clock: {
      now: () => context.clock.now(),
      monotonicMs: () => context.clock.monotonicMs(),
      sleep: async (ms, signal) => {
        // Whoever waits can be killed then; once is enough for all the pauses of a waiting.
        if (life.countsPauses && life.steps.at(-1) !== "a pause") await life.step("a pause");
        const [outcome] = await Promise.allSettled([context.clock.sleep(ms, signal)]);
        await life.whileAlive();
        if (outcome.status === "rejected") throw outcome.reason;
      },
    },
  };
}

type Around = <T>(what: string, work: () => Promise<T>) => Promise<T>;

interface Mortality {
  readonly around: Around;
  readonly isReading: IsReading;
  readonly life: Life;
}

function mortalHttp(http: HttpTransport, mortality: Mortality): HttpTransport {
  const { around, isReading, life } = mortality;
  return {
    send: async (request, signal) => {
      if (isReading(request)) {
        await life.whileAlive();
        return await http.send(request, signal);
      }
      const { pathname } = new URL(request.url);
      return await around(`${request.method} ${pathname}`, async () => await http.send(request, signal));
    },
    agent: async () => await http.agent(),
    trusting: (trust) => mortalHttp(http.trusting(trust), mortality),
    fingerprint: async (url, signal) => await http.fingerprint(url, signal),
  };
}

function mortalProcesses(processes: ProcessRunner, around: Around): ProcessRunner {
  return {
    run: async (program, args, options) =>
      await around(`${program} ${args[0] ?? ""}`, async () => await processes.run(program, args, options)),
    spawn: (program, args, options) => processes.spawn(program, args, options),
    find: async (program) => await processes.find(program),
  };
}
