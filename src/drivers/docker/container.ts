/** The container that is a machine: what the engine is asked for, and what is put into it before it starts. */
import type { GuestIdentity } from "../../driver-kit/guest/guest-identity.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { tarArchive } from "../../driver-kit/guest/tar.ts";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { addressLabel, ownNetwork } from "./network.ts";

/** Label with the id of the create that made the container, by which it is found again. */
export const createIdLabel = "docker-machine.create-id";
const nameLabel = "docker-machine.name";

export interface ContainerWish {
  readonly machineName: string;
  readonly createId: string | undefined;
  readonly image: string;
  readonly capabilities: readonly string[];
  readonly memoryMiB: number;
  /** 0 = no bound. */
  readonly cpus: number;
  /** Name of the engine's network. */
  readonly network: string;
  /** Address to keep; undefined = whatever the engine gives. */
  readonly address: string | undefined;
  /** Host ports to publish sshd and the engine at; undefined = none are published. */
  readonly publish: { readonly hostIp: string; readonly sshPort: number; readonly enginePort: number } | undefined;
}

/** The signal on which systemd as process 1 shuts down (systemd(1), SIGRTMIN+3). */
const stopSignal = "SIGRTMIN+3";

/**
 * The engine mounts the container's own control groups read-only; systemd and the engine inside manage them. The
 * container's root may remount them, so no group of the computer's is handed in.
 */
const init = `while read -r _ folder kind _; do
case "$folder $kind" in "/sys/fs/cgroup"*" cgroup"*|"/sys/fs/cgroup tmpfs") mount -o remount,bind,rw "$folder";; esac
done < /proc/self/mounts
exec /sbin/init`;

/** Body of POST /containers/create. */
export function containerBody(wish: ContainerWish): object {
  const mark = wish.createId === undefined ? {} : { [createIdLabel]: wish.createId };
  const labels = { ...mark, [nameLabel]: wish.machineName };
  return {
    Hostname: wish.machineName.slice(0, 63),
    Image: wish.image,
    Entrypoint: ["/bin/sh", "-c", init],
    Cmd: [],
    Env: ["container=docker"],
    StopSignal: stopSignal,
    Labels: wish.address === undefined ? labels : { ...labels, [addressLabel]: wish.address },
    // An engine's data must not lie on the overlay that the container's own root is.
    Volumes: { "/var/lib/docker": {}, "/var/lib/containerd": {} },
    ExposedPorts: Object.fromEntries(portPairs(wish).map(([port]) => [port, {}])),
    HostConfig: hostConfig(wish),
    NetworkingConfig: {
      EndpointsConfig: { [wish.network]: wish.address === undefined ? {} : { IPAMConfig: { IPv4Address: wish.address } } },
    },
  };
}

function hostConfig(wish: ContainerWish): object {
  return {
    CapAdd: wish.capabilities,
    SecurityOpt: ["seccomp=unconfined", "apparmor=unconfined"],
    MaskedPaths: [],
    ReadonlyPaths: [],
    DeviceCgroupRules: ["a *:* rwm"],
    CgroupnsMode: "private",
    Tmpfs: { "/run": "rw,exec,nosuid,nodev,mode=755", "/tmp": "rw,exec,nosuid,nodev,mode=1777" },
    Memory: wish.memoryMiB * 1024 * 1024,
    NanoCpus: Math.round(wish.cpus * 1e9),
    NetworkMode: wish.network,
    PortBindings: Object.fromEntries(
      portPairs(wish).map(([port, hostPort]) => [port, [{ HostIp: wish.publish?.hostIp ?? "", HostPort: String(hostPort) }]]),
    ),
  };
}

function portPairs({ publish }: ContainerWish): readonly (readonly [string, number])[] {
  if (publish === undefined) return [];
  return [
    [`${guestSshPort}/tcp`, publish.sshPort],
    [`${defaultEnginePort}/tcp`, publish.enginePort],
  ];
}

/** What GET /containers/ID/json says, as far as it is read. */
export interface ContainerFacts {
  readonly Id: string;
  readonly State: { readonly Status: string; readonly ExitCode: number; readonly Error: string };
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> };
}

/** The files that make a container this machine, for PUT /containers/ID/archive. Holds the private host key. */
export function identityArchive({ hostKeys, authorizedKeys }: Pick<GuestIdentity, "hostKeys" | "authorizedKeys">): Buffer {
  return tarArchive([
    ...hostKeys.flatMap(({ type, privateKey, publicKey }) => [
      { path: `etc/ssh/ssh_host_${type}_key`, mode: 0o600, content: privateKey },
      { path: `etc/ssh/ssh_host_${type}_key.pub`, mode: 0o644, content: `${publicKey}\n` },
    ]),
    { path: "root/.ssh", mode: 0o700 },
    { path: "root/.ssh/authorized_keys", mode: 0o600, content: authorizedKeys.map((line) => `${line}\n`).join("") },
  ]);
}

/** The network to attach to: the user's, or ours. */
export function networkName(wanted: string): string {
  return wanted === "" ? ownNetwork : wanted;
}
