/**
 * An existing /etc/docker/daemon.json beside our flags. dockerd refuses to start when a setting stands in both, so
 * where the file has a list, ours joins it there and is no flag; what contradicts us is refused by name. Merging a
 * merged file changes nothing. Pure.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { certificateFiles, engineSocket, type EngineSettings } from "./engine-settings.ts";

export const daemonJsonPath = "/etc/docker/daemon.json";

type Json = Record<string, unknown>;

export interface MergedSettings {
  /** What is left for the command line. */
  readonly settings: EngineSettings;
  /** Flags that the file sets, so that they must not be said twice. */
  readonly omit: ReadonlySet<string>;
  /** The file's new text; undefined = no file, before and after. */
  readonly daemonJson: string | undefined;
  /** Entries of the file that ours joined. */
  readonly joined: readonly string[];
}

/** Keys of the file whose flag has another name: lists are plural there. */
const keyOfFlag: Readonly<Record<string, string>> = {
  host: "hosts",
  label: "labels",
  "insecure-registry": "insecure-registries",
  "registry-mirror": "registry-mirrors",
  "authorization-plugin": "authorization-plugins",
  "dns-opt": "dns-opts",
  "exec-opt": "exec-opts",
  "storage-opt": "storage-opts",
  "log-opt": "log-opts",
  "default-ulimit": "default-ulimits",
  "default-address-pool": "default-address-pools",
  "node-generic-resource": "node-generic-resources",
  "cdi-spec-dir": "cdi-spec-dirs",
  "add-runtime": "runtimes",
};

export function mergeDaemonJson(settings: EngineSettings, text: string | undefined, label: string): MergedSettings {
  if (text === undefined) return { settings, omit: new Set(), daemonJson: undefined, joined: [] };
  const merge = new Merge(parseDaemonJson(text, label), label);
  merge.hosts(settings.hosts);
  merge.list("labels", "--label", settings.labels);
  merge.list("insecure-registries", "--insecure-registry", settings.insecureRegistries);
  merge.list("registry-mirrors", "--registry-mirror", settings.registryMirrors);
  merge.scalar("storage-driver", "--storage-driver", settings.storageDriver);
  if (settings.certificateFolder !== undefined) {
    merge.scalar("tlsverify", "--tlsverify", true);
    merge.scalar("tlscacert", "--tlscacert", `${settings.certificateFolder}/${certificateFiles.ca}`);
    merge.scalar("tlscert", "--tlscert", `${settings.certificateFolder}/${certificateFiles.certificate}`);
    merge.scalar("tlskey", "--tlskey", `${settings.certificateFolder}/${certificateFiles.key}`);
    merge.scalar("tls", "--tls", true);
  }
  return {
    settings: { ...settings, options: settings.options.filter((option) => merge.needsOption(option)) },
    omit: merge.omit,
    daemonJson: merge.joined.length === 0 ? text : formatLike(text, merge.file),
    joined: merge.joined,
  };
}

/** Engines from 23 on pass over a byte order mark; what an older one says of it is its own. */
function parseDaemonJson(text: string, label: string): Json {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/u, ""));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  } catch (error) {
    throw unreadable(label, error);
  }
  throw unreadable(label, undefined);
}

function unreadable(label: string, cause: unknown): MachineError {
  return new MachineError(
    "engine-config-conflict",
    `${daemonJsonPath} on ${label} is not a JSON object, so that no engine starts with it`,
    {
      hint: "Correct or remove the file on the machine.",
      cause,
    },
  );
}

/** The file's own indentation is kept. */
function formatLike(original: string, file: Json): string {
  const indent = /\n([ \t]+)\S/u.exec(original)?.[1] ?? "  ";
  return `${JSON.stringify(file, undefined, indent)}\n`;
}

/** The file without live-restore, which swarm mode excludes; undefined where it does not say it is on. */
export function liveRestoreOff(text: string | undefined, label: string): string | undefined {
  const file = parseDaemonJson(text ?? "", label);
  if (file["live-restore"] !== true) return undefined;
  const { "live-restore": _, ...rest } = file;
  return formatLike(text ?? "", rest);
}

/** The file with live-restore set, for the time of a restart. */
export function withLiveRestore(text: string | undefined, enabled: boolean, label: string): string {
  return formatLike(text ?? "", { ...parseDaemonJson(text ?? "", label), "live-restore": enabled });
}

class Merge {
  readonly file: Json;
  readonly omit = new Set<string>();
  readonly joined: string[] = [];
  readonly #label: string;

  constructor(file: Json, label: string) {
    this.file = { ...file };
    this.#label = label;
  }

  list(key: string, flag: string, wanted: readonly string[]): void {
    const present = this.file[key];
    if (present === undefined || wanted.length === 0) return;
    if (!Array.isArray(present)) throw this.#conflict(key, "a list");
    this.omit.add(flag);
    const missing = wanted.filter((value) => !present.includes(value));
    if (missing.length === 0) return;
    this.file[key] = [...(present as unknown[]), ...missing];
    this.joined.push(key);
  }

  /** Local sockets are kept beside ours; another TCP port would begin to ask its clients for certificates. */
  hosts(wanted: readonly string[]): void {
    const present = this.file["hosts"];
    if (present === undefined) return;
    const listed = Array.isArray(present) ? present.map(String) : [];
    const ours = wanted.find((host) => host.startsWith("tcp:"));
    if (ours === undefined) {
      const local = listed.some((host) => host.startsWith("unix:") || host.startsWith("fd:"));
      this.list("hosts", "-H", local ? [] : [engineSocket]);
      this.omit.add("-H");
      return;
    }
    if (listed.some((host) => host.startsWith("tcp:") && portOf(host) !== portOf(ours))) {
      throw this.#conflict("hosts", `no other TCP address than ${ours}, because TLS would be asked for on all of them`);
    }
    const served = listed.some((host) => portOf(host) === portOf(ours));
    const local = listed.some((host) => host.startsWith("unix:") || host.startsWith("fd:"));
    this.list("hosts", "-H", [...(local ? [] : [engineSocket]), ...(served ? [] : [ours])]);
    this.omit.add("-H");
  }

  scalar(key: string, flag: string, wanted: unknown): void {
    const present = this.file[key];
    if (present === undefined || wanted === undefined) return;
    if (present !== wanted) throw this.#conflict(key, JSON.stringify(wanted));
    this.omit.add(flag);
  }

  /** False when the file already says so; throws when it says something else. */
  needsOption(option: string): boolean {
    const [flag = "", ...rest] = option.split("=");
    const value = rest.join("=");
    const key = keyOfFlag[flag] ?? flag;
    const present = this.file[key];
    if (present === undefined) return true;
    if (sameValue(present, value, rest.length > 0)) return false;
    throw this.#conflict(key, `--${option}`);
  }

  #conflict(key: string, wanted: string): MachineError {
    return new MachineError(
      "engine-config-conflict",
      `${daemonJsonPath} on ${this.#label} sets "${key}" to ${JSON.stringify(this.file[key])}, but docker-machine needs ${wanted}`,
      {
        hint: `Change or remove "${key}" in ${daemonJsonPath} on the machine, then run "docker-machine provision ${this.#label}".`,
      },
    );
  }
}

/** Port of a `tcp://` address; undefined for others. */
export function portOf(host: string): string | undefined {
  return /^tcp:.*:(\d+)$/u.exec(host)?.[1];
}

function sameValue(present: unknown, value: string, hasValue: boolean): boolean {
  if (typeof present === "boolean") return String(present) === (hasValue ? value : "true");
  if (typeof present === "string" || typeof present === "number") return String(present) === value;
  if (Array.isArray(present)) return present.map(String).includes(value);
  const [name = "", ...rest] = value.split("=");
  return typeof present === "object" && present !== null && String((present as Json)[name]) === rest.join("=");
}
