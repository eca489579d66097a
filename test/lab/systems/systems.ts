/**
 * Operating systems beyond Debian, as the lab can have them: a host of Debian's packages whose package manager is the
 * system's own, with the system's os-release, file layout and a database in which its base is registered. Data only.
 */

export type ManagerName = "dnf" | "zypper" | "pacman" | "apk";

export interface SystemFacts {
  readonly manager: ManagerName;
  readonly osRelease: Readonly<Record<string, string>>;
  /** The system's own repository, below `system/` of what the lab serves. */
  readonly repository: string;
  /** Name and version of the package that owns os-release on RPM systems, and what it provides besides. */
  readonly release?: { readonly name: string; readonly version: string; readonly provides: readonly string[] };
  /** Shell of its own, before it first boots. */
  readonly prepare?: string;
  /** First line of /etc/redhat-release, where there is one. */
  readonly redhatRelease?: string;
}

/** A program before Linux's own that reports another kernel. */
export function reportKernel(release: string): string {
  return `
    printf '#!/bin/sh\\ncase "$*" in -r) echo ${release} ;; *) exec /usr/bin/uname "$@" ;; esac\\n' > /usr/local/bin/uname
    chmod 755 /usr/local/bin/uname`;
}

/** A rebuild of Red Hat's. */
function rebuild(id: string, name: string, version: string, word: string): SystemFacts {
  const major = version.split(".")[0] ?? version;
  return {
    manager: "dnf",
    osRelease: {
      NAME: name,
      VERSION: `${version} (${word})`,
      ID: id,
      ID_LIKE: id === "ol" ? "fedora" : "rhel centos fedora",
      VERSION_ID: version,
      PLATFORM_ID: `platform:el${major}`,
      PRETTY_NAME: `${name} ${version} (${word})`,
    },
    repository: `el${major}`,
    release: {
      name: id === "ol" ? "oraclelinux-release" : `${id === "almalinux" ? "almalinux" : "rocky"}-release`,
      version,
      provides: [`system-release = ${version}`, `redhat-release = ${version}`, `system-release(releasever) = ${major}`],
    },
    redhatRelease: `${name} release ${version} (${word})`,
  };
}

function suse(id: string, name: string, like: string): SystemFacts {
  return {
    manager: "zypper",
    osRelease: {
      NAME: name,
      VERSION: id === "sles" ? "15-SP6" : "15.6",
      ID: id,
      ID_LIKE: like,
      VERSION_ID: "15.6",
      PRETTY_NAME: id === "sles" ? `${name} 15 SP6` : `${name} 15.6`,
    },
    repository: "suse",
    release: { name: id === "sles" ? "sles-release" : "openSUSE-release", version: "15.6", provides: ["distribution-release"] },
  };
}

export const systems = {
  "rocky-8": rebuild("rocky", "Rocky Linux", "8.10", "Green Obsidian"),
  "rocky-9": rebuild("rocky", "Rocky Linux", "9.4", "Blue Onyx"),
  "alma-9": rebuild("almalinux", "AlmaLinux", "9.4", "Seafoam Ocelot"),
  "alma-10": rebuild("almalinux", "AlmaLinux", "10.0", "Purple Lion"),
  "oracle-9": rebuild("ol", "Oracle Linux Server", "9.4", "Seafoam Ocelot"),
  // Its own repositories are gone; yum is dnf's other name here.
  "centos-7": {
    manager: "dnf",
    osRelease: {
      NAME: "CentOS Linux",
      VERSION: "7 (Core)",
      ID: "centos",
      ID_LIKE: "rhel fedora",
      VERSION_ID: "7",
      PRETTY_NAME: "CentOS Linux 7 (Core)",
    },
    repository: "el8",
    release: { name: "centos-release", version: "7", provides: ["system-release = 7", "system-release(releasever) = 7"] },
    redhatRelease: "CentOS Linux release 7.9.2009 (Core)",
    prepare: `mv /usr/bin/dnf /usr/bin/yum; ${reportKernel("3.10.0-1160.el7.x86_64")}`,
  },
  "fedora-41": {
    manager: "dnf",
    osRelease: {
      NAME: "Fedora Linux",
      VERSION: "41 (Server Edition)",
      ID: "fedora",
      VERSION_ID: "41",
      PLATFORM_ID: "platform:f41",
      PRETTY_NAME: "Fedora Linux 41 (Server Edition)",
    },
    repository: "fc41",
    release: { name: "fedora-release", version: "41", provides: ["system-release = 41", "system-release(releasever) = 41"] },
    redhatRelease: "Fedora release 41 (Forty One)",
  },
  "amazon-2023": {
    manager: "dnf",
    osRelease: {
      NAME: "Amazon Linux",
      VERSION: "2023",
      ID: "amzn",
      ID_LIKE: "fedora",
      VERSION_ID: "2023",
      PLATFORM_ID: "platform:al2023",
      PRETTY_NAME: "Amazon Linux 2023.6.20241010",
    },
    repository: "amzn2023",
    release: {
      name: "system-release",
      version: "2023.6.20241010",
      provides: ["system-release(releasever) = 2023.6.20241010"],
    },
  },
  "leap-15.6": suse("opensuse-leap", "openSUSE Leap", "suse opensuse"),
  "sles-15.6": suse("sles", "SLES", "suse"),
  arch: {
    manager: "pacman",
    osRelease: { NAME: "Arch Linux", ID: "arch", PRETTY_NAME: "Arch Linux", BUILD_ID: "rolling" },
    repository: "arch",
  },
  // With a stand-in for apk.
  "alpine-3.20": {
    manager: "apk",
    osRelease: { NAME: "Alpine Linux", ID: "alpine", VERSION_ID: "3.20.3", PRETTY_NAME: "Alpine Linux v3.20" },
    repository: "alpine",
  },
} as const satisfies Record<string, SystemFacts>;

export type SystemName = keyof typeof systems;
