/**
 * `docker`: machines that are systemd containers on an engine that is there already, for clusters on one computer, CI
 * and tests. Each has its own address, its own sshd and a real engine inside. The engine's API is spoken directly; no
 * docker client is needed. This file is the life of a machine once it exists; the rest is in `creation.ts`.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { BuiltinDriver, engineUrl, providerCapabilities } from "../../driver-kit/builtin-driver.ts";
import { requireRootfsPrograms } from "../../driver-kit/images/debian-rootfs.ts";
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { SizeChange } from "../../driver-kit/sizes.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { EngineApi, isApiError } from "../../engine/engine-api.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { configure, defaultConfig, type DockerConfig } from "./config.ts";
import { createInstance, findContainers, removeContainers } from "./creation.ts";
import { addressOf, findContainer, goneFrom, inspectContainer, startContainer } from "./running.ts";
import { findLocalEngine, openEndpoint } from "./endpoint.ts";
import { dockerOptions } from "./options.ts";
import { isImageThere } from "./host-image.ts";
import { removeUnusedNetwork, requireNetwork } from "./network.ts";
import { resizeContainer } from "./resize.ts";
import type { Workplace } from "./workplace.ts";

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
  stateProblem: string | undefined;
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
    if (this.config.Network !== "") await requireNetwork(api, this.config.Network, signal);
    if (this.config.CPUs !== "") await this.#requireCpus(api, Number(this.config.CPUs), signal);
    if (/^build(?::|$)/u.test(this.config.Image) && !(await isImageThere(api, this.config.Image, signal)))
      await requireRootfsPrograms(this.context.processes);
  }

  async #requireCpus(api: EngineApi, cpus: number, signal: AbortSignal): Promise<void> {
    const { NCPU } = (await api.send("GET", "/info", { signal })) as { readonly NCPU: number };
    if (cpus <= NCPU) return;
    throw new MachineError("driver-options", `--docker-cpus ${cpus} is more than the engine's computer has: ${NCPU}`, {
      hint: "Take less, or leave it out for no bound.",
    });
  }

  async create(signal: AbortSignal): Promise<void> {
    if (this.config.Created) await this.start(signal);
    else await createInstance(await this.#workplace(), signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    const place = await this.#workplace();
    await this.#unpause(signal);
    await startContainer(place, this.config.ContainerId, signal);
    const address = await addressOf(place, signal);
    if (address === this.config.IPAddress) return;
    this.config.IPAddress = address;
    await this.context.save();
  }

  async #unpause(signal: AbortSignal): Promise<void> {
    if ((await inspectContainer(await this.#workplace(), signal)).State.Status === "paused") await this.#post("unpause", signal);
  }

  /** What is paused hears no signal. */
  async stop(signal: AbortSignal): Promise<void> {
    await this.#unpause(signal);
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

  async resize(change: SizeChange, signal: AbortSignal): Promise<{ readonly fromNextStart: boolean }> {
    const place = await this.#workplace();
    if (change.cpus !== undefined) await this.#requireCpus(place.api, change.cpus, signal);
    await resizeContainer(place, change, signal);
    return { fromNextStart: false };
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
    this.stateProblem = undefined;
    if (this.config.ContainerId === "") return "";
    const found = await findContainer(await this.#workplace(), signal);
    if (found === undefined) return this.#troubled("", goneFrom(this.config).message);
    const { Status, Error: reason } = found.State;
    const said = `The engine says that the container is ${JSON.stringify(Status)}${reason === "" ? "" : `: ${reason}`}`;
    return states[Status] ?? this.#troubled("Error", said);
  }

  #troubled(state: MachineState, problem: string): MachineState {
    this.stateProblem = problem;
    return state;
  }

  /** The address of a network that the user named may change; one that is stopped has none to tell. */
  async locate(signal: AbortSignal): Promise<void> {
    if (this.config.ContainerId === "") return;
    const place = await this.#workplace();
    if ((await inspectContainer(place, signal)).State.Status === "running")
      this.config.IPAddress = await addressOf(place, signal);
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
  flags: dockerOptions.flags,
  sizeFlags: { cpus: "docker-cpus", memoryMiB: "docker-memory" },
  ownKeys: ["ContainerName", "ContainerId", "EngineHost"],
  capabilities: {
    ...providerCapabilities,
    onThisComputer: true,
  },
  open: (context, configText) => new DockerDriver(context, configText),
};
