/**
 * `docker`: machines that are systemd containers on an engine that is there already, for clusters on one computer, CI
 * and tests. Each has its own address, its own sshd and a real engine inside. The engine's API is spoken directly; no
 * docker client is needed. This file is the life of a machine once it exists; the rest is in `creation.ts`.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { BuiltinDriver, engineUrl } from "../../driver-kit/builtin-driver.ts";
import { requireRootfsPrograms } from "../../driver-kit/images/debian-rootfs.ts";
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { EngineApi, isApiError } from "../../engine/engine-api.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { configure, defaultConfig, type DockerConfig } from "./config.ts";
import {
  addressOf,
  createInstance,
  findContainer,
  findContainers,
  inspectContainer,
  removeContainers,
  type Workplace,
} from "./creation.ts";
import { findLocalEngine, openEndpoint } from "./endpoint.ts";
import { dockerFlags } from "./flags.ts";
import { isImageThere } from "./host-image.ts";
import { removeUnusedNetwork } from "./network.ts";

/** What systemd and the containers of the engine inside get for shutting down. */
const shutdownSeconds = 90;
const answerTimeoutMs = 120_000;
/** Of the engine's API, 19.03: the first that lets a container have its own control groups. */
const oldestApiMinor = 40;

const states: Readonly<Record<string, MachineState>> = {
  // Nothing in it runs, and nothing will until somebody starts it.
  created: "Stopped",
  running: "Running",
  paused: "Paused",
  restarting: "Starting",
  removing: "Stopping",
  exited: "Stopped",
};

class DockerDriver extends BuiltinDriver<DockerConfig> {
  readonly driverName = "docker";
  readonly enginePort = defaultEnginePort;
  #opened: Workplace | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, defaultConfig(context.machineName, context.storePath), configText);
  }

  /** By a socket of this computer. An engine that is not chosen yet is found here, if anywhere. */
  get tellsStateLocally(): boolean {
    return !this.config.EngineHost.startsWith("tcp://");
  }

  async #workplace(): Promise<Workplace> {
    if (this.#opened !== undefined) return this.#opened;
    if (this.config.EngineHost === "") this.config.EngineHost = await findLocalEngine(this.context.computer);
    const endpoint = await openEndpoint(this.config.EngineHost, this.config.EngineCertPath);
    this.#opened = { context: this.context, config: this.config, api: new EngineApi(endpoint), endpoint };
    return this.#opened;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    configure(this.config, options);
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    const { api } = await this.#workplace();
    const version = (await api.send("GET", "/version", { signal })) as {
      readonly ApiVersion: string;
      readonly Os: string;
      readonly Version: string;
    };
    if (version.Os !== "linux")
      throw new MachineError("driver-unsupported", `The engine runs ${version.Os} containers; machines need a Linux one`);
    if (Number(version.ApiVersion.split(".")[1]) < oldestApiMinor)
      throw new MachineError("driver-unsupported", `The engine ${version.Version} is too old: 19.03 is the oldest that will do`);
    if (this.config.Network !== "") await this.#requireNetwork(api, signal);
    if (/^build(?::|$)/u.test(this.config.Image) && !(await isImageThere(api, this.config.Image, signal)))
      await requireRootfsPrograms(this.context.processes);
  }

  async #requireNetwork(api: EngineApi, signal: AbortSignal): Promise<void> {
    try {
      await api.send("GET", `/networks/${encodeURIComponent(this.config.Network)}`, { signal });
    } catch (error) {
      if (!isApiError(error, 404)) throw error;
      throw new MachineError("driver-options", `The engine has no network ${JSON.stringify(this.config.Network)}`, {
        hint: "See docker network ls, or leave --docker-network out.",
      });
    }
  }

  async create(signal: AbortSignal): Promise<void> {
    if (this.config.Created) await this.start(signal);
    else await createInstance(await this.#workplace(), signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    const place = await this.#workplace();
    if ((await inspectContainer(place, signal)).State.Status === "paused") await this.#post("unpause", signal);
    await this.#post("start", signal);
    const address = await addressOf(place, signal);
    if (address === this.config.IPAddress) return;
    this.config.IPAddress = address;
    await this.context.save();
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#post("stop", signal, { t: String(shutdownSeconds) });
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#post("kill", signal).catch((error: unknown) => {
      // 409: it is not running.
      if (!isApiError(error, 409)) throw error;
    });
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.stop(signal);
    await this.start(signal);
  }

  async #post(verb: string, signal: AbortSignal, query?: Readonly<Record<string, string>>): Promise<void> {
    const place = await this.#workplace();
    await inspectContainer(place, signal);
    await place.api.send("POST", `/containers/${this.config.ContainerId}/${verb}`, { query, signal, timeoutMs: answerTimeoutMs });
  }

  async remove(signal: AbortSignal): Promise<void> {
    if (this.config.ContainerName === "") return;
    const place = await this.#workplace();
    await removeContainers(place, signal);
    if (this.config.Network === "") await removeUnusedNetwork(place.api, signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    if (this.config.ContainerId === "") return "";
    const found = await findContainer(await this.#workplace(), signal);
    return found === undefined ? "" : (states[found.State.Status] ?? "Error");
  }

  async getUrl(): Promise<string> {
    return this.config.IPAddress === "" ? "" : engineUrl(this.config.IPAddress, this.config.EnginePort);
  }

  async hostKeys(): Promise<readonly string[]> {
    return this.config.HostKey === "" ? [] : [this.config.HostKey];
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    const ids = this.config.ContainerName === "" ? [] : await findContainers(await this.#workplace(), signal);
    return ids.map((id) => ({ kind: "instance", id }));
  }
}

export const driverModule: DriverModule = {
  name: "docker",
  summary: "A container with systemd on a Docker Engine that runs already",
  flags: dockerFlags,
  ownKeys: ["ContainerName", "ContainerId", "EngineHost"],
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: [],
    injectsHostKeys: true,
  },
  open: (context, configText) => new DockerDriver(context, configText),
};
