/** `src/driver.ts` of a new driver's project. */
export function driverSource(name: string, className: string, variablePrefix: string): string {
  return `/** The driver \`${name}\`: machines as instances of a provider. Paths and fields are an example: put your provider's here. */
import * as kit from "@docker-machine/cli/driver";

/** What the driver makes, in the order it is removed. The mark and the name find it again after a crash. */
const kinds = ["instance", "firewall"] as const;
type Kind = (typeof kinds)[number];

interface Found {
  readonly id: string;
  readonly status: string;
  /** "" until it has one. */
  readonly address: string;
}

const states: Readonly<Record<string, kit.MachineState>> = { starting: "Starting", running: "Running", stopped: "Stopped", deleting: "" };

/** From this table come the flags, their defaults, and the fields of the record. */
const options = kit.defineOptions("${name}", {
  Endpoint: kit.text("endpoint", { usage: "URL of the provider's API", envVar: "${variablePrefix}_ENDPOINT" }),
  Token: kit.secret("token", { usage: "Token of the provider's API", envVar: "${variablePrefix}_TOKEN" }),
  Size: kit.text("size", { usage: "Size of the instance", envVar: "${variablePrefix}_SIZE", value: "small" }),
  OpenPorts: kit.list("open-port", { usage: "Let in a further port, as 8080 or 53/udp", envVar: "${variablePrefix}_OPEN_PORT" }),
});

interface ${className}Config extends kit.ProviderConfig, kit.ConfigOf<typeof options> {}

class ${className}Driver extends kit.ProviderDriver<${className}Config> {
  readonly driverName = "${name}";

  constructor(context: kit.DriverContext, configText: string | undefined) {
    super(context, { ...options.defaults(), SSHUser: "docker" }, configText);
  }

  async setConfigFromFlags(given: kit.DriverOptions): Promise<void> {
    Object.assign(this.config, options.read(given));
    this.setSwarmConfig(given);
    for (const field of ["Endpoint", "Token"] as const) {
      if (this.config[field] === "") throw new kit.MachineError("driver-options", \`${name} driver requires the \${options.flagOf(field)} option\`);
    }
    this.#ports();
  }

  /** That the provider can be reached and knows us. */
  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await this.#api.send({ method: "GET", path: "/instances", query: { name: this.context.machineName } }, signal);
  }

  /** Takes over what an interrupted create has made. Asks for the instance and does not wait for it: the core does. */
  async create(signal: AbortSignal): Promise<void> {
    if (this.ledger.idOf("instance") === undefined) {
      const { identity, sshKeyPath } = await kit.newGuestIdentity(this.context, this.config.SSHUser);
      this.config.SSHKeyPath = sshKeyPath;
      this.config.HostKeys = [...kit.publicHalves(identity.hostKeys)];
      const firewall = await this.#make("firewall", { ports: this.#ports() }, signal);
      const userData = Buffer.from(kit.cloudInitData({ identity, keepsImageUser: false }).bytes).toString();
      await this.#make("instance", { size: this.config.Size, userData, uses: [firewall] }, signal);
    }
    await kit.forgetHostKeys(this.context);
  }

  async remove(signal: AbortSignal): Promise<void> {
    for (const { kind, id } of await this.findResources(signal)) await this.ledger.note(kind, id, this.context.machineName);
    // What was asked for and is not known was looked for by its mark just now.
    const removeOne = async ({ kind, id, intended }: kit.LedgerEntry): Promise<boolean> => {
      if (!intended) await this.#api.find({ method: "DELETE", path: \`/\${kind}s/\${id}\` }, signal);
      return !intended;
    };
    await kit.removeAll(this.ledger, kinds, removeOne, signal);
  }

  /** What is recorded and still there; while nothing is recorded, what bears this create's mark. */
  async findResources(signal: AbortSignal): Promise<readonly kit.Resource[]> {
    const found = await Promise.all(
      kinds.map(async (kind) => {
        const id = this.ledger.idOf(kind);
        const ids = id === undefined ? await this.#marked(kind, signal) : (await this.#find(kind, id, signal)) === undefined ? [] : [id];
        return ids.map((each) => ({ kind, id: each }));
      }),
    );
    return found.flat();
  }

  async locate(signal: AbortSignal): Promise<void> {
    this.config.IPAddress = (await this.#find("instance", this.ledger.idOf("instance"), signal))?.address ?? "";
  }

  async getState(signal: AbortSignal): Promise<kit.MachineState> {
    const instance = await this.#find("instance", this.ledger.idOf("instance"), signal);
    return instance === undefined ? "" : (states[instance.status] ?? "Error");
  }

  start = async (signal: AbortSignal): Promise<void> => await this.#act("start", signal);
  stop = async (signal: AbortSignal): Promise<void> => await this.#act("stop", signal);
  kill = async (signal: AbortSignal): Promise<void> => await this.#act("kill", signal);
  restart = async (signal: AbortSignal): Promise<void> => await this.#act("restart", signal);

  async #act(action: string, signal: AbortSignal): Promise<void> {
    await this.#api.send({ method: "POST", path: \`/instances/\${this.ledger.idOf("instance") ?? "none"}/\${action}\`, safe: true }, signal);
  }

  /** Noted before it is asked for. The provider takes a second request with the same mark and name for the same one. */
  async #make(kind: Kind, wish: object, signal: AbortSignal): Promise<string> {
    const known = this.ledger.idOf(kind);
    if (known !== undefined) return known;
    const { machineName: name, createId } = this.context;
    await this.ledger.intend(kind, name);
    const body = { name, mark: kit.requireMark(createId).id, ...wish };
    const { id } = await this.#api.send<Found>({ method: "POST", path: \`/\${kind}s\`, body, safe: true }, signal);
    await this.ledger.note(kind, id, name);
    return id;
  }

  async #find(kind: Kind, id: string | undefined, signal: AbortSignal): Promise<Found | undefined> {
    return id === undefined ? undefined : await this.#api.find<Found>({ method: "GET", path: \`/\${kind}s/\${id}\` }, signal);
  }

  /** An absent mark matches nothing: a machine of an older tool has none. */
  async #marked(kind: Kind, signal: AbortSignal): Promise<string[]> {
    const mark = kit.createMark(this.context.createId);
    if (mark === undefined) return [];
    const reader: kit.PageReader<Found> = {
      items: (answer) => (answer as { items: Found[] }).items,
      next: (answer) => (answer as { next?: string }).next,
    };
    const ids: string[] = [];
    for await (const { id } of this.#api.pages({ method: "GET", path: \`/\${kind}s\`, query: { mark: mark.id } }, reader, signal)) ids.push(id);
    return ids;
  }

  #ports(): readonly kit.PortRange[] {
    const { OpenPorts, SwarmMaster: swarmMaster, SwarmHost: swarmHost } = this.config;
    const openPorts = kit.parseOpenPorts("${name}-open-port", OpenPorts);
    return kit.machinePorts({ sshPort: 22, enginePort: kit.defaultEnginePort, swarmMaster, swarmHost, openPorts });
  }

  get #api(): kit.HttpApi {
    return new kit.HttpApi(this.context, {
      provider: "${className}",
      baseUrl: this.config.Endpoint,
      // What is stored is a mark; the token itself is asked for when a request needs it.
      authorize: async () => ({ authorization: \`Bearer \${await this.context.reveal(this.config.Token)}\` }),
      explain: ({ status, text }) => ({ kind: kit.kindOfStatus(status), ...wordsOf(text) }),
      facts: { machine: this.context.machineName },
      failures: [
        { codes: ["no-capacity"], kind: "capacity", sentence: "{provider} has no room for this size now" },
        { codes: ["in-use"], kind: "busy", sentence: "Something at {provider} is still in use" },
        { codes: ["not-found"], kind: "not-found", sentence: 'The instance of "{machine}" is gone', hint: "docker-machine rm {machine} drops its record." },
      ],
    });
  }
}

/** The provider's own code and words; a proxy's page has none. */
function wordsOf(text: string): { code: string; message: string } {
  try {
    const { code = "", message = "" } = JSON.parse(text) as { code?: string; message?: string };
    return { code, message };
  } catch {
    return { code: "", message: text };
  }
}

export const driverModule: kit.DriverModule = {
  name: "${name}",
  summary: "Machines as instances of ${name}",
  flags: options.flags,
  pace: { firstMs: 1_000, mostMs: 5_000, jitter: 0.2 },
  capabilities: kit.providerCapabilities,
  open: (context, configText) => new ${className}Driver(context, configText),
};
`;
}
