/** A driver for the plain fake provider: small, but honest about every rule of the contract. Each change it asks for is an instant. */
import {
  createMark,
  defineOptions,
  HttpApi,
  kindOfStatus,
  MachineError,
  ProviderDriver,
  requireMark,
  secret,
  text,
  type ConfigOf,
  type DriverContext,
  type DriverModule,
  type DriverOptions,
  type HttpTransport,
  type MachineState,
  type ProviderConfig,
  type Resource,
} from "../../src/driver.ts";
import type { FakeResource } from "../../src/testing/fake-resources.ts";
import { instant } from "./killable/instant.ts";

const options = defineOptions("fakecloud", {
  Endpoint: text("endpoint", { usage: "URL of the fake cloud" }),
  Token: secret("token", { usage: "Token of the fake cloud's API" }),
  Size: text("size", { usage: "Size of the instance; there is none that is too-big" }),
});

interface FakeCloudConfig extends ProviderConfig, ConfigOf<typeof options> {
  InstanceId: string;
}

type Instance = Pick<FakeResource, "id" | "status" | "address">;

const states = { ready: "", starting: "Starting", running: "Running", stopped: "Stopped", deleting: "" } as const;
/** The cloud is in this computer, and loses every fourth answer. */
const retry = { attempts: 12, firstDelayMs: 2, longestDelayMs: 20 };

class FakeCloudDriver extends ProviderDriver<FakeCloudConfig> {
  readonly driverName = "fakecloud";

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, { ...options.defaults(), InstanceId: "" }, configText);
  }

  async setConfigFromFlags(given: DriverOptions): Promise<void> {
    Object.assign(this.config, options.read(given));
    if (this.config.Endpoint === "") throw new MachineError("driver-options", "fakecloud requires --fakecloud-endpoint");
  }

  async create(signal: AbortSignal): Promise<void> {
    if (this.config.InstanceId !== "") return;
    if (this.config.Size === "too-big") throw new MachineError("provider-quota", "The fake cloud has no instance that big");
    const body = { name: this.context.machineName, mark: requireMark(this.context.createId).id };
    const { id } = await this.#api.send<Instance>({ method: "POST", path: "/instances", body, safe: true }, signal);
    this.config.InstanceId = id;
    await this.context.save();
  }

  async remove(signal: AbortSignal): Promise<void> {
    for (const { id } of await this.findResources(signal))
      await this.#api.find({ method: "DELETE", path: `/instances/${id}` }, signal);
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    if (this.config.InstanceId !== "")
      return ((await this.#find(signal)) === undefined ? [] : [this.config.InstanceId]).map(asInstance);
    const mark = createMark(this.context.createId);
    if (mark === undefined) return [];
    const reader = {
      items: (answer: unknown) => (answer as { items: readonly Instance[] }).items,
      next: (answer: unknown) => (answer as { next?: string }).next,
    };
    const found: string[] = [];
    const list = { method: "GET", path: "/instances", query: { mark: mark.id } } as const;
    for await (const { id } of this.#api.pages(list, reader, signal)) found.push(id);
    return found.map(asInstance);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    return states[(await this.#find(signal))?.status ?? "ready"];
  }

  /** Its instances run no engine. */
  override async getUrl(): Promise<string> {
    return "";
  }

  /** A started instance has another address, as in clouds that lend them. */
  async locate(signal: AbortSignal): Promise<void> {
    this.config.IPAddress = (await this.#find(signal))?.address ?? "";
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#act("start", signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#act("stop", signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#act("kill", signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.#act("restart", signal);
  }

  async #act(action: string, signal: AbortSignal): Promise<void> {
    const path = `/instances/${this.config.InstanceId}/${action}`;
    await this.#api.send({ method: "POST", path, safe: true }, signal);
  }

  async #find(signal: AbortSignal): Promise<Instance | undefined> {
    const { InstanceId } = this.config;
    return InstanceId === "" ? undefined : await this.#api.find({ method: "GET", path: `/instances/${InstanceId}` }, signal);
  }

  get #api(): HttpApi {
    return new HttpApi(
      { ...this.context, http: withInstants(this.context.http) },
      {
        provider: "The fake cloud",
        baseUrl: this.config.Endpoint,
        authorize: async () => ({ authorization: `Bearer ${await this.context.reveal(this.config.Token)}` }),
        explain: ({ status, text: body }) => ({
          kind: kindOfStatus(status),
          ...(JSON.parse(body) as { code: string; message: string }),
        }),
        failures: [{ codes: ["bad-token"], kind: "credentials", sentence: "The fake cloud does not accept the token" }],
        retry,
      },
    );
  }
}

function asInstance(id: string): Resource {
  return { kind: "instance", id };
}

function withInstants(http: HttpTransport): HttpTransport {
  return {
    send: async (request, signal) => {
      if (request.method !== "GET") instant();
      const answer = await http.send(request, signal);
      if (request.method !== "GET") instant();
      return answer;
    },
    agent: async () => await http.agent(),
    trusting: (trust) => withInstants(http.trusting(trust)),
    fingerprint: async (url, signal) => await http.fingerprint(url, signal),
  };
}

export const driverModule: DriverModule = {
  name: "fakecloud",
  summary: "A cloud made of one process, for tests",
  flags: options.flags,
  pace: 10,
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
