/**
 * One crash suite for all drivers: each is killed at every step of `create` and of `rm`, and what is left is created again
 * to its end, or removed. A step is before and after each thing that is done to the world: a save, a request, a program
 * run, what a fixture's own fake says is one; and each waiting. The kill is a promise that never resolves: that driver object is left
 * behind, and another is opened from what was saved last. Runs under node:test.
 */
import assert from "node:assert/strict";
import { describe, test, type TestContext as NodeTest } from "node:test";
import type { Driver, DriverContext, DriverModule, Resource } from "../driver-kit/driver.ts";
import type { FlagValue } from "../driver-kit/create-flag.ts";
import { releaseLocksBelow } from "../system/file-lock.ts";
import { untilUp } from "./coming-up.ts";
import { testDriverContext } from "./driver-context.ts";
import { optionsOf } from "./flag-values.ts";
import { Life, mortalContext, type IsReading } from "./mortal-context.ts";
import { whileTimePasses } from "./passing-time.ts";

/** A world of its own for one kill, with what others have there. */
export interface DriverCrashFixture extends Partial<AsyncDisposable> {
  readonly module: DriverModule;
  /** Flags a machine can be configured with, without dashes. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  /** Replaces parts of the context: a fake provider's transport, a clock of the test's own. */
  readonly context?: Partial<DriverContext> | undefined;
  /**
   * All that there is at the provider, of whomever: what the world itself knows, not what the driver tells. What is there
   * before `create` is of others and must stay; have there something of each kind, and of the machine's name.
   */
  resources(): Promise<readonly Resource[]> | readonly Resource[];
  /** Which requests only read: they are no steps, where a driver asks much before it changes anything. None unless told. */
  readonly isReading?: IsReading | undefined;
}

export interface DriverCrashOptions {
  /** For drivers that make nothing: they do nothing to the world either, and that is what is tested. */
  readonly makesNothing?: boolean | undefined;
  /**
   * False where `create` holds a connection while it waits: in one process with the living, the dead would keep it. Then
   * no kill is tried in the midst of a waiting.
   */
  readonly createPauses?: boolean | undefined;
  /** Why it cannot be done here. */
  readonly skip?: string | undefined;
  /** Bound on each of the tests, real time; two minutes unless told. */
  readonly timeoutMs?: number | undefined;
}

/** The suite's machine, for worlds that are to have something of that name. */
export const crashMachineName = "crash-1";

const defaultTimeoutMs = 120_000;
/** Of the driver's own clock. */
const runningMs = 300_000;

/**
 * Declares the suite.
 * @param fixture a new world for each kill; its fake may call `step` before and after what it does
 */
export function describeDriverCrashes(
  driverName: string,
  fixture: (step: (what: string) => Promise<void>) => Promise<DriverCrashFixture>,
  { makesNothing = false, createPauses = true, skip, timeoutMs = defaultTimeoutMs }: DriverCrashOptions = {},
): void {
  const cases = new Cases(fixture, timeoutMs, createPauses);
  const options = { skip: skip ?? false, timeout: timeoutMs };

  describe(`driver crashes: ${driverName}`, () => {
    if (makesNothing) {
      test("create and rm do nothing to the world", options, async () => {
        await cases.inWorld(async (world) => {
          const lives = [await world.live(0, createWhole), await world.live(0, removeWhole)];
          // What it knows, the core saves.
          const steps = lives.flatMap((life) => life.steps.filter((step) => !step.endsWith(" save")));
          assert.deepEqual(steps, []);
          await world.assertNothingLeft();
        });
      });
      return;
    }

    test(
      "create killed at each step, then created again: one instance, all that is there is told, and all can be removed",
      options,
      async (t) => {
        await cases.killAtEach(t, "create", async (world, kill) => {
          await world.live(kill, createWhole);
          await world.live(0, createWhole);
          await world.assertOneInstance();
          await world.live(0, removeWhole);
          await world.assertNothingLeft();
        });
      },
    );

    test("create killed at each step, then removed: nothing is left but what others have", options, async (t) => {
      await cases.killAtEach(t, "create", async (world, kill) => {
        await world.live(kill, createWhole);
        await world.live(0, removeWhole);
        await world.assertNothingLeft();
      });
    });

    test("rm killed at each step, then removed: nothing is left but what others have", options, async (t) => {
      await cases.killAtEach(t, "rm", async (world, kill) => {
        await world.live(0, createWhole);
        await world.live(kill, removeWhole);
        await world.live(0, removeWhole);
        await world.assertNothingLeft();
      });
    });
  });
}

/** What the core does with a driver for a machine to come up, from its recorded configuration on. */
async function createWhole(driver: Driver, { save, clock }: DriverContext, { capabilities }: DriverModule, signal: AbortSignal) {
  await driver.create(signal);
  await save();
  if (capabilities.adopted) return;
  await untilUp(driver, { ms: runningMs, clock, signal });
  await save();
}

async function removeWhole(driver: Driver, _context: DriverContext, _module: DriverModule, signal: AbortSignal) {
  await driver.remove(signal);
}

class Cases {
  readonly #fixture: (step: (what: string) => Promise<void>) => Promise<DriverCrashFixture>;
  readonly #timeoutMs: number;
  readonly #createPauses: boolean;

  constructor(
    fixture: (step: (what: string) => Promise<void>) => Promise<DriverCrashFixture>,
    timeoutMs: number,
    createPauses: boolean,
  ) {
    this.#fixture = fixture;
    this.#timeoutMs = timeoutMs;
    this.#createPauses = createPauses;
  }

  /** Goes through the story once for each step of the command, with a kill at that step, until a story has no such step. */
  async killAtEach(t: NodeTest, command: string, story: (world: World, kill: number) => Promise<void>): Promise<void> {
    let killed = 0;
    for (let goesOn = true; goesOn;) {
      goesOn = await this.inWorld(async (world) => {
        await story(world, killed + 1).catch((error: unknown) => {
          throw explained(error, command, world);
        });
        return world.killedAt !== undefined;
      });
      if (goesOn) killed += 1;
    }
    t.diagnostic(`${killed} kills`);
    assert.ok(killed > 0, `${command} does nothing to the world that this suite could see: its fake must call step()`);
  }

  async inWorld<T>(work: (world: World) => Promise<T>): Promise<T> {
    let life = new Life(0);
    const given = await this.#fixture(async (what) => await life.step(what));
    try {
      await using testContext = await testDriverContext(crashMachineName, given.context);
      const lifeOf = (kill: number, isCreate: boolean): Life =>
        (life = new Life(kill, undefined, !isCreate || this.#createPauses));
      const world = new World(given, testContext.context, AbortSignal.timeout(this.#timeoutMs), lifeOf);
      return await whileTimePasses(world.clock, async () => {
        await world.begin();
        return await work(world);
      });
    } finally {
      await given[Symbol.asyncDispose]?.();
    }
  }
}

function explained(error: unknown, command: string, { killedAt }: World): unknown {
  if (killedAt === undefined) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new Error(`${command} was killed at: ${killedAt}. Then: ${what}`, { cause: error });
}

/** A provider, a machine there, and its record. */
class World {
  /** The step at which a life was ended. */
  killedAt: string | undefined;
  readonly #given: DriverCrashFixture;
  readonly #module: DriverModule;
  readonly #signal: AbortSignal;
  readonly #context: DriverContext;
  readonly #lifeOf: (kill: number, isCreate: boolean) => Life;
  #saved = "";
  #foreign: readonly string[] = [];

  constructor(
    given: DriverCrashFixture,
    context: DriverContext,
    signal: AbortSignal,
    lifeOf: (kill: number, isCreate: boolean) => Life,
  ) {
    this.#module = given.module;
    this.#signal = signal;
    this.#given = given;
    this.#context = context;
    this.#lifeOf = lifeOf;
  }

  get clock(): DriverContext["clock"] {
    return this.#context.clock;
  }

  /** Up to the record that the core stores before `create`. */
  async begin(): Promise<void> {
    this.#foreign = await this.#all();
    const driver = this.#module.open(this.#context, undefined);
    await driver.setConfigFromFlags(optionsOf(this.#module, this.#given.flags));
    await driver.preCreateCheck(this.#signal);
    this.#saved = await driver.configText();
    assert.deepEqual(await this.#all(), this.#foreign, "preCreateCheck made something, or took it away");
  }

  /** Opens the driver from what was saved last, and has it work to the end, or to its own. */
  async live(kill: number, work: typeof createWhole): Promise<Life> {
    const life = this.#lifeOf(kill, work === createWhole);
    const save = async (): Promise<void> => void (this.#saved = await driver.configText());
    const context = mortalContext(this.#context, life, save, this.#given.isReading);
    const driver: Driver = this.#module.open(context, this.#saved);
    const working = work(driver, context, this.#module, this.#signal);
    // What becomes of it after its end is nobody's business.
    working.catch(() => {});
    await Promise.race([working, life.ended]);
    if (!life.isOver) return life;
    this.killedAt = `${life.steps.length}. ${life.steps.at(-1)}`;
    for (const folder of [this.#context.storePath, this.#context.cacheDir]) await releaseLocksBelow(folder);
    return life;
  }

  async assertOneInstance(): Promise<void> {
    const ours = await this.#ours();
    assert.equal(ours.filter((line) => line.startsWith("instance ")).length, 1, `There is not one instance, but ${told(ours)}`);
    const driver = this.#module.open(this.#context, this.#saved);
    const found = await driver.findResources?.(this.#signal);
    if (found !== undefined) assert.deepEqual(linesOf(found), ours, "findResources does not tell what is there");
  }

  async assertNothingLeft(): Promise<void> {
    const all = await this.#all();
    const missing = this.#foreign.filter((line) => !all.includes(line));
    assert.deepEqual(missing, [], `What others have was taken away: ${told(missing)}`);
    const ours = await this.#ours();
    assert.deepEqual(ours, [], `${told(ours)} is left`);
    const driver = this.#module.open(this.#context, this.#saved);
    assert.deepEqual((await driver.findResources?.(this.#signal)) ?? [], [], "findResources tells of what is gone");
  }

  async #ours(): Promise<readonly string[]> {
    return (await this.#all()).filter((line) => !this.#foreign.includes(line));
  }

  async #all(): Promise<readonly string[]> {
    return linesOf(await this.#given.resources());
  }
}

function linesOf(resources: readonly Resource[]): readonly string[] {
  return resources.map(({ kind, id }) => `${kind} ${id}`).toSorted();
}

function told(lines: readonly string[]): string {
  return lines.length === 0 ? "none" : lines.join(", ");
}
