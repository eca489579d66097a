/**
 * The contract between the core and a driver. A driver knows one provider and one machine; it never sees the store,
 * the command line or another driver. All its state is in its configuration, because every command opens it afresh.
 */
import type { Report } from "../log/event.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import type { Clock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import type { ProcessRunner } from "../system/process.ts";
import type { Pace } from "../system/waiting.ts";
import type { CreateFlag, DriverOptions } from "./create-flag.ts";
import type { HttpTransport } from "./http-transport.ts";
import type { SizeChange, SizeFlags } from "./sizes.ts";
import type { MachineState } from "./state.ts";

/** Declared facts that the core branches on. It never compares a driver's name. */
export interface DriverCapabilities {
  /** A new machine is provisioned over SSH after create. False for `none`. */
  readonly provisionable: boolean;
  /** The machine existed before and belongs to someone: its name and packages are left alone, its host key is not ours. */
  readonly adopted: boolean;
  /** What the driver can do after create; a missing verb fails with the driver's own sentence. */
  readonly lifecycle: { readonly start: boolean; readonly stop: boolean; readonly kill: boolean; readonly restart: boolean };
  /** Several machines may be created at the same time. */
  readonly parallelCreate: boolean;
  /** Flags that may be repeated, one value a name, when several names are created at once. */
  readonly perNameFlags: readonly string[];
  /** The driver injects host keys, or its provider tells them, so first contact is verified (see {@link Driver.hostKeys}). */
  readonly injectsHostKeys: boolean;
  /**
   * The driver is a program of others, of which only the protocol is known. What its interrupted `create` made cannot be
   * found again, so `create` is never called a second time; and any call, even for an address, may need its credentials.
   */
  readonly opaque?: true | undefined;
  /** `getState` asks this computer alone: no network, no credentials, an answer in milliseconds. */
  readonly tellsStateLocally?: true | undefined;
  /** A machine of somebody else, whose SSH server hands this user's streams to the engine and does nothing else for them. */
  readonly guest?: true | undefined;
  /** The machine lives on this computer: nobody else can reach or manage it. */
  readonly onThisComputer?: true | undefined;
  /** What becomes of an instance that powers itself off, and of the bill; absent where that is not known. */
  readonly whenPoweredOff?: "deleted" | "free" | "billed" | undefined;
  /** The instance is found by the machine's name, or by paths in its folder: such a machine cannot be renamed. */
  readonly foundByName?: true | undefined;
}

/**
 * How the engine of a machine like this one is set up, for a driver that keeps a running guest as the template of later
 * machines. A machine that starts from such a guest has nothing left to be provisioned.
 */
export interface EngineTemplate {
  /** Names the outcome: templates with equal keys are alike. */
  readonly key: string;
  /**
   * Provisions the guest that `executor` leads to, as `create` would a machine whose clients reach it at `address`,
   * with a certificate of the template's own.
   */
  prepare(executor: SshExecutor, address: string, signal: AbortSignal): Promise<EngineCertificate>;
}

/** What an engine proves itself with. PEM texts; the key is secret. */
export interface EngineCertificate {
  readonly certificate: string;
  readonly key: string;
}

/** An engine that runs since `create`, set up by {@link EngineTemplate.prepare}. */
export interface PreparedEngine extends EngineCertificate {
  /** Of the template that prepared it. */
  readonly templateKey: string;
}

/** What a driver is given. Paths are absolute. */
export interface DriverContext {
  readonly machineName: string;
  /**
   * Names this one create, also after a crash: a driver marks what it makes at a provider with it (a tag, a client
   * token), so that a repeated create finds it and `gc` never takes another's instance for ours. Undefined for adopted
   * machines and those that 0.16.2 made: an absent mark matches nothing.
   */
  readonly createId: string | undefined;
  /** The store's root. */
  readonly storePath: string;
  /** The machine's own folder in the store; exists before `create` is called. Disks, sockets and keys go here. */
  readonly machineDir: string;
  /** Folder shared by all machines of the store for images and other downloads. */
  readonly cacheDir: string;
  readonly computer: Computer;
  readonly processes: ProcessRunner;
  /** How a provider's API is asked. Loads nothing before it is used. */
  readonly http: HttpTransport;
  /** Bound in milliseconds on one operation at the provider that a driver waits for by `poll`. */
  readonly operationMs: number;
  readonly clock: Clock;
  readonly report: Report;
  /**
   * Makes the current configuration durable. A driver MUST call it as soon as it knows an identifier at its provider,
   * before it waits for anything.
   */
  save(): Promise<void>;
  /** Opens SSH to this machine with its pinned host key, as the driver describes it now. The caller closes it. */
  openSsh(): Promise<SshExecutor>;
  /** Makes the machine's key pair in `machineDir` if there is none, and gives its paths and public key. Ed25519 unless asked for otherwise. */
  ensureSshKey(wish?: {
    readonly type?: "ed25519" | "rsa" | undefined;
  }): Promise<{ readonly privateKeyPath: string; readonly publicKey: string }>;
  /**
   * The value of one field of the configuration, with its secrets in place of their marks. What is stored has marks where
   * credentials stand; a driver reveals one when a request needs it, never earlier: `env` and `ls` ask no password manager.
   * A value without marks comes back as it is. Throws `secret-unavailable`.
   */
  reveal(value: string): Promise<string>;
  /** Registers a value that must never be printed. */
  secret(value: string): void;
  /** Absent, or undefined, where the engines of such machines cannot be set up ahead. */
  engineTemplate?(): Promise<EngineTemplate | undefined>;
}

/** Something a driver made at its provider, or finds there with this machine's mark. */
export interface Resource {
  /** In the provider's word: `instance`, `disk`, `address`, `key-pair`. The machine itself is an `instance`. */
  readonly kind: string;
  /** The provider's identifier. */
  readonly id: string;
}

/** A port of this computer that leads to one of the machine. */
export interface PublishedPort {
  readonly protocol: "tcp" | "udp";
  /** Address and port on this computer. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly machinePort: number;
}

/** A port that a container of the machine publishes, by the number it has there. */
export interface ContainerPort {
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/**
 * What came of bringing a port here: it leads to the machine; a program of this computer listens on it; the user may not
 * open it; or the user has it lead to another port of the machine ({@link Driver.publish}).
 */
export type BringOutcome = "open" | "in-use" | "not-allowed" | "given-away";

/** Ports of containers, which 127.0.0.1 of this computer is to have under the same numbers while the instance runs. */
export interface ContainerPorts {
  /** Whether the user wants this one here. */
  wants(port: ContainerPort): boolean;
  /** Names this run of the instance, paused or not: the next start has another. Undefined while there is none. Asks this computer alone. */
  run(): Promise<string | undefined>;
  /**
   * Makes exactly these lead to the machine, and says of each what came of it; nothing of it is recorded. Those that
   * {@link Driver.publish} opened stay as they are: `recorded` tells them, and is asked while nobody can change them.
   */
  bring(
    ports: readonly ContainerPort[],
    recorded: () => Promise<readonly PublishedPort[]>,
    signal: AbortSignal,
  ): Promise<readonly BringOutcome[]>;
}

/**
 * A key pair that is made for an adopted machine, by which it is logged in to in the place of its user's own. `declined`:
 * the user wants none.
 */
export interface OwnKey {
  readonly state: "none" | "wanted" | "declined" | "used";
  /** From now on it is wanted; nothing changes where it is declined, or used. */
  want(): void;
  /**
   * The pair opens the machine: it is the machine's from now on. Gives what is of no use any more, the copies of the user's
   * key in the machine's folder; the core saves, and then removes them.
   */
  use(): Promise<readonly string[]>;
}

export interface Driver {
  /** The name that the record holds. A program of others may turn out to have another than it was asked for by. */
  readonly driverName: string;
  /** Stands in place of {@link DriverCapabilities.provisionable} where only the opened driver can tell. */
  readonly provisionable?: boolean | undefined;
  /** Stands in place of {@link DriverCapabilities.tellsStateLocally} where only the opened driver can tell. */
  readonly tellsStateLocally?: boolean | undefined;
  /**
   * The driver's configuration as JSON text, to be stored. For built-in drivers unknown keys of the configuration that
   * was loaded are kept; a plugin's answer is kept byte for byte.
   */
  configText(): Promise<string>;
  /** Takes the create flags. Throws `driver-options`; asks no provider. Called once, before `preCreateCheck`. */
  setConfigFromFlags(options: DriverOptions): Promise<void>;
  /**
   * Checks what can be checked without creating anything, and freezes what it looks up (image, zone, size) in the
   * configuration: it is stored after this call, so that a repeated `create` sends the same requests. Any failure ends
   * `create` with exit status 3. Called again where an adopted machine's create goes on.
   */
  preCreateCheck(signal: AbortSignal): Promise<void>;
  /**
   * Makes the instance. Called with the record already saved. MUST call `context.save()` as soon as the provider's
   * identifier is known. MUST NOT wait for SSH, and need not wait until the instance runs: the core does, and then
   * calls `locate`. Called again after a crash, or on an instance that runs, it finds and takes over what an earlier
   * call began and makes nothing a second time.
   */
  create(signal: AbortSignal): Promise<void>;
  /**
   * Removes the instance and all that `create` made, and nothing else: by recorded id, and by mark where no id is
   * recorded. Tries all of it and throws the first error after the last; succeeds when there is nothing left.
   */
  remove(signal: AbortSignal): Promise<void>;
  /** Asks the provider to start a stopped machine; returns once the request is durable. Succeeds where it runs. */
  start(signal: AbortSignal): Promise<void>;
  /** Asks the operating system to shut down. The core waits for the state. Succeeds where it is stopped. */
  stop(signal: AbortSignal): Promise<void>;
  /** Ends the instance at once. Succeeds where it is stopped. */
  kill(signal: AbortSignal): Promise<void>;
  /** Restarts a machine that runs. The core waits until it runs again, and calls `locate`. */
  restart(signal: AbortSignal): Promise<void>;
  /** Asks the provider. Must answer within seconds, or throw. "" where there is no instance. */
  getState(signal: AbortSignal): Promise<MachineState>;
  /** Address of the machine as it is recorded; "" while unknown. No network. */
  getIp(): Promise<string>;
  /** `tcp://ADDRESS:PORT` of the engine as recorded; "" while unknown. Throws `machine-not-running` where the driver must know the state. */
  getUrl(): Promise<string>;
  getSshHostname(): Promise<string>;
  getSshPort(): Promise<number>;
  getSshUsername(): Promise<string>;
  /** Path of the private key; "" for the agent and the user's default keys. */
  getSshKeyPath(): Promise<string>;
  /** An entry of the user's ssh_config to connect through (ProxyJump and all), if the machine is reached that way. */
  readonly sshConfigHost?: string | undefined;
  /** TCP port the engine listens on inside the machine, where it is not the one in `getUrl` (a forwarded port). */
  readonly enginePort?: number | undefined;
  /** One sentence on what is wrong with the machine, where the last `getState` of this object said `Error` or "". For `ls`. */
  readonly stateProblem?: string | undefined;
  /** Absent where nobody's own key is in use: a machine that was made has had a pair of its own from the start. */
  readonly ownKey?: OwnKey | undefined;
  /** File with the sudo password of the SSH user, if it needs one. */
  readonly sudoPasswordFile?: string | undefined;
  /**
   * Learns from the provider where a running machine is now, and takes it into the configuration. Called by the core
   * once the machine runs (create, start, restart) and where the recorded address is silent; the core saves. While the
   * provider knows no address, `getIp` is "" afterwards and it is asked again; what it throws is final.
   */
  locate?(signal: AbortSignal): Promise<void>;
  /** Where to look when no address appears, in one sentence, for the error then. */
  readonly addressHint?: string | undefined;
  /**
   * Public host keys that the driver put into this instance, or that its provider tells, as `TYPE BASE64` lines. Known
   * after `create`; may be asked in a later process. "none": this instance takes none, its first contact is trusted
   * and that is said.
   */
  hostKeys?(): Promise<readonly string[] | "none">;
  /**
   * The private halves of the injected host keys stay readable for others (a metadata service, a datastore). The core
   * then makes fresh keys on the machine after the first verified contact, pins those, and calls `withdrawSecrets`.
   */
  readonly hostKeysExposed?: boolean | undefined;
  /** Takes back at the provider what was needed for the first contact only. Idempotent. */
  withdrawSecrets?(signal: AbortSignal): Promise<void>;
  /**
   * The engine that the machine came with, when this driver object's `create` started it from a template. The core then
   * takes over its certificate and does not provision.
   */
  preparedEngine?(): PreparedEngine | undefined;
  /**
   * All that is at the provider of this machine: by recorded id, and what bears its `createId`, also what the
   * configuration does not know yet. Absent where nothing is made at a provider. Asked by `gc` and after an interrupted
   * create.
   */
  findResources?(signal: AbortSignal): Promise<readonly Resource[]>;
  /** Stops a machine that runs, with its memory kept: its state is `Saved` then, and `start` resumes it. Absent: unsupported. */
  suspend?(signal: AbortSignal): Promise<void>;
  /** The user wants this machine suspended where it is to be stopped and nothing else is said. */
  readonly suspendsOnStop?: boolean | undefined;
  /** Gives a machine other sizes; says in the result whether they count from its next start on. Absent: unsupported. */
  resize?(change: SizeChange, signal: AbortSignal): Promise<{ readonly fromNextStart: boolean }>;
  /** What the machine printed on its console so far. Absent: unsupported. */
  console?(signal: AbortSignal): Promise<string>;
  /** The ports of this computer that lead to the machine, as recorded. Absent: unsupported. */
  publishedPorts?(): Promise<readonly PublishedPort[]>;
  /**
   * Makes exactly these ports of this computer lead to the machine, now where it runs and at each start, and gives them.
   * Throws `port-taken`, `driver-options`; what was open before is as it was then. Absent: unsupported.
   */
  publish?(ports: readonly PublishedPort[], signal: AbortSignal): Promise<readonly PublishedPort[]>;
  /** Absent where containers' ports do not come to this computer by themselves. */
  readonly containerPorts?: ContainerPorts | undefined;
  /**
   * Has the provider delete the instance, and end its bill, at this time or as soon as it powers itself off after it;
   * undefined takes that back. Asked before {@link create} too: what is made then is made so. Throws `machine-state`
   * where the provider takes no change now. Absent: unsupported.
   */
  setLifetime?(deadline: Date | undefined, signal: AbortSignal): Promise<void>;
  /** Ends a plugin; built-in drivers have nothing to close. */
  close?(): Promise<void>;
}

/** One provider: data for the command line and help, and the way to open a driver. */
export interface DriverModule {
  /** As 0.16.2 spells it: folder, registry key, flag prefix and `DriverName` in the record. */
  readonly name: string;
  /** One line for `driver ls`. */
  readonly summary: string;
  readonly flags: readonly CreateFlag[];
  readonly capabilities: DriverCapabilities;
  /** The flags that say what {@link Driver.resize} changes; absent where it cannot. */
  readonly sizeFlags?: SizeFlags | undefined;
  /** How often the provider is asked while the core waits for a state; half a second where it is absent. */
  readonly pace?: Pace | undefined;
  /**
   * Keys that each configuration which this driver ever stored has, where plugins of others bear its name: a record
   * without them is theirs, and is opened by their program alone. Absent for names that 0.16.2 had: those records are ours.
   */
  readonly ownKeys?: readonly string[] | undefined;
  /** Keys of the configuration that 0.16.2's driver of this name has not, and drops when it saves: they are kept beside it too. */
  readonly newKeys?: readonly string[] | undefined;
  /**
   * Opens a driver on a machine. `configText` is the stored `Driver` object as JSON text, with marks in place of
   * secrets, or undefined for a new machine. Keys that the driver does not know are kept. Must not do any I/O, and load
   * no package: it is on the way of `ls` and `env`.
   */
  open(context: DriverContext, configText: string | undefined): Driver;
}
