/** Turns the probe's answers into facts. Pure; what was not said is unknown. */
import {
  packageManagerNames,
  type DiskFacts,
  type EngineAnswer,
  type EngineFacts,
  type FirewallFacts,
  type FirstBoot,
  type HostFacts,
  type HostRecordFacts,
  type InitSystem,
  type PackageLock,
  type Privilege,
  type RunningContainer,
  type UnitFile,
} from "./facts.ts";
import { identifyOs, parseAssignments } from "./os-release.ts";

/** Facts by key, in the order they were said. */
export class RawFacts {
  readonly #values = new Map<string, string[]>();

  add(key: string, value: string): void {
    const known = this.#values.get(key);
    if (known === undefined) this.#values.set(key, [value]);
    else known.push(value);
  }

  all(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** The last one said: a look as root comes after the look as the user. */
  last(key: string): string | undefined {
    const value = this.#values.get(key)?.at(-1);
    return value === "" ? undefined : value;
  }

  is(key: string): boolean {
    return this.last(key) === "yes";
  }

  text(key: string): string {
    return this.all(key)
      .map((line) => `${line}\n`)
      .join("");
  }

  /** Files told as a path under `pathKey` and lines under `textKey:PATH`. */
  files(pathKey: string, textKey: string): readonly UnitFile[] {
    return [...new Set(this.all(pathKey))].map((path) => ({ path, text: this.text(`${textKey}:${path}`) }));
  }
}

/** `/run/cloud-init/result.json`, as cloud-init writes it when it is through: `{"v1": {"errors": […]}}`. */
function firstBootFrom(raw: RawFacts): FirstBoot | undefined {
  const state = raw.last("first-boot");
  if (state !== "running" && state !== "finished") return undefined;
  return { state, errors: errorsIn(raw.text("first-boot-result")) };
}

function errorsIn(text: string): readonly string[] {
  try {
    const { v1 } = JSON.parse(text) as { readonly v1?: { readonly errors?: readonly unknown[] } };
    return (v1?.errors ?? []).filter((error) => typeof error === "string");
  } catch {
    return [];
  }
}

const initSystems: readonly InitSystem[] = ["systemd", "openrc", "upstart", "sysv"];

export function factsFrom(raw: RawFacts, clockSkewMs: number): HostFacts {
  const packageManagers = packageManagerNames.filter((name) => raw.all("package-manager").includes(name));
  return {
    os: identifyOs({
      osRelease: raw.all("os-release"),
      redhatRelease: raw.all("redhat-release"),
      debianVersion: raw.all("debian-version"),
      alpineRelease: raw.all("alpine-release"),
      lsbRelease: raw.all("lsb-release"),
      packageManagers,
    }),
    architecture: raw.last("architecture") ?? "",
    kernel: raw.last("kernel") ?? "",
    init: initSystems.find((name) => name === raw.last("init")) ?? "none",
    systemdVersion: numberIn(raw.all("systemd-version")[0]),
    cron: raw.last("cron") === "crontabs" ? "crontabs" : raw.last("cron") === "cron.d" ? "cron.d" : undefined,
    cgroups: raw.last("cgroups") === "v2" ? "v2" : raw.last("cgroups") === "v1" ? "v1" : "none",
    hostName: raw.last("hostname") ?? "",
    userName: raw.last("user") ?? "",
    sshPort: numberIn(raw.last("ssh-port")),
    inDockerGroup: (raw.last("user-groups") ?? "").split(" ").includes("docker"),
    privilege: privilegeFrom(raw),
    seenAsRoot: raw.last("seen-as") === "0",
    packageManagers,
    packageLock: packageLockFrom(raw.last("package-lock")),
    programs: new Set(raw.all("program")),
    caCertificates: raw.is("ca-certificates"),
    engine: engineFrom(raw),
    firewall: firewallFrom(raw),
    disks: disksFrom(raw),
    clockSkewMs,
    selinux: raw.last("selinux") === "enforcing" ? "enforcing" : raw.last("selinux") === "permissive" ? "permissive" : "disabled",
    ownFiles: new Map(raw.files("own-path", "own").map((file) => [file.path, file.text])),
    ownKeys: raw.all("own-key").flatMap((line) => {
      const [path = "", mode = "", uid = ""] = line.split(" ");
      return path === "" ? [] : [{ path, safe: mode === "600" && uid === "0" }];
    }),
    record: recordFrom(raw),
    firstBoot: firstBootFrom(raw),
    interrupted: raw.is("interrupted"),
    runAtWork: raw.is("run-at-work"),
    restartOwed: raw.is("restart-owed"),
  };
}

function numberIn(text: string | undefined): number | undefined {
  const digits = /\d+/u.exec(text ?? "")?.[0];
  return digits === undefined ? undefined : Number(digits);
}

function privilegeFrom(raw: RawFacts): Privilege {
  const kind = raw.last("privilege");
  if (kind === "root" || kind === "doas") return { kind };
  if (kind === "sudo" || kind === "sudo-password") {
    return raw.last("privilege.terminal") === undefined ? { kind } : { kind, terminal: true };
  }
  return { kind: "none", explanation: raw.last("privilege.explanation") ?? "neither sudo nor doas is installed" };
}

function packageLockFrom(line: string | undefined): PackageLock | undefined {
  const match = /^(\S+) (\d+) ?(.*)$/u.exec(line ?? "");
  return match === null ? undefined : { file: match[1] ?? "", pid: Number(match[2]), program: match[3] ?? "" };
}

/** `FOLDER DEVICE BLOCKS USED AVAILABLE PERCENT MOUNTPOINT`, as `df -Pk` prints after the folder. */
function diskFrom(line: string): DiskFacts[] {
  const match = /^(\S+) (.+?) +\d+ +\d+ +(\d+) +\d+% (.+)$/u.exec(line);
  if (match === null) return [];
  return [
    { folder: match[1] ?? "", device: match[2] ?? "", freeMiB: Math.floor(Number(match[3]) / 1024), mountPoint: match[4] ?? "" },
  ];
}

/** What the script last said of each folder's disk. */
export function disksFrom(raw: RawFacts): readonly DiskFacts[] {
  return raw.all("disk").flatMap(diskFrom);
}

/** The engine's part, which an install script tells anew. */
export function engineFrom(raw: RawFacts): EngineFacts {
  const unit = parseAssignments(raw.all("unit"));
  const answer = answerFrom(raw.last("engine-info"));
  return {
    fresh: raw.last("dockerd") === undefined && raw.all("data-store").length === 0,
    dockerdPath: raw.last("dockerd"),
    dockerPath: raw.last("docker"),
    containerdPath: raw.last("containerd"),
    version: versionIn(answer?.serverVersion ?? raw.last("engine-version")),
    ownerPackage: raw.last("engine-package"),
    ...(raw.is("engine-package-unknown") && { ownerUnknown: true }),
    pid: numberIn(unit.get("MainPID") === "0" ? raw.last("engine-pid") : (unit.get("MainPID") ?? raw.last("engine-pid"))),
    unitFiles: raw.files("unit-path", "unit-file"),
    unitActive: unit.has("ActiveState") ? unit.get("ActiveState") === "active" : raw.last("engine-pid") !== undefined,
    unitEnabled: ["enabled", "static", "linked", "alias"].includes(unit.get("UnitFileState") ?? ""),
    unitMasked: unit.get("LoadState") === "masked",
    socketUnit: parseAssignments(raw.all("socket")).get("LoadState") === "loaded",
    answer,
    containers: raw.all("container").flatMap(containerFrom),
    shims: numberIn(raw.last("shims")) ?? 0,
    dataStores: raw.all("data-store"),
    dataFileSystem: raw.last("data-file-system") ?? "",
    daemonJson: raw.is("daemon-json-there") ? raw.text("daemon-json") : undefined,
    settingsFiles: raw.files("settings-path", "settings"),
    snap: raw.is("snap"),
  };
}

/** `Docker version 20.10.24+dfsg1, build 297e128`. */
export function versionIn(line: string | undefined): string | undefined {
  return /\b(\d+\.\d+(?:\.\d+)?)/u.exec(line ?? "")?.[1];
}

function answerFrom(json: string | undefined): EngineAnswer | undefined {
  if (json === undefined) return undefined;
  try {
    const info = JSON.parse(json) as Record<string, unknown>;
    if (typeof info["ServerVersion"] !== "string" || info["ServerVersion"] === "") return undefined;
    const swarm = info["Swarm"] as { LocalNodeState?: unknown } | undefined;
    return {
      serverVersion: info["ServerVersion"],
      storageDriver: typeof info["Driver"] === "string" ? info["Driver"] : "",
      dataRoot: typeof info["DockerRootDir"] === "string" ? info["DockerRootDir"] : "/var/lib/docker",
      liveRestore: info["LiveRestoreEnabled"] === true,
      holdsData: info["Containers"] !== 0 || info["Images"] !== 0,
      swarmActive: swarm?.LocalNodeState !== undefined && swarm.LocalNodeState !== "inactive",
    };
  } catch {
    return undefined;
  }
}

function containerFrom(line: string): RunningContainer[] {
  const [id = "", image = "", name = ""] = line.split(" ");
  return /^[0-9a-f]{12,}$/u.test(id) ? [{ id, image, name }] : [];
}

function recordFrom(raw: RawFacts): HostRecordFacts | undefined {
  const lines = raw.all("record");
  const below = raw.all("record-below").map((name) => ({ number: Number(name), owners: raw.all(`record-owner:${name}`) }));
  if (lines.length === 0 && raw.all("record-owner").length === 0 && below.length === 0) return undefined;
  return {
    owners: raw.all("record-owner"),
    below: below.toSorted((a, b) => a.number - b.number),
    changes: lines.map((line) => ({ kind: line.split("\t")[0] ?? "", what: line.split("\t").slice(1).join("\t") })),
    altered: new Set(raw.all("record-altered")),
    originalDaemonJson: raw.is("original-daemon-json-there") ? raw.text("original-daemon-json") : undefined,
  };
}

function firewallFrom(raw: RawFacts): FirewallFacts {
  const zone = raw.last("firewalld-zone");
  const ufwStatus = raw.all("ufw");
  return {
    firewalld:
      zone === undefined
        ? undefined
        : {
            zone,
            portOpen: raw.is("firewalld-open"),
            port: numberIn(raw.last("firewalld-asked")),
            ports: (raw.last("firewalld-ports") ?? "").split(" ").filter((port) => port !== ""),
          },
    ufwStatus: ufwStatus.length === 0 ? undefined : ufwStatus,
    iptablesRules: raw.all("iptables"),
    ip6tablesRules: raw.all("ip6tables"),
    nftRuleset: raw.all("nft"),
    persistentFiles: raw.all("firewall-file"),
  };
}
