/** A provider, and a machine there whose record is kept as the core keeps it: what the contract suite plays with. */
import { randomUUID } from "node:crypto";
import assert from "node:assert/strict";
import type { DriverOptions, FlagValue } from "../driver-kit/create-flag.ts";
import type { Driver, DriverContext, DriverModule, Resource } from "../driver-kit/driver.ts";
import type { MachineState } from "../driver-kit/state.ts";
import { untilState, untilUp } from "./coming-up.ts";
import { testDriverContext, type TestContext } from "./driver-context.ts";
import { optionsOf } from "./flag-values.ts";
import type { IsReading } from "./mortal-context.ts";
import { whileTimePasses } from "./passing-time.ts";
import { SecretWatch } from "./secret-watch.ts";

/** A world of its own for each test. */
export interface DriverContractFixture extends Partial<AsyncDisposable> {
  readonly module: DriverModule;
  /** Flags a machine can be configured with, without dashes; the secrets among them with values that the provider takes. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  /** Replaces parts of the context: a fake provider, a scripted process runner, a clock of the test's own. */
  readonly context?: Partial<DriverContext> | undefined;
  /**
   * All that there is at the provider, of whomever, by the kinds that the driver tells: what the world itself knows. What
   * is there in the beginning is of others and must stay.
   */
  resources?(): Promise<readonly Resource[]> | readonly Resource[];
  /** Where the provider has the only machine's instance now; compared with what the driver learned. */
  address?(): Promise<string> | string;
  /** Takes the only machine's instance away, behind the driver's back. */
  loseInstance?(): Promise<void> | void;
  /** `Driver` objects as 0.16.2 wrote them, or others who used its format: JSON texts. */
  readonly records?: readonly string[] | undefined;
  /** Which requests only read: `create` is not aborted around them. None unless told. */
  readonly isReading?: IsReading | undefined;
  /** Flags whose values are no secrets, though their kind is one: published passwords. */
  readonly publicFlags?: readonly string[] | undefined;
}

export class ContractWorld {
  readonly given: DriverContractFixture;
  readonly signal: AbortSignal;
  readonly watch: SecretWatch;
  readonly #foreign: readonly string[];

  private constructor(given: DriverContractFixture, signal: AbortSignal, foreign: readonly string[]) {
    this.given = given;
    this.signal = signal;
    this.#foreign = foreign;
    this.watch = new SecretWatch(given.module, given.flags, (flag) => given.publicFlags?.includes(flag) ?? false);
  }

  /** Plays in a world of its own, in which the time of a fake clock passes. */
  static async play(
    fixture: () => Promise<DriverContractFixture>,
    signal: AbortSignal,
    work: (world: ContractWorld) => Promise<void>,
  ): Promise<void> {
    const given = await fixture();
    try {
      const world = new ContractWorld(given, signal, linesOf((await given.resources?.()) ?? []));
      const clock = given.context?.clock;
      await (clock === undefined ? work(world) : whileTimePasses(clock, async () => await work(world)));
      world.watch.assertNothingLeaked();
    } finally {
      await given[Symbol.asyncDispose]?.();
    }
  }

  /**
   * Providers remember the id of a create: each machine, also one of the same name, has its own.
   * @param change what the machine's context has that the others' has not
   */
  async machine(name: string, change: Partial<DriverContext> = {}): Promise<Machine> {
    const test = await testDriverContext(name, { createId: randomUUID(), ...this.given.context, ...change });
    return new Machine(this, test, this.watch.watched(test.context));
  }

  options(): DriverOptions {
    return optionsOf(this.given.module, this.watch.flags);
  }

  /** What the provider has that it did not have in the beginning; undefined where the fixture does not tell. */
  async made(): Promise<readonly string[] | undefined> {
    if (this.given.resources === undefined) return undefined;
    const all = linesOf(await this.given.resources());
    const missing = this.#foreign.filter((line) => !all.includes(line));
    assert.deepEqual(missing, [], "what others have was taken away");
    return all.filter((line) => !this.#foreign.includes(line));
  }
}

/** One machine, opened afresh for each command, as the core does. */
export class Machine implements AsyncDisposable {
  readonly context: DriverContext;
  /** As it was saved last; undefined before that. */
  saved: string | undefined;
  saves = 0;
  readonly #world: ContractWorld;
  readonly #test: TestContext;

  constructor(world: ContractWorld, test: TestContext, context: DriverContext) {
    this.#world = world;
    this.#test = test;
    this.context = context;
  }

  /** @param change what this command's context has that the machine's has not */
  open(change: Partial<DriverContext> = {}): Driver {
    const save = async (): Promise<void> => {
      this.saves += 1;
      await this.keep(driver);
    };
    const driver: Driver = this.#world.given.module.open({ ...this.context, save, ...change }, this.saved);
    return driver;
  }

  /** What the core does when a driver has done its part. */
  async keep(driver: Driver): Promise<void> {
    this.saved = await driver.configText();
    this.#world.watch.note("the configuration", this.saved);
  }

  /** Up to the record that stands before `create`. */
  async configured(change: Partial<DriverContext> = {}): Promise<Driver> {
    const driver = this.open(change);
    await driver.setConfigFromFlags(this.#world.options());
    await driver.preCreateCheck(this.#world.signal);
    await this.keep(driver);
    return driver;
  }

  /** Made, and running at an address that is recorded. */
  async created(): Promise<Driver> {
    const driver = await this.configured();
    await driver.create(this.#world.signal);
    await this.keep(driver);
    return await this.running();
  }

  async running(): Promise<Driver> {
    const driver = this.open();
    await untilUp(driver, this.#patience);
    await this.keep(driver);
    return driver;
  }

  async waitFor(driver: Driver, state: MachineState): Promise<void> {
    await untilState(driver, state, this.#patience);
  }

  get #patience() {
    return { ms: Number.POSITIVE_INFINITY, clock: this.context.clock, signal: this.#world.signal };
  }

  /** What the driver tells of this machine; undefined where it makes nothing at a provider. */
  async found(change: Partial<DriverContext> = {}): Promise<readonly string[] | undefined> {
    const found = await this.open(change).findResources?.(this.#world.signal);
    return found === undefined ? undefined : linesOf(found);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of a test that failed stays.
    await this.open()
      .remove(AbortSignal.timeout(60_000))
      .catch(() => {});
    await this.#test[Symbol.asyncDispose]();
  }
}

function linesOf(resources: readonly Resource[]): readonly string[] {
  return resources.map(({ kind, id }) => `${kind} ${id}`).toSorted();
}
