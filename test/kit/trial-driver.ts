/**
 * A driver of the plain fake provider, written against the public entry alone: an instance and a key. With flaws, to see
 * that the suites find them.
 */
import {
  defineOptions,
  HttpApi,
  isNotFound,
  kindOfStatus,
  MachineError,
  ProviderDriver,
  requireMark,
  createMark,
  removeAll,
  secret,
  text,
  type ConfigOf,
  type DriverContext,
  type DriverModule,
  type DriverOptions,
  type MachineState,
  type ProviderConfig,
  type Resource,
} from "../../src/driver.ts";

const trialFlaws = [
  "",
  "saves-late",
  "leaves-the-key",
  "removes-by-name",
  "tells-half",
  "no-mark-is-a-mark",
  "stores-the-token",
  "shouts-the-token",
  "makes-two",
  "rm-needs-the-instance",
  "cannot-be-aborted",
  "never-locates",
  "starts-nothing",
] as const;

export type TrialFlaw = (typeof trialFlaws)[number];

const options = defineOptions("trial", {
  Endpoint: text("endpoint", { usage: "URL of the provider", envVar: "TRIAL_ENDPOINT" }),
  Token: secret("token", { usage: "Token of the provider", envVar: "TRIAL_TOKEN" }),
});

interface TrialConfig extends ProviderConfig, ConfigOf<typeof options> {
  InstanceId: string;
}

interface Found {
  readonly id: string;
  readonly name: string;
  readonly status: "ready" | "starting" | "running" | "stopped" | "deleting";
  readonly address: string;
}

const states: Readonly<Record<Found["status"], MachineState>> = {
  ready: "",
  starting: "Starting",
  running: "Running",
  stopped: "Stopped",
  deleting: "",
};

class TrialDriver extends ProviderDriver<TrialConfig> {
  readonly driverName = "trial";
  readonly #flaw: TrialFlaw;

  constructor(context: DriverContext, configText: string | undefined, flaw: TrialFlaw) {
    super(context, { ...options.defaults(), InstanceId: "" }, configText);
    this.#flaw = flaw;
  }

  get #api(): HttpApi {
    return new HttpApi(this.context, {
      provider: "Trial",
      baseUrl: this.config.Endpoint,
      authorize: async () => ({ authorization: `Bearer ${await this.context.reveal(this.config.Token)}` }),
      explain: ({ status, text: body }) => {
        const { code = "", message = "" } = JSON.parse(body || "{}") as { code?: string; message?: string };
        return { kind: kindOfStatus(status), code, message };
      },
      failures: [
        { codes: ["no-capacity"], kind: "capacity", sentence: "Trial has no room for it now" },
        { codes: ["in-use"], kind: "busy", sentence: "It is in use" },
      ],
    });
  }

  async setConfigFromFlags(given: DriverOptions): Promise<void> {
    Object.assign(this.config, options.read(given));
    this.setSwarmConfig(given);
    if (this.config.Endpoint === "") throw new MachineError("driver-options", "trial requires the --trial-endpoint option");
  }

  async create(signal: AbortSignal): Promise<void> {
    const { id: mark } = requireMark(this.context.createId);
    const name = this.context.machineName;
    if (this.#flaw === "stores-the-token") this.config.Token = await this.context.reveal(this.config.Token);
    const [api, ended] = [this.#api, this.#flaw === "cannot-be-aborted" ? new AbortController().signal : signal];
    const { privateKeyPath, publicKey } = await this.context.ensureSshKey();
    this.config.SSHKeyPath = privateKeyPath;
    if (this.#flaw === "shouts-the-token")
      this.context.report({ type: "log", level: "info", text: await this.context.reveal(this.config.Token) });
    const make = async (kind: string, body: object): Promise<string> => {
      const known = this.ledger.idOf(kind);
      if (known !== undefined) return known;
      await this.ledger.intend(kind, name);
      const marked = this.#flaw === "makes-two" && kind === "instance" ? `${mark}${Math.random()}` : mark;
      const request = { method: "POST", path: `/${kind}s`, body: { name, mark: marked, ...body }, safe: true } as const;
      const { id } = await api.send<Found>(request, ended);
      if (this.#flaw !== "saves-late") await this.ledger.note(kind, id, name);
      return id;
    };
    const key = await make("key", { publicKey });
    this.config.InstanceId = await make("instance", { uses: [key] });
    await this.context.save();
  }

  async remove(signal: AbortSignal): Promise<void> {
    if (this.#flaw === "rm-needs-the-instance" && this.config.InstanceId !== "")
      await this.#api.send({ method: "GET", path: `/instances/${this.config.InstanceId}` }, signal);
    for (const { kind, id } of await this.findResources(signal)) {
      if (this.#flaw === "leaves-the-key" && kind === "key") continue;
      await this.#api.find({ method: "DELETE", path: `/${kind}s/${id}` }, signal);
    }
    await removeAll(this.ledger, ["instance", "key"], async () => true, signal);
    this.config.InstanceId = "";
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    const found: Resource[] = [];
    for (const kind of this.#flaw === "tells-half" ? ["instance"] : ["instance", "key"]) {
      const recorded = this.ledger.of(kind).filter(({ intended }) => !intended);
      for (const { id } of recorded)
        if ((await this.#api.find({ method: "GET", path: `/${kind}s/${id}` }, signal)) !== undefined) found.push({ kind, id });
      if (recorded.length === 0) found.push(...(await this.#marked(kind, signal)));
    }
    return found;
  }

  async #marked(kind: string, signal: AbortSignal): Promise<Resource[]> {
    const mark = createMark(this.context.createId);
    const byName = this.#flaw === "removes-by-name";
    if (mark === undefined && this.#flaw !== "no-mark-is-a-mark" && !byName) return [];
    const query = byName ? { name: this.context.machineName } : { mark: mark?.id ?? "" };
    const found: Resource[] = [];
    const pages = this.#api.pages<Found>(
      { method: "GET", path: `/${kind}s`, query },
      {
        items: (answer) => (answer as { items: Found[] }).items,
        next: (answer) => (answer as { next?: string }).next,
      },
      signal,
    );
    for await (const { id } of pages) found.push({ kind, id });
    return found;
  }

  async locate(signal: AbortSignal): Promise<void> {
    if (this.#flaw === "never-locates" && this.config.IPAddress !== "") return;
    this.config.IPAddress = (await this.#instance(signal))?.address ?? "";
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    const instance = await this.#instance(signal);
    return instance === undefined ? "" : states[instance.status];
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
    try {
      await this.#api.send({ method: "POST", path: `/instances/${this.config.InstanceId}/${action}` }, signal);
    } catch (error) {
      if (!isNotFound(error) || this.#flaw === "starts-nothing") throw this.#flaw === "starts-nothing" ? new Error("?") : error;
      throw new MachineError("provider-not-found", `The instance of "${this.context.machineName}" does not exist any more`, {
        hint: `Drop its record with: docker-machine rm -f ${this.context.machineName}`,
      });
    }
  }

  async #instance(signal: AbortSignal): Promise<Found | undefined> {
    if (this.config.InstanceId === "") return undefined;
    return await this.#api.find<Found>({ method: "GET", path: `/instances/${this.config.InstanceId}` }, signal);
  }
}

export function trialModule(flaw: TrialFlaw = ""): DriverModule {
  return {
    name: "trial",
    summary: "Machines at the plain fake provider",
    flags: options.flags,
    capabilities: {
      provisionable: true,
      adopted: false,
      lifecycle: { start: true, stop: true, kill: true, restart: true },
      parallelCreate: true,
      perNameFlags: [],
      injectsHostKeys: false,
      whenPoweredOff: "billed",
    },
    open: (context, configText) => new TrialDriver(context, configText, flaw),
  };
}
