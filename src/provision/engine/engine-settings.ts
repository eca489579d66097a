/**
 * What the engine is to be told, apart from where it is written: hosts, TLS, storage, labels, registries and the
 * user's own flags. Pure.
 */
import { MachineError } from "../../errors/machine-error.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import { isOwnDropIn } from "../shell/own-files.ts";

export interface EngineSettings {
  /** Values of `-H`, the engine's own socket included unless the unit hands it over. */
  readonly hosts: readonly string[];
  readonly storageDriver: string | undefined;
  /** Undefined = the engine has no certificates. */
  readonly certificateFolder: string | undefined;
  /** `provider=<driver>` first, as 0.16.2 has it. */
  readonly labels: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  /** `flag=value`, or a flag alone. */
  readonly options: readonly string[];
  readonly env: readonly string[];
}

export const certificateFiles = { ca: "ca.pem", certificate: "server.pem", key: "server-key.pem" } as const;

/** The address the engine listens on; undefined = none. An IPv6 machine gets a socket that serves both families. */
export function listenAddress(request: ProvisionRequest): string | undefined {
  if (request.engine.port === undefined) return undefined;
  return request.address.includes(":") ? `tcp://[::]:${request.engine.port}` : `tcp://0.0.0.0:${request.engine.port}`;
}

export const engineSocket = "unix:///var/run/docker.sock";

/** File systems that overlay2 cannot lie on; there the engine chooses by itself. */
const noOverlay: ReadonlySet<string> = new Set(["overlayfs", "aufs", "zfs", "btrfs", "nfs", "ramfs", "ecryptfs"]);

/** 0.16.2's default; only for an engine that never ran, so that no data store is ever left behind. */
const defaultStorageDriver = "overlay2";

/** What our own configuration of an earlier run names, so that a repetition says the same. */
function ownStorageDriver(facts: HostFacts): string | undefined {
  const texts = [...facts.engine.unitFiles.filter((file) => isOwnDropIn(file.path)), ...facts.engine.settingsFiles].map(
    (file) => file.text,
  );
  return texts
    .map((text) => /(?:--storage-driver[ =]|^DOCKER_STORAGE=)([\w.-]+)/mu.exec(text)?.[1])
    .find((driver) => driver !== undefined);
}

/** In use is not yet with data: an engine that just came has a driver and nothing in it. */
function driverWithData({ engine }: HostFacts): string | undefined {
  if (engine.answer !== undefined) return engine.answer.holdsData ? engine.answer.storageDriver || undefined : undefined;
  return engine.dataStores.length === 1 ? engine.dataStores[0] : undefined;
}

/** The storage driver to name, or undefined to say nothing. Refuses to change one that has data. */
export function storageDriverFor(request: ProvisionRequest, facts: HostFacts): string | undefined {
  const wanted = request.engine.storageDriver;
  const inUse = driverWithData(facts);
  if (wanted !== "" && inUse !== undefined && inUse !== wanted) {
    throw new MachineError(
      "engine-config-conflict",
      `The engine of ${request.machineName} keeps its data with the storage driver ${inUse}, not ${wanted}`,
      {
        hint: `Leave out --engine-storage-driver, or move /var/lib/docker away: images and containers do not follow a change of the driver.`,
      },
    );
  }
  if (wanted !== "") return wanted;
  if (facts.engine.fresh) return noOverlay.has(facts.engine.dataFileSystem) ? undefined : defaultStorageDriver;
  return ownStorageDriver(facts);
}

function tlsFlags(folder: string): readonly (readonly [string, ...string[]])[] {
  return [
    ["--tlsverify"],
    ["--tlscacert", `${folder}/${certificateFiles.ca}`],
    ["--tlscert", `${folder}/${certificateFiles.certificate}`],
    ["--tlskey", `${folder}/${certificateFiles.key}`],
  ];
}

/** Flags in 0.16.2's order; `omit` names flags that another place already sets. */
export function engineArguments(settings: EngineSettings, omit: ReadonlySet<string> = new Set()): readonly string[] {
  const folder = settings.certificateFolder;
  const flags: readonly (readonly [string, ...string[]])[] = [
    ...settings.hosts.map((host) => ["-H", host] as const),
    ...(settings.storageDriver === undefined ? [] : [["--storage-driver", settings.storageDriver] as const]),
    ...(folder === undefined ? [] : tlsFlags(folder)),
    ...settings.labels.map((label) => ["--label", label] as const),
    ...settings.insecureRegistries.map((registry) => ["--insecure-registry", registry] as const),
    ...settings.registryMirrors.map((mirror) => ["--registry-mirror", mirror] as const),
    ...settings.options.map((option) => [`--${option}`] as const),
  ];
  return flags.filter(([flag]) => !omit.has(flag)).flat();
}
