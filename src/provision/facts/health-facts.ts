/** What the doctor's questions came to. Pure; what was not said is unknown. */
import type { RawFacts } from "./parse-facts.ts";

export interface FileSystemHealth {
  readonly folder: string;
  readonly mountPoint: string;
  /** Whole percent; undefined where the file system counts none. */
  readonly inodesUsed: number | undefined;
}

export interface SwarmHealth {
  /** `active`, `inactive`, `pending`, `error`, `locked`. */
  readonly state: string;
  readonly error: string;
  readonly address: string;
  readonly isManager: boolean;
}

export interface SelinuxHealth {
  /** Its policy knows containers; undefined where that is not told. */
  readonly knowsContainers: boolean | undefined;
  /** The type that the engine's data folder is labelled with, as `container_var_lib_t`; undefined where none is told. */
  readonly dataType: string | undefined;
  /** The engine has its containers confined by it. */
  readonly confines: boolean;
}

export interface HealthFacts {
  readonly inodes: readonly FileSystemHealth[];
  readonly readOnly: readonly string[];
  /** Undefined where the host has nothing that tells. */
  readonly ntp: { readonly can: boolean; readonly on: boolean; readonly synchronized: boolean } | undefined;
  readonly rebootRequired: boolean;
  /** What would end the machine's time is there, and nothing runs it. */
  readonly lifetimeStopped: boolean;
  /** The running kernel's release, where its modules are gone. */
  readonly modulesGone: string | undefined;
  /** `inactive dead success`. */
  readonly unitState: string;
  readonly engineLog: readonly string[];
  readonly iptablesBroken: string | undefined;
  /** Of the engine's own socket; undefined where there is none. */
  readonly socket: { readonly user: string; readonly group: string; readonly mode: string } | undefined;
  readonly apiVersion: string | undefined;
  readonly minApiVersion: string | undefined;
  /** Addresses that the engine's port is listened on, as the kernel writes them in hexadecimal digits. */
  readonly listens: readonly string[];
  /** Programs that do. */
  readonly listeners: readonly string[];
  readonly engineProxies: readonly string[];
  readonly hostProxies: readonly string[];
  /** Undefined where it was not asked. */
  readonly registry: string | undefined;
  /** `docker0 172.17.0.1/16` each. */
  readonly addresses: readonly { readonly device: string; readonly network: string }[];
  readonly routes: readonly { readonly device: string; readonly network: string }[];
  readonly mtus: ReadonlyMap<string, number>;
  readonly egress: string | undefined;
  readonly held: readonly string[];
  /** Programs that did not end in the time they had, with their first word: `docker info`. */
  readonly hung: readonly string[];
  readonly swarm: SwarmHealth | undefined;
  readonly selinux: SelinuxHealth;
}

export function healthFrom(raw: RawFacts): HealthFacts {
  const mtus = raw.all("mtu").map((line) => line.split(" "));
  const [apiVersion, minApiVersion] = (raw.last("engine-api") ?? "").split(" ");
  return {
    inodes: raw.all("inodes").flatMap(inodesIn),
    readOnly: raw.all("read-only"),
    ntp: ntpFrom(raw.all("ntp")),
    rebootRequired: raw.is("reboot-required"),
    lifetimeStopped: raw.is("lifetime-stopped"),
    modulesGone: raw.last("modules-gone"),
    unitState: (raw.last("unit-state") ?? "").replaceAll(/\w+=/gu, "").trim(),
    engineLog: raw.all("engine-log"),
    iptablesBroken: raw.last("iptables-broken"),
    socket: socketFrom(raw.last("socket-is")),
    apiVersion: apiVersion === "" ? undefined : apiVersion,
    minApiVersion: minApiVersion === "" ? undefined : minApiVersion,
    listens: raw.all("listens"),
    listeners: [...new Set(raw.all("listener"))],
    engineProxies: raw.all("engine-proxy"),
    hostProxies: raw.all("host-proxy"),
    registry: raw.last("registry"),
    addresses: raw.all("address").flatMap(addressIn),
    routes: raw.all("route").flatMap(routeIn),
    mtus: new Map(mtus.map(([device = "", mtu]) => [device, Number(mtu)])),
    egress: mtus.map(([device = ""]) => device).find((device) => device !== "docker0"),
    held: raw.all("held"),
    hung: [...new Set(raw.all("hung"))],
    swarm: swarmFrom(infoFrom(raw)),
    selinux: selinuxFrom(raw),
  };
}

/** A folder, then a line of `df -Pi`. */
function inodesIn(line: string): FileSystemHealth[] {
  const [folder = "", , , , , used = "", mountPoint = ""] = line.split(/\s+/u);
  if (mountPoint === "") return [];
  const percent = /^(\d+)%$/u.exec(used)?.[1];
  return [{ folder, mountPoint, inodesUsed: percent === undefined ? undefined : Number(percent) }];
}

function ntpFrom(lines: readonly string[]): HealthFacts["ntp"] {
  if (lines.length === 0) return undefined;
  const is = (name: string): boolean => lines.includes(`${name}=yes`);
  return { can: is("CanNTP"), on: is("NTP"), synchronized: is("NTPSynchronized") };
}

function socketFrom(line: string | undefined): HealthFacts["socket"] {
  const [user, group, mode] = (line ?? "").split(" ");
  return user === undefined || group === undefined || mode === undefined ? undefined : { user, group, mode };
}

/** `3: docker0    inet 172.17.0.1/16 brd … scope global docker0` */
function addressIn(line: string): { device: string; network: string }[] {
  const [, device = "", network = ""] = /^\d+: (\S+)\s+inet (\S+)/u.exec(line) ?? [];
  return network === "" ? [] : [{ device, network }];
}

/** `10.0.0.0/8 via 192.0.2.1 dev eth0`; a default route leads everywhere and says nothing. */
function routeIn(line: string): { device: string; network: string }[] {
  const [, network = "", device = ""] = /^(\d[\d.]*(?:\/\d+)?) .*?\bdev (\S+)/u.exec(line) ?? [];
  return network === "" ? [] : [{ device, network: network.includes("/") ? network : `${network}/32` }];
}

interface EngineInfo {
  readonly Swarm?: {
    readonly LocalNodeState?: string;
    readonly Error?: string;
    readonly NodeAddr?: string;
    readonly ControlAvailable?: boolean;
  };
  readonly SecurityOptions?: readonly string[] | null;
}

function infoFrom(raw: RawFacts): EngineInfo | undefined {
  const info = raw.last("engine-info");
  if (info === undefined) return undefined;
  try {
    return JSON.parse(info) as EngineInfo;
  } catch {
    return undefined;
  }
}

function swarmFrom(info: EngineInfo | undefined): SwarmHealth | undefined {
  if (info?.Swarm?.LocalNodeState === undefined) return undefined;
  const { LocalNodeState: state, Error: error = "", NodeAddr: address = "", ControlAvailable: isManager = false } = info.Swarm;
  return { state, error, address, isManager };
}

function selinuxFrom(raw: RawFacts): SelinuxHealth {
  const policy = raw.last("selinux-containers");
  // USER:ROLE:TYPE:LEVEL
  const dataType = (raw.last("selinux-data") ?? "").split(":")[2];
  return {
    knowsContainers: policy === undefined ? undefined : policy === "yes",
    dataType: dataType === "" ? undefined : dataType,
    confines: infoFrom(raw)?.SecurityOptions?.some((option) => option.startsWith("name=selinux")) === true,
  };
}
