/**
 * The contract between the core and a driver. A driver knows one provider and one machine; it never sees the store,
 * the command line or another driver. All its state is in its configuration, because every command opens it afresh.
 */
import type { Report } from "../log/event.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import type { Clock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import type { ProcessRunner } from "../system/process.ts";
import type { CreateFlag, DriverOptions } from "./create-flag.ts";
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
  /** The driver injects host keys, so first contact is verified (see {@link Driver.hostKeys}). */
  readonly injectsHostKeys: boolean;
  /**
   * The driver is a program of others, of which only the protocol is known. What its interrupted `create` made cannot be
   * found again, so `create` is never called a second time; and any call, even for an address, may need its credentials.
   */
  readonly opaque?: true | undefined;
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
   * token), so that a repeated create finds it and `gc` never takes another's instance for ours. "" for machines that
   * 0.16.2 made.
   */
  readonly createId: string;
  /** The store's root. */
  readonly storePath: string;
  /** The machine's own folder in the store; exists before `create` is called. Disks, sockets and keys go here. */
  readonly machineDir: string;
  /** Folder shared by all machines of the store for images and other downloads. */
  readonly cacheDir: string;
  readonly computer: Computer;
  readonly processes: ProcessRunner;
  readonly clock: Clock;
  readonly report: Report;
  /**
   * Makes the current configuration durable. A driver MUST call it as soon as it knows an identifier at its provider,
   * before it waits for anything.
   */
  save(): Promise<void>;
  /** Opens SSH to this machine with its pinned host key, as the driver describes it now. The caller closes it. */
  openSsh(): Promise<SshExecutor>;
  /** Makes the machine's key pair in `machineDir` if there is none, and gives its paths and public key. */
  ensureSshKey(): Promise<{ readonly privateKeyPath: string; readonly publicKey: string }>;
  /** Registers a value that must never be printed. */
  secret(value: string): void;
  /** Absent, or undefined, where the engines of such machines cannot be set up ahead. */
  engineTemplate?(): Promise<EngineTemplate | undefined>;
}

export interface Driver {
  /** The name that the record holds. A program of others may turn out to have another than it was asked for by. */
  readonly driverName: string;
  /** Stands in place of {@link DriverCapabilities.provisionable} where only the opened driver can tell. */
  readonly provisionable?: boolean | undefined;
  /**
   * The driver's configuration as JSON text, to be stored. For built-in drivers unknown keys of the configuration that
   * was loaded are kept; a plugin's answer is kept byte for byte.
   */
  configText(): Promise<string>;
  /** Takes the create flags. Throws `driver-options`. Called once, before `preCreateCheck`. */
  setConfigFromFlags(options: DriverOptions): Promise<void>;
  /** Checks what can be checked without creating anything. Any failure ends `create` with exit status 3. */
  preCreateCheck(signal: AbortSignal): Promise<void>;
  /**
   * Makes the instance. Called once per machine with the record already saved. MUST call `context.save()` as soon as
   * the provider's identifier is known. MUST NOT wait for SSH. Called again after a crash, it finds and takes over what
   * an earlier call began.
   */
  create(signal: AbortSignal): Promise<void>;
  /** Removes the instance and all that `create` made. Succeeds when there is nothing left to remove. */
  remove(signal: AbortSignal): Promise<void>;
  start(signal: AbortSignal): Promise<void>;
  /** Asks the operating system to shut down and waits for it. */
  stop(signal: AbortSignal): Promise<void>;
  /** Ends the instance at once. */
  kill(signal: AbortSignal): Promise<void>;
  restart(signal: AbortSignal): Promise<void>;
  /** Asks the provider. Must answer within seconds, or throw. */
  getState(signal: AbortSignal): Promise<MachineState>;
  /** Address of the machine; "" while unknown. */
  getIp(): Promise<string>;
  /** `tcp://ADDRESS:PORT` of the engine; "" while unknown. Throws `machine-not-running` where the driver must know the state. */
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
  /** File with the sudo password of the SSH user, if it needs one. */
  readonly sudoPasswordFile?: string | undefined;
  /** Public host keys that the driver put into the instance, as `TYPE BASE64` lines. Known after `create`. */
  hostKeys?(): Promise<readonly string[]>;
  /**
   * The engine that the machine came with, when this driver object's `create` started it from a template. The core then
   * takes over its certificate and does not provision.
   */
  preparedEngine?(): PreparedEngine | undefined;
  /**
   * Instances at the provider that bear this machine's `createId`, also ones the configuration does not know yet.
   * Absent where nothing is made at a provider. Asked by `gc` and after an interrupted create.
   */
  findInstances?(signal: AbortSignal): Promise<readonly string[]>;
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
  /**
   * Keys that each configuration which this driver ever stored has, where plugins of others bear its name: a record
   * without them is theirs, and is opened by their program alone. Absent for names that 0.16.2 had: those records are ours.
   */
  readonly ownKeys?: readonly string[] | undefined;
  /** Keys of the configuration that 0.16.2's driver of this name has not, and drops when it saves: they are kept beside it too. */
  readonly newKeys?: readonly string[] | undefined;
  /**
   * Opens a driver on a machine. `configText` is the stored `Driver` object as JSON text, or undefined for a new
   * machine. Keys that the driver does not know are kept. Must not do any I/O.
   */
  open(context: DriverContext, configText: string | undefined): Driver;
}
