/** `src/driver.ts` of a new driver's project. */
export function driverSource(name: string, className: string, variablePrefix: string): string {
  return `/** The driver \`${name}\`: machines as instances of a provider. All its state is in its configuration. */
import {
  BuiltinDriver,
  defaultEnginePort,
  engineUrl,
  MachineError,
  newBaseConfig,
  poll,
  type BaseConfig,
  type DriverContext,
  type DriverModule,
  type DriverOptions,
  type MachineState,
  type Resource,
} from "docker-machine/driver";
import { Api, type Action, type Instance } from "./api.ts";

interface ${className}Config extends BaseConfig {
  Endpoint: string;
  Token: string;
  Size: string;
  InstanceId: string;
}

const pollMs = 2_000;
const startTimeoutMs = 300_000;
const questionTimeoutMs = 30_000;

const states: Record<Instance["status"], MachineState> = { starting: "Starting", running: "Running", stopped: "Stopped" };

class ${className}Driver extends BuiltinDriver<${className}Config> {
  readonly driverName = "${name}";

  constructor(context: DriverContext, configText: string | undefined) {
    const base = newBaseConfig(context.machineName, context.storePath);
    super(context, { ...base, Endpoint: "", Token: "", Size: "", InstanceId: "" }, configText);
    context.secret(this.config.Token);
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    this.config.Endpoint = options.string("${name}-endpoint").replace(/\\/+$/u, "");
    this.config.Token = options.string("${name}-token");
    this.config.Size = options.string("${name}-size");
    this.context.secret(this.config.Token);
    this.setSwarmConfig(options);
    for (const flag of ["${name}-endpoint", "${name}-token"]) {
      if (options.string(flag) === "") throw new MachineError("driver-options", \`${name} driver requires the --\${flag} option\`);
    }
  }

  /** That the provider can be reached and knows us. */
  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await this.#api.list("none", signal);
  }

  /** Takes over what an interrupted create has made. */
  async create(signal: AbortSignal): Promise<void> {
    const key = await this.context.ensureSshKey();
    this.config.SSHKeyPath = key.privateKeyPath;
    const [known] = await this.findResources(signal);
    this.config.InstanceId = known?.id ?? (await this.#createInstance(key.publicKey, signal)).id;
    await this.context.save();
    this.config.IPAddress = (await this.#waitFor("running", signal)).address;
    await this.context.save();
  }

  async remove(signal: AbortSignal): Promise<void> {
    for (const { id } of await this.findResources(signal)) await this.#api.remove(id, signal);
    this.config.InstanceId = "";
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#act("start", "running", signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#act("stop", "stopped", signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#act("kill", "stopped", signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.#act("restart", "running", signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    if (this.config.InstanceId === "") return "";
    return states[(await this.#instance(signal)).status];
  }

  async getUrl(): Promise<string> {
    const state = await this.getState(AbortSignal.timeout(questionTimeoutMs));
    if (state !== "Running") throw new MachineError("machine-not-running", "Host is not running");
    return this.config.IPAddress === "" ? "" : engineUrl(this.config.IPAddress, defaultEnginePort);
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    const own = this.config.InstanceId === "" ? [] : [this.config.InstanceId];
    // A machine of an older tool has no mark, and an absent mark matches nothing.
    const marked = this.context.createId === undefined ? [] : await this.#api.list(this.context.createId, signal);
    const present = await Promise.all(own.map(async (id) => await this.#api.get(id, signal)));
    const ids = new Set([...present, ...marked].flatMap((instance) => (instance === undefined ? [] : [instance.id])));
    return [...ids].map((id) => ({ kind: "instance", id }));
  }

  get #api(): Api {
    return new Api(this.config.Endpoint, this.config.Token);
  }

  async #createInstance(publicKey: string, signal: AbortSignal): Promise<Instance> {
    const { machineName, createId } = this.context;
    return await this.#api.create({ name: machineName, label: createId ?? "", size: this.config.Size, publicKey }, signal);
  }

  async #instance(signal: AbortSignal): Promise<Instance> {
    const instance = await this.#api.get(this.config.InstanceId, signal);
    if (instance !== undefined) return instance;
    throw new MachineError("driver-failed", \`The instance \${this.config.InstanceId} does not exist any more\`, {
      hint: \`Drop its record with: docker-machine rm -f \${this.context.machineName}\`,
    });
  }

  async #act(action: Action, until: Instance["status"], signal: AbortSignal): Promise<void> {
    await this.#api.act(this.config.InstanceId, action, signal);
    const { address } = await this.#waitFor(until, signal);
    if (address !== "") this.config.IPAddress = address;
  }

  async #waitFor(status: Instance["status"], signal: AbortSignal): Promise<Instance> {
    const patience = { ms: startTimeoutMs, clock: this.context.clock, signal };
    const ask = async (): Promise<Instance | undefined> => {
      const instance = await this.#instance(signal);
      return instance.status === status ? instance : undefined;
    };
    return await poll(patience, pollMs, ask, \`The instance was not \${status}\`);
  }
}

export const driverModule: DriverModule = {
  name: "${name}",
  summary: "Machines as instances of ${name}",
  flags: [
    { kind: "string", name: "${name}-endpoint", usage: "URL of the provider's API", envVar: "${variablePrefix}_ENDPOINT" },
    { kind: "string", name: "${name}-token", usage: "Token of the provider's API", envVar: "${variablePrefix}_TOKEN", secret: true },
    { kind: "string", name: "${name}-size", usage: "Size of the instance", envVar: "${variablePrefix}_SIZE", value: "small" },
  ],
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: [],
    injectsHostKeys: false,
  },
  open: (context, configText) => new ${className}Driver(context, configText),
};
`;
}
