/** The library as one object: a store of machines, and what can be done with them. Prints nothing, and asks nobody unless told to. */
import { flagsOfDriver } from "./assembly/driver-catalog.ts";
import { assemble } from "./assembly/assemble.ts";
import { defaultValue, driverOptions, type FlagValue } from "./driver-kit/create-flag.ts";
import { MachineError } from "./errors/machine-error.ts";
import { reportNothing, type ProgressEvent } from "./log/event.ts";
import { createMachine } from "./machine/create.ts";
import { createDefaults } from "./machine/create-defaults.ts";
import { execOnMachine, type ExecRequest, type ExecResult } from "./machine/exec.ts";
import { requireConnection, requireUrl } from "./machine/host/engine-connection.ts";
import { isOverSsh, sshAliasOf } from "./machine/host/engine-transport.ts";
import type { Host } from "./machine/host/host.ts";
import { openHost } from "./machine/host/open-host.ts";
import { changeState, type LifecycleVerb } from "./machine/lifecycle.ts";
import { listMachines, type ListedMachine, type ListRequest } from "./machine/list.ts";
import type { MachineContext } from "./machine/machine-context.ts";
import { provisionAgain } from "./machine/maintain.ts";
import { removeMachine } from "./machine/remove.ts";
import type { Timeouts } from "./machine/timeouts.ts";
import { resolveStoreRoot } from "./store/paths.ts";
import { thisComputer } from "./system/computer.ts";

export interface LibraryOptions {
  /** The store's root; by default where the command line keeps it. */
  readonly storagePath?: string | undefined;
  readonly nativeSsh?: boolean | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Receives the events of each machine; `machine` is undefined for work that belongs to none. */
  readonly onEvent?: ((event: ProgressEvent, machine: string | undefined) => void) | undefined;
  askSudoPassword?(machine: string): Promise<string | undefined>;
}

/** The real store, clock, processes and drivers of this computer. Does no I/O. Throws `store-unusable` without a home. */
export function createContext(options: LibraryOptions = {}): MachineContext {
  const computer = thisComputer();
  const { onEvent, storagePath, ...rest } = options;
  return assemble({
    ...rest,
    computer,
    storePath: resolveStoreRoot(computer, storagePath ?? computer.env["MACHINE_STORAGE_PATH"]),
    reportFor: (machine) => (onEvent === undefined ? reportNothing : (event) => onEvent(event, machine)),
  });
}

export interface CreateOptions {
  /** As `create --driver` takes it. */
  readonly driver: string;
  /** Create flags by name without dashes, the shared ones and the driver's; those that are not given have their defaults. */
  readonly flags?: Readonly<Record<string, FlagValue>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Interruptible {
  /** Ends the work as Ctrl-C does a command: what was begun is undone, or can be gone on with. */
  readonly signal?: AbortSignal | undefined;
}

const listTimeoutMs = 10_000;
const execTimeoutMs = 300_000;

/** Machines of one store. Any number may work on a store at once, in this process and in others. */
export class DockerMachine {
  /** For the use cases that are no methods here. */
  readonly context: MachineContext;

  /** Does no I/O. Throws `store-unusable` without a home. */
  constructor(options: LibraryOptions = {}) {
    this.context = createContext(options);
  }

  /** Makes a machine with its engine, or goes on with one whose create was cut off. Throws `driver-options` for a flag that there is none of. */
  async create(name: string, { driver, flags = {}, signal = never }: CreateOptions): Promise<void> {
    const values = { ...createDefaults, ...(await this.#defaultsOf(driver, flags)), ...flags };
    const options = driverOptions(values, new Set(Object.keys(flags)));
    await createMachine(this.context, { name, driverName: driver, options }, signal);
  }

  /** Environment variables give no flag here, as they do on the command line. */
  async #defaultsOf(driver: string, flags: CreateOptions["flags"]): Promise<Record<string, FlagValue>> {
    const known = await flagsOfDriver(driver, this.context.computer);
    const defaults = Object.fromEntries(known.map((flag) => [flag.name, defaultValue(flag)]));
    const unknown = Object.keys(flags ?? {}).find((flag) => !Object.hasOwn(defaults, flag) && !sharedFlag.test(flag));
    if (unknown === undefined) return defaults;
    throw new MachineError("driver-options", `The driver "${driver}" has no flag "${unknown}"`, {
      hint: `See them with: docker-machine driver inspect ${driver}`,
    });
  }

  /** All machines, in the order of `ls`; with `depth: "record"` without asking any of them. */
  async list(request: Partial<ListRequest> & Interruptible = {}): Promise<ListedMachine[]> {
    const { signal = never, ...rest } = request;
    return await listMachines(this.context, { timeoutMs: listTimeoutMs, ...rest }, signal);
  }

  /** Returns where the machine runs already. */
  async start(name: string, options: Interruptible = {}): Promise<void> {
    await this.#change(name, "start", options);
  }

  /** Returns where the machine is stopped already. */
  async stop(name: string, options: Interruptible = {}): Promise<void> {
    await this.#change(name, "stop", options);
  }

  async restart(name: string, options: Interruptible = {}): Promise<void> {
    await this.#change(name, "restart", options);
  }

  async #change(name: string, verb: LifecycleVerb, { signal = never }: Interruptible): Promise<void> {
    await changeState(this.context, name, verb, signal, "welcome");
  }

  /** Looks at the machine and repairs what is not as it should be. */
  async provision(name: string, { signal = never }: Interruptible = {}): Promise<void> {
    await provisionAgain(this.context, name, signal);
  }

  /** @param options `force`: the record goes even where the instance cannot be removed */
  async remove(
    name: string,
    { force = false, signal = never }: Interruptible & { readonly force?: boolean } = {},
  ): Promise<void> {
    await removeMachine(this.context, { name, force, restore: false }, signal);
  }

  /** `tcp://ADDRESS:PORT` of the engine. Throws `machine-not-running`. */
  async url(name: string, { signal = never }: Interruptible = {}): Promise<string> {
    await using host = await openHost(this.context, name);
    return await requireUrl(this.context, host, signal);
  }

  /** The variables that lead docker's client, and what follows them, to the machine; its engine's certificate was checked. */
  async env(name: string, { signal = never }: Interruptible = {}): Promise<Record<string, string>> {
    await using host = await openHost(this.context, name);
    if (isOverSsh(host)) return { DOCKER_HOST: `ssh://${sshAliasOf(name)}`, DOCKER_MACHINE_NAME: name };
    return await this.#overTls(host, signal);
  }

  async #overTls(host: Host, signal: AbortSignal): Promise<Record<string, string>> {
    const url = await requireConnection(this.context, host, false, signal);
    return { DOCKER_TLS_VERIFY: "1", DOCKER_HOST: url, DOCKER_CERT_PATH: host.dir, DOCKER_MACHINE_NAME: host.name };
  }

  /** Runs a line of the shell on the machine. A status other than 0 is no error. */
  async exec(
    name: string,
    command: string,
    options: Partial<Omit<ExecRequest, "command">> & Interruptible = {},
  ): Promise<ExecResult> {
    const { signal = never, ...rest } = options;
    return await execOnMachine(this.context, name, { timeoutMs: execTimeoutMs, ...rest, command }, signal);
  }
}

const never = new AbortController().signal;
/** Flags that every driver's machines have. */
const sharedFlag = /^(?:engine|swarm|tls|ssh)-/u;
