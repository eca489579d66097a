/**
 * A driver whose provider is an object in memory: fast tests of what the core does around a driver. It keeps the
 * contract, and does what a test tells it in the place of one of its verbs. For a driver's own tests there is
 * `FakeProvider`, which speaks HTTP.
 */
import { randomUUID } from "node:crypto";
import type { DriverOptions } from "../driver-kit/create-flag.ts";
import type {
  BringOutcome,
  ContainerPort,
  ContainerPorts,
  Driver,
  DriverCapabilities,
  DriverContext,
  DriverModule,
  PublishedPort,
  Resource,
} from "../driver-kit/driver.ts";
import type { SizeChange } from "../driver-kit/sizes.ts";
import { ProviderDriver, type ProviderConfig } from "../driver-kit/provider-driver.ts";
import type { MachineState } from "../driver-kit/state.ts";
import { MachineError } from "../errors/machine-error.ts";
import { tryPort } from "../system/loopback-port.ts";

export interface FakeInstance {
  readonly id: string;
  readonly mark: string;
  address: string;
  state: MachineState;
}

export type FakeVerb =
  | "preCreateCheck"
  | "create"
  | "remove"
  | "start"
  | "stop"
  | "kill"
  | "restart"
  | "getState"
  | "locate"
  | "setLifetime";

/** Ports of containers that lead to the one instance there is. */
export class FakeContainerPorts implements ContainerPorts {
  /** Undefined once the instance has ended. */
  runId: string | undefined = "first run";
  /** `8080/tcp` each. */
  open: readonly string[] = [];
  /** How often it was asked to bring some. */
  asked = 0;

  wants({ port }: ContainerPort): boolean {
    return port !== 22;
  }

  async run(): Promise<string | undefined> {
    return this.runId;
  }

  async bring(
    ports: readonly ContainerPort[],
    recorded: () => Promise<readonly PublishedPort[]>,
  ): Promise<readonly BringOutcome[]> {
    this.asked += 1;
    await recorded();
    const verdicts = await Promise.all(
      ports.map(async ({ protocol, port }) => await tryPort({ protocol, address: "127.0.0.1", port })),
    );
    const outcomes = verdicts.map((verdict): BringOutcome => (verdict === "free" ? "open" : "in-use"));
    const open = ports.filter((_, index) => outcomes[index] === "open");
    this.open = open.map(({ protocol, port }) => `${port}/${protocol}`);
    return outcomes;
  }
}

/** The provider: what there is, what was asked, and what is to happen when it is asked. */
export class FakeWorld {
  readonly instances: FakeInstance[] = [];
  /** Where SSH is, whatever the instance's address; "" = there. */
  sshHost = "";
  /** Verbs in the order they were called. */
  readonly calls: FakeVerb[] = [];
  /** Runs before a verb's own work; what it throws is thrown in its place. */
  readonly before = new Map<FakeVerb, (signal: AbortSignal) => void | Promise<void>>();
  /** Runs when the work is done at the provider and not told yet. */
  readonly after = new Map<FakeVerb, () => void | Promise<void>>();
  /** Public host keys that instances are given. */
  hostKeys: readonly string[] = [];
  hostKeysExposed = false;
  withdrawn = 0;
  /** What instances were resized to; undefined = the provider cannot. */
  sizes: SizeChange[] | undefined;
  /** Undefined = containers' ports do not come to this computer. */
  containerPorts: FakeContainerPorts | undefined;
  /** What the provider was told of instances' ends; undefined = it ends none by itself. */
  deadlines: (Date | undefined)[] | undefined;
  /** Where the engine of an instance answers; "" = at its address. */
  engineUrl = "";
  #addresses = 0;

  /** Never the one before: what has changed is to be seen. */
  nextAddress(): string {
    this.#addresses += 1;
    return `192.0.2.${this.#addresses}`;
  }
}

interface FakeConfig extends ProviderConfig {
  InstanceId: string;
  Size: string;
}

class FakeDriver extends ProviderDriver<FakeConfig> {
  readonly driverName = "fake";
  readonly resize?: Required<Driver>["resize"];
  readonly setLifetime?: NonNullable<Driver["setLifetime"]>;
  readonly #world: FakeWorld;

  constructor(world: FakeWorld, context: DriverContext, configText: string | undefined) {
    super(context, { InstanceId: "", Size: "" }, configText);
    this.#world = world;
    const { sizes, deadlines } = world;
    if (deadlines !== undefined)
      this.setLifetime = async (deadline, signal) => await this.#do("setLifetime", signal, () => void deadlines.push(deadline));
    if (sizes !== undefined) this.resize = async (change) => ({ fromNextStart: sizes.push(change) > 0 });
  }

  get containerPorts(): ContainerPorts | undefined {
    return this.#world.containerPorts;
  }

  get hostKeysExposed(): boolean {
    return this.#world.hostKeysExposed;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    this.config.Size = options.string("fake-size");
    if (this.config.Size === "none") throw new MachineError("driver-options", '--fake-size "none" is not a size');
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await this.#do("preCreateCheck", signal, () => {});
  }

  async create(signal: AbortSignal): Promise<void> {
    await this.#do("create", signal, () => {
      const { createId: mark = "" } = this.context;
      const known = this.#instance ?? this.#world.instances.find((instance) => instance.mark === mark);
      const instance = known ?? {
        id: `i-${randomUUID().slice(0, 8)}`,
        mark,
        address: this.#world.nextAddress(),
        state: "Running" as const,
      };
      if (known === undefined) this.#world.instances.push(instance);
      this.config.InstanceId = instance.id;
      this.config.HostKeys = [...this.#world.hostKeys];
    });
    await this.ledger.note("instance", this.config.InstanceId);
    await this.context.save();
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#do("remove", signal, () => {
      for (const instance of this.#own) this.#world.instances.splice(this.#world.instances.indexOf(instance), 1);
    });
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#become("start", "Running", signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#become("stop", "Stopped", signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#become("kill", "Stopped", signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.#become("restart", "Running", signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    return await this.#do("getState", signal, () => this.#instance?.state ?? "");
  }

  async locate(signal: AbortSignal): Promise<void> {
    await this.#do("locate", signal, () => void (this.config.IPAddress = this.#instance?.address ?? ""));
  }

  override async getSshHostname(): Promise<string> {
    return this.#world.sshHost === "" ? await super.getSshHostname() : this.#world.sshHost;
  }

  override async getUrl(): Promise<string> {
    return this.#world.engineUrl === "" ? await super.getUrl() : this.#world.engineUrl;
  }

  async withdrawSecrets(): Promise<void> {
    this.#world.withdrawn += 1;
  }

  async findResources(): Promise<readonly Resource[]> {
    return this.#own.map(({ id }) => ({ kind: "instance", id }));
  }

  get #own(): readonly FakeInstance[] {
    const { createId } = this.context;
    const isOurs = ({ id, mark }: FakeInstance): boolean =>
      id === this.config.InstanceId || (createId !== undefined && mark === createId);
    return this.#world.instances.filter(isOurs);
  }

  get #instance(): FakeInstance | undefined {
    return this.#world.instances.find(({ id }) => id === this.config.InstanceId);
  }

  async #become(verb: FakeVerb, state: MachineState, signal: AbortSignal): Promise<void> {
    await this.#do(verb, signal, () => {
      if (this.#instance === undefined) throw new MachineError("provider-not-found", "There is no such instance");
      if (state === "Running" && this.#instance.state !== "Running") this.#instance.address = this.#world.nextAddress();
      this.#instance.state = state;
    });
  }

  async #do<Result>(verb: FakeVerb, signal: AbortSignal, work: () => Result): Promise<Result> {
    this.#world.calls.push(verb);
    await this.#world.before.get(verb)?.(signal);
    signal.throwIfAborted();
    const result = work();
    await this.#world.after.get(verb)?.();
    return result;
  }
}

/** The driver `fake` of a world. */
export function fakeDriverModule(world: FakeWorld, change: Partial<DriverCapabilities> = {}): DriverModule {
  return {
    name: "fake",
    summary: "Machines in memory",
    flags: [{ kind: "string", name: "fake-size", usage: "Size", value: "small" }],
    capabilities: {
      provisionable: false,
      adopted: false,
      lifecycle: { start: true, stop: true, kill: true, restart: true },
      parallelCreate: true,
      perNameFlags: [],
      injectsHostKeys: true,
      ...change,
    },
    pace: 1,
    open: (context, configText) => new FakeDriver(world, context, configText),
  };
}
