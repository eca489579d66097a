/** Facts of hosts and requests for tests: a plain Debian 12, and what differs from it. */
import type { EngineAnswer, EngineFacts, HostFacts, OsFacts } from "../../src/provision/facts/facts.ts";
import type { EngineRequest, ProvisionRequest } from "../../src/provision/provision-request.ts";

export type Overrides<T> = { readonly [K in keyof T]?: T[K] | undefined };

export const noEngine: EngineFacts = {
  fresh: true,
  unitFiles: [],
  unitActive: false,
  unitEnabled: false,
  unitMasked: false,
  socketUnit: false,
  containers: [],
  shims: 0,
  dataStores: [],
  dataFileSystem: "ext2/ext3",
  settingsFiles: [],
  snap: false,
};

const debianUnit = `[Unit]
Description=Docker Application Container Engine
Requires=docker.socket

[Service]
Type=notify
EnvironmentFile=-/etc/default/docker
ExecStart=/usr/sbin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock $DOCKER_OPTS
ExecReload=/bin/kill -s HUP $MAINPID
`;

export const runningAnswer: EngineAnswer = {
  serverVersion: "20.10.24+dfsg1",
  storageDriver: "overlay2",
  dataRoot: "/var/lib/docker",
  liveRestore: false,
  swarmActive: false,
  holdsData: true,
};

/** Debian's own engine, running, nothing configured. */
export const debianEngine: EngineFacts = {
  ...noEngine,
  fresh: false,
  dockerdPath: "/usr/sbin/dockerd",
  dockerPath: "/usr/bin/docker",
  containerdPath: "/usr/bin/containerd",
  version: "20.10.24",
  ownerPackage: "docker.io",
  pid: 321,
  unitFiles: [{ path: "/lib/systemd/system/docker.service", text: debianUnit }],
  unitActive: true,
  unitEnabled: true,
  unitMasked: false,
  socketUnit: true,
  answer: runningAnswer,
  dataStores: ["overlay2"],
  settingsFiles: [{ path: "/etc/default/docker", text: "# Docker\n" }],
};

export const debianOs: OsFacts = {
  id: "debian",
  idLike: [],
  versionId: "12",
  codename: "bookworm",
  ubuntuCodename: "",
  variantId: "",
  prettyName: "Debian GNU/Linux 12 (bookworm)",
  source: "os-release",
};

const plainHost: HostFacts = {
  os: debianOs,
  architecture: "x86_64",
  kernel: "6.1.0-28-amd64",
  init: "systemd",
  systemdVersion: 252,
  cgroups: "v2",
  hostName: "box",
  inDockerGroup: false,
  userName: "root",
  privilege: { kind: "root" },
  seenAsRoot: true,
  packageManagers: ["apt-get"],
  programs: new Set(["curl", "tar", "gzip", "iptables"]),
  caCertificates: true,
  engine: noEngine,
  firewall: { iptablesRules: [], ip6tablesRules: [], nftRuleset: [], persistentFiles: [] },
  disks: [{ folder: "/", device: "/dev/vda1", mountPoint: "/", freeMiB: 8000 }],
  clockSkewMs: 0,
  selinux: "disabled",
  ownFiles: new Map(),
  ownKeys: [],
  interrupted: false,
  runAtWork: false,
  restartOwed: false,
};

export function hostFacts(
  overrides: Overrides<Omit<HostFacts, "os" | "engine">> & {
    readonly os?: Overrides<OsFacts> | undefined;
    readonly engine?: Overrides<EngineFacts> | undefined;
  } = {},
): HostFacts {
  return {
    ...plainHost,
    ...overrides,
    os: { ...debianOs, ...overrides.os },
    engine: { ...noEngine, ...overrides.engine },
  } as HostFacts;
}

export function provisionRequest(
  overrides: Overrides<Omit<ProvisionRequest, "engine">> & { readonly engine?: Overrides<EngineRequest> | undefined } = {},
): ProvisionRequest {
  return {
    machineName: "web",
    driverName: "generic",
    adopted: true,
    address: "192.0.2.7",
    caCertificate: "-----BEGIN CERTIFICATE-----\nCA\n-----END CERTIFICATE-----\n",
    serverCertificate: "-----BEGIN CERTIFICATE-----\nSERVER\n-----END CERTIFICATE-----\n",
    serverKey: "-----BEGIN RSA PRIVATE KEY-----\nCANARY-KEY\n-----END RSA PRIVATE KEY-----\n",
    ...overrides,
    engine: {
      source: "auto",
      installUrl: "https://get.docker.com",
      storageDriver: "",
      labels: [],
      env: [],
      insecureRegistries: [],
      registryMirrors: [],
      options: [],
      port: 2376,
      firewall: "open",
      allowRemoval: false,
      shareCa: false,
      ...overrides.engine,
    },
  } as ProvisionRequest;
}
