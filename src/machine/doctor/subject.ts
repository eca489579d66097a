/**
 * What checks look at: one machine, or this computer. Each look is taken once, however many checks ask for it, so that a
 * healthy machine costs one SSH connection and one to its engine. The live one is in `live-subject.ts`.
 */
import type { MachineState } from "../../driver-kit/state.ts";
import type { EngineVersion } from "../../engine/engine-client.ts";
import type { MachineError } from "../../errors/machine-error.ts";
import type { WriteError } from "../../system/file-rights.ts";
import type { PublishedFacts } from "../published/published-facts.ts";
import type { Examination } from "../../provision/host/examine-host.ts";

export interface FileProblem {
  readonly file: string;
  readonly what: string;
  /** Mode that would be right, where another is all that is wrong. */
  readonly mode?: number | undefined;
}

export interface StoreLook {
  readonly root: string;
  /** Undefined where it can be written, or is not there yet and can be made. */
  readonly writeError?: WriteError | undefined;
  readonly problems: readonly FileProblem[];
  readonly freeMiB: number | undefined;
  /** The file system is NFS, whose locks may not hold. */
  readonly isOnNfs: boolean;
}

export interface RecordLook {
  readonly error?: MachineError | undefined;
  /** What a cut-off command left, and the way out. */
  readonly interruption?: { readonly what: string; readonly wayOut: string } | undefined;
}

export interface ShellLook {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** URLs of all machines of the store. */
  readonly urls: readonly string[];
  /** Names of these machines. */
  readonly names: readonly string[];
  /** Names of the machines whose address no proxy exception covers, where a proxy is set. */
  readonly proxied: readonly string[];
  readonly certPathExists: boolean;
}

export interface ProviderLook {
  readonly state?: MachineState | undefined;
  readonly error?: MachineError | undefined;
  /** What gets it to run. */
  readonly wayToRun: string;
  readonly recordedAddress: string;
  /** Where the provider has it now; undefined = it cannot tell, or was not asked. */
  readonly presentAddress?: string | undefined;
}

export interface NameLook {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly error?: string | undefined;
}

export type SshLook = { readonly error: MachineError; readonly keyFile: string } | { readonly examination: Examination };

export interface EngineLook {
  readonly url: string;
  readonly version?: EngineVersion | undefined;
  readonly error?: MachineError | undefined;
}

export interface CertificateLook {
  readonly what: string;
  readonly state: "expired" | "expiring" | "not-yet-valid";
  readonly sentence: string;
  readonly isShared: boolean;
}

/** A context or an entry of ssh_config that is not as the machine is. */
export interface Drift {
  readonly what: string;
  repair(signal: AbortSignal): Promise<void>;
}

/** What `--fix` may do to a machine; each takes the machine's lock as the command of that name does. */
export interface Repairs {
  chmod(file: string, mode: number): Promise<void>;
  saveAddress(signal: AbortSignal): Promise<void>;
  runAsRoot(script: string, signal: AbortSignal): Promise<void>;
  provision(signal: AbortSignal): Promise<void>;
  regenerateCertificates(signal: AbortSignal): Promise<void>;
  /** Has somebody see to the ports of its containers. */
  watchPorts(): Promise<void>;
}

export interface Subject {
  /** Undefined for this computer. */
  readonly name: string | undefined;
  readonly isOverSsh: boolean;
  /** The port of the engine on the machine; undefined where it has none. */
  readonly enginePort: number | undefined;
  now(): Date;
  store(): Promise<StoreLook>;
  shell(): Promise<ShellLook>;
  /** Newest API version that the docker client of this computer speaks; undefined where there is none. */
  clientApi(): Promise<string | undefined>;
  /** Networks that this computer has routes to, `10.0.0.0/8` each. */
  localRoutes(): Promise<readonly string[]>;
  folder(): Promise<StoreLook>;
  record(): Promise<RecordLook>;
  driver(): Promise<{ readonly error?: MachineError | undefined }>;
  /** Undefined where there is no provider to ask, as of a box that was adopted. */
  provider(): Promise<ProviderLook | undefined>;
  /** Undefined where the machine is recorded by its address. */
  resolve(): Promise<NameLook | undefined>;
  /** Undefined where the machine has no SSH address. */
  ssh(): Promise<SshLook | undefined>;
  /** Undefined where its engine is reached over SSH, or there is none. */
  engine(): Promise<EngineLook | undefined>;
  certificates(): Promise<readonly CertificateLook[]>;
  drift(): Promise<readonly Drift[]>;
  /** Undefined where containers' ports do not come to this computer, or the machine does not run. */
  published(): Promise<PublishedFacts | undefined>;
  readonly repairs: Repairs;
}
