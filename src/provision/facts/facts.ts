/**
 * What one look at a host tells: everything that planning needs, as plain data. Unknown is `undefined`, never a guess.
 */

/** How the operating system names itself, and where that was read. */
export interface OsFacts {
  /** os-release's ID, lower case; "" when nothing names the system. */
  readonly id: string;
  readonly idLike: readonly string[];
  readonly versionId: string;
  /** `bookworm`, `noble`; "" where the distribution has none. */
  readonly codename: string;
  /** Code name of the Ubuntu release a derivative is built on, if it says so. */
  readonly ubuntuCodename: string;
  readonly variantId: string;
  /** For people: `Debian GNU/Linux 12 (bookworm)`. */
  readonly prettyName: string;
  readonly source: OsSource;
}

type OsSource =
  | "os-release"
  | "redhat-release"
  | "debian-version"
  | "alpine-release"
  | "lsb-release"
  | "package-manager"
  | "nothing";

export const packageManagerNames = ["apt-get", "dnf", "yum", "zypper", "pacman", "apk", "rpm-ostree"] as const;
export type PackageManagerName = (typeof packageManagerNames)[number];

export type InitSystem = "systemd" | "openrc" | "upstart" | "sysv" | "none";

/** How commands get root's rights there. `none` carries what sudo said. */
export type Privilege =
  | { readonly kind: "root" }
  /** `terminal`: sudo wants one (requiretty), and gets one that nothing is read from or written to. */
  | { readonly kind: "sudo"; readonly terminal?: boolean | undefined }
  | { readonly kind: "sudo-password"; readonly terminal?: boolean | undefined }
  | { readonly kind: "doas" }
  | { readonly kind: "none"; readonly explanation: string };

export interface DiskFacts {
  /** The folder asked about: `/`, `/var`, `/etc`, `/tmp`. */
  readonly folder: string;
  readonly device: string;
  readonly mountPoint: string;
  readonly freeMiB: number;
}

export interface RunningContainer {
  readonly id: string;
  readonly name: string;
  readonly image: string;
}

/** One file of a systemd unit as `systemctl cat` shows it. */
export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/** What the engine itself answers on its socket. */
export interface EngineAnswer {
  readonly serverVersion: string;
  readonly storageDriver: string;
  readonly dataRoot: string;
  readonly liveRestore: boolean;
  /** Member of a swarm (swarm mode): excludes live-restore. */
  readonly swarmActive: boolean;
  /** It has an image or a container, stopped ones too. */
  readonly holdsData: boolean;
}

export interface EngineFacts {
  /** No engine was here, and no data of one, when this run first looked. */
  readonly fresh: boolean;
  /** Absolute path; undefined = no engine is installed. */
  readonly dockerdPath?: string | undefined;
  readonly dockerPath?: string | undefined;
  readonly containerdPath?: string | undefined;
  /** As `dockerd --version` tells: `20.10.24`. */
  readonly version?: string | undefined;
  /** Package that owns dockerd, if a package manager knows the file. */
  readonly ownerPackage?: string | undefined;
  /** The package manager could not tell whose dockerd is: it may still be a package's. */
  readonly ownerUnknown?: boolean | undefined;
  readonly pid?: number | undefined;
  /** docker.service (or the init's equivalent) is known to the init system, with these files. */
  readonly unitFiles: readonly UnitFile[];
  readonly unitActive: boolean;
  readonly unitEnabled: boolean;
  /** The unit is masked: systemd starts it for nobody. */
  readonly unitMasked: boolean;
  /** docker.socket is loaded, so that the engine is started with its socket handed over. */
  readonly socketUnit: boolean;
  readonly answer?: EngineAnswer | undefined;
  readonly containers: readonly RunningContainer[];
  /** Of an engine that does not answer: processes that hold containers. */
  readonly shims: number;
  /** Storage drivers that have an image or a container in /var/lib/docker. */
  readonly dataStores: readonly string[];
  /** File system type of the data root, as the kernel names it (`ext2/ext3`, `overlayfs`, `xfs`, …). */
  readonly dataFileSystem: string;
  /** The text of /etc/docker/daemon.json; undefined = no such file. */
  readonly daemonJson?: string | undefined;
  /** Existing settings for the init script or unit: path and text (/etc/default/docker, /etc/conf.d/docker, …). */
  readonly settingsFiles: readonly UnitFile[];
  /** Docker is installed as a snap, which ignores drop-ins and /etc/docker. */
  readonly snap: boolean;
}

export interface FirewallFacts {
  /** firewalld runs: the zone that the SSH connection came through, and whether the engine's port is open in it. */
  readonly firewalld?:
    | {
        readonly zone: string;
        readonly portOpen: boolean;
        /** The engine's, as {@link portOpen} is about it; undefined = whichever is asked about. */
        readonly port?: number | undefined;
        /** Ports that are open in it by themselves, `7946/udp` each. */
        readonly ports?: readonly string[] | undefined;
      }
    | undefined;
  /** `ufw status verbose`, when it is active. */
  readonly ufwStatus?: readonly string[] | undefined;
  /** `iptables -S`, when the table has rules. */
  readonly iptablesRules: readonly string[];
  readonly ip6tablesRules: readonly string[];
  /** `nft list ruleset`. */
  readonly nftRuleset: readonly string[];
  /** Files from which the host restores its rules at boot, as far as they exist and are in use. */
  readonly persistentFiles: readonly string[];
}

export interface PackageLock {
  readonly file: string;
  readonly pid: number;
  readonly program: string;
}

/** What this program recorded on an adopted host, to be undone one day. */
export interface HostRecordFacts {
  /**
   * `file-created`, `file-changed`, `folder-created`, `package`, `package-gone`, `package-replaced`, `package-key`,
   * `unit-enabled`, `unit-started`: kind and what, in the order they came.
   */
  readonly changes: readonly { readonly kind: string; readonly what: string }[];
  /** Recorded files that someone else has changed since. */
  readonly altered: ReadonlySet<string>;
  /** Whose record it is; empty in those of earlier versions. */
  readonly owners: readonly string[];
  /** Records of owners before, which stand below it, oldest first. */
  readonly below: readonly { readonly number: number; readonly owners: readonly string[] }[];
  /** daemon.json before it was first changed. */
  readonly originalDaemonJson?: string | undefined;
}

export interface FirstBoot {
  readonly state: "running" | "finished";
  /** What went wrong in it, in cloud-init's words. */
  readonly errors: readonly string[];
}

export interface HostFacts {
  readonly os: OsFacts;
  /** `uname -m`. */
  readonly architecture: string;
  /** `uname -r`. */
  readonly kernel: string;
  readonly init: InitSystem;
  readonly systemdVersion?: number | undefined;
  /** Where a cron daemon that runs reads what root does each minute; undefined = none runs. */
  readonly cron?: "cron.d" | "crontabs" | undefined;
  readonly cgroups: "v1" | "v2" | "none";
  readonly hostName: string;
  readonly userName: string;
  /** The port by which this SSH connection came in there; undefined = not known. */
  readonly sshPort?: number | undefined;
  /** The user may use the engine's socket without becoming root. */
  readonly inDockerGroup: boolean;
  readonly privilege: Privilege;
  /** These facts were gathered with root's rights. */
  readonly seenAsRoot: boolean;
  readonly packageManagers: readonly PackageManagerName[];
  /** Another process holds the package manager's lock. */
  readonly packageLock?: PackageLock | undefined;
  /** Programs of a fixed list (`curl`, `wget`, `gpg`, …) that are there. */
  readonly programs: ReadonlySet<string>;
  readonly caCertificates: boolean;
  readonly engine: EngineFacts;
  readonly firewall: FirewallFacts;
  readonly disks: readonly DiskFacts[];
  /** The host's clock minus ours; positive = the host is ahead. Accurate to the probe's duration. */
  readonly clockSkewMs: number;
  readonly selinux: "enforcing" | "permissive" | "disabled";
  /** Files this program wrote there before: path → text, for those without secrets. */
  readonly ownFiles: ReadonlyMap<string, string>;
  /** Server keys that are there; safe = only root can read it. */
  readonly ownKeys: readonly { readonly path: string; readonly safe: boolean }[];
  /** Undefined = nothing is recorded. */
  readonly record?: HostRecordFacts | undefined;
  /** Folder that an earlier, cut-off run left behind; it is undone first. */
  readonly interrupted: boolean;
  /** An earlier run is still changing the host: its connection broke, or it is another client's. */
  readonly runAtWork: boolean;
  /** How far cloud-init is with the host's first boot; undefined where it does nothing there. */
  readonly firstBoot?: FirstBoot | undefined;
  /** The restart that an earlier run owed was not done. */
  readonly restartOwed: boolean;
}
