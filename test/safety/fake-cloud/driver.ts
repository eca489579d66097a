/** A driver for the fake cloud: small, but honest about every rule of the contract. */
import { newBaseConfig, type BaseConfig } from "../../../src/driver-kit/base-config.ts";
import { BuiltinDriver } from "../../../src/driver-kit/builtin-driver.ts";
import type { DriverContext, DriverModule, Resource } from "../../../src/driver-kit/driver.ts";
import type { DriverOptions } from "../../../src/driver-kit/create-flag.ts";
import type { MachineState } from "../../../src/driver-kit/state.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";
import { instant } from "../killable/instant.ts";

interface FakeCloudConfig extends BaseConfig {
  Endpoint: string;
  Token: string;
  Size: string;
  InstanceId: string;
}

interface Instance {
  readonly id: string;
  readonly address: string;
  readonly running: boolean;
}

const patience = 12;

class FakeCloudDriver extends BuiltinDriver<FakeCloudConfig> {
  readonly driverName = "fakecloud";

  constructor(context: DriverContext, configText: string | undefined) {
    super(
      context,
      { ...newBaseConfig(context.machineName, context.storePath), Endpoint: "", Token: "", Size: "", InstanceId: "" },
      configText,
    );
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    this.config.Endpoint = options.string("fakecloud-endpoint");
    this.config.Token = options.string("fakecloud-token");
    this.config.Size = options.string("fakecloud-size");
    if (this.config.Endpoint === "") throw new MachineError("driver-options", "fakecloud requires --fakecloud-endpoint");
  }

  async create(signal: AbortSignal): Promise<void> {
    if (this.config.InstanceId !== "") return;
    if (this.config.Size === "too-big") throw new MachineError("provider-quota", "The fake cloud has no instance that big");
    if (this.context.createId === undefined) throw new Error("a create without an id");
    const { id, address } = await this.#request<Instance>("POST", `/instances?mark=${this.context.createId}`, signal);
    this.config.InstanceId = id;
    this.config.IPAddress = address;
    await this.context.save();
  }

  async remove(signal: AbortSignal): Promise<void> {
    for (const { id } of await this.findResources(signal)) await this.#request("DELETE", `/instances/${id}`, signal);
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    const { createId } = this.context;
    const marked = createId === undefined ? [] : await this.#request<Instance[]>("GET", `/instances?mark=${createId}`, signal);
    const recorded = this.config.InstanceId === "" ? undefined : await this.#find(this.config.InstanceId, signal);
    const ids = new Set([...marked, ...(recorded === undefined ? [] : [recorded])].map(({ id }) => id));
    return [...ids].map((id) => ({ kind: "instance", id }));
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    const instance = this.config.InstanceId === "" ? undefined : await this.#find(this.config.InstanceId, signal);
    if (instance === undefined) return "";
    return instance.running ? "Running" : "Stopped";
  }

  async getUrl(): Promise<string> {
    return "";
  }

  /** A started instance has another address, as in clouds that lend them. */
  async start(signal: AbortSignal): Promise<void> {
    this.config.IPAddress = (
      await this.#request<Instance>("PUT", `/instances/${this.config.InstanceId}?running=true`, signal)
    ).address;
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#request("PUT", `/instances/${this.config.InstanceId}?running=false`, signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.start(signal);
  }

  async #find(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    const instance = await this.#request<Partial<Instance>>("GET", `/instances/${id}`, signal);
    return instance.id === undefined ? undefined : (instance as Instance);
  }

  /** Every request may be repeated: the mark makes a create the same one, the rest is idempotent. */
  async #request<Answer>(method: string, path: string, signal: AbortSignal): Promise<Answer> {
    const headers = { connection: "close", authorization: await this.context.reveal(this.config.Token) };
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (method !== "GET") instant();
        const response = await fetch(this.config.Endpoint + path, { method, signal, headers });
        const answer = (await response.json()) as Answer;
        if (response.status === 401) throw new MachineError("provider-error", "The fake cloud does not accept the token");
        if (method !== "GET") instant();
        return answer;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof MachineError) throw error;
        if (attempt === patience)
          throw new MachineError("provider-error", `The fake cloud does not answer ${method} ${path}`, { cause: error });
      }
    }
  }
}

export const driverModule: DriverModule = {
  name: "fakecloud",
  summary: "A cloud made of one process, for tests",
  flags: [
    { kind: "string", name: "fakecloud-endpoint", usage: "URL of the fake cloud" },
    { kind: "string", name: "fakecloud-token", usage: "Token of the fake cloud's API", secret: true },
    { kind: "string", name: "fakecloud-size", usage: "Size of the instance; there is none that is too-big" },
  ],
  capabilities: {
    provisionable: false,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: [],
    injectsHostKeys: false,
  },
  open: (context, configText) => new FakeCloudDriver(context, configText),
};
