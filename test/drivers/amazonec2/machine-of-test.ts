/** One machine of the driver against a moto: opened afresh from what was stored, as each command does. */
import { testDriverContext, type TestContext } from "../../../src/testing/driver-context.ts";
import { driverModule } from "../../../src/drivers/amazonec2/index.ts";
import { defaultValue, driverOptions, type FlagValue } from "../../../src/driver-kit/create-flag.ts";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { thisComputer } from "../../../src/system/computer.ts";
import type { Moto } from "./moto.ts";

export const testSecret = "test-secret-4711";

export class TestMachine implements AsyncDisposable {
  readonly #test: TestContext;
  readonly #moto: Moto;
  /** What the record has, by the last save. */
  stored: string | undefined;

  private constructor(test: TestContext, moto: Moto) {
    this.#test = test;
    this.#moto = moto;
  }

  static async open(moto: Moto, name: string, env: Readonly<Record<string, string>> = {}): Promise<TestMachine> {
    const computer = thisComputer();
    const variables = { AWS_ACCESS_KEY_ID: "test-id", AWS_SECRET_ACCESS_KEY: testSecret, AWS_ENDPOINT_URL_SSM: moto.url, ...env };
    let current: Driver | undefined;
    const made: { machine?: TestMachine } = {};
    const test = await testDriverContext(name, {
      computer: { ...computer, env: { ...computer.env, ...variables } },
      save: async () => {
        if (made.machine !== undefined) made.machine.stored = await current?.configText();
      },
    });
    const machine = new TestMachine(test, moto);
    made.machine = machine;
    machine.#opened = (driver) => void (current = driver);
    return machine;
  }

  #opened: (driver: Driver) => void = () => {};

  get events(): string {
    return JSON.stringify(this.#test.events);
  }

  get machineDir(): string {
    return this.#test.context.machineDir;
  }

  get config(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.stored ?? "{}") as Record<string, unknown>;
  }

  /** As the next command finds it. */
  driver(): Driver {
    const driver = driverModule.open(this.#test.context, this.stored);
    this.#opened(driver);
    return driver;
  }

  /** Up to what `create` has before it asks for anything. */
  async prepare(flags: Readonly<Record<string, FlagValue>> = {}): Promise<void> {
    const driver = this.driver();
    const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
    const given = { "amazonec2-region": "eu-central-1", "amazonec2-endpoint": this.#moto.url, ...flags };
    await driver.setConfigFromFlags(driverOptions({ ...defaults, ...given }, new Set(Object.keys(given))));
    await driver.preCreateCheck(AbortSignal.timeout(60_000));
    this.stored = await driver.configText();
  }

  async create(): Promise<void> {
    await this.run(async (driver, signal) => await driver.create(signal));
  }

  /** A command of its own: what it has changed is stored also where it fails. */
  async run<Answer>(work: (driver: Driver, signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const driver = this.driver();
    const answer = await work(driver, AbortSignal.timeout(60_000));
    this.stored = await driver.configText();
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#test[Symbol.asyncDispose]();
  }
}
