/**
 * Names the operating system: os-release first, then the files that systems older than it have, then the package
 * manager. Pure.
 */
import type { OsFacts, PackageManagerName } from "./facts.ts";

/** The files as the probe read them, lines each; empty where there is none. */
export interface OsEvidence {
  readonly osRelease: readonly string[];
  readonly redhatRelease: readonly string[];
  readonly debianVersion: readonly string[];
  readonly alpineRelease: readonly string[];
  readonly lsbRelease: readonly string[];
  readonly packageManagers: readonly PackageManagerName[];
}

/** os-release(5): shell-like assignments; a value may hold `=`, single or double quotes, and backslash escapes. */
export function parseAssignments(lines: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of lines) {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/u.exec(line);
    if (match !== null) values.set(match[1] ?? "", unquoted(match[2] ?? ""));
  }
  return values;
}

function unquoted(value: string): string {
  const quote = value[0];
  const closed = value.length >= 2 && value.endsWith(quote ?? " ");
  if (quote === "'" && closed) return value.slice(1, -1);
  const inner = quote === '"' && closed ? value.slice(1, -1) : value;
  return inner.replace(/\\(.)/gsu, "$1");
}

const empty: OsFacts = {
  id: "",
  idLike: [],
  versionId: "",
  codename: "",
  ubuntuCodename: "",
  variantId: "",
  prettyName: "",
  source: "nothing",
};

export function identifyOs(evidence: OsEvidence): OsFacts {
  return (
    fromOsRelease(evidence) ??
    fromRedhatRelease(evidence.redhatRelease[0]) ??
    fromAlpineRelease(evidence.alpineRelease[0]) ??
    fromLsbRelease(evidence) ??
    fromDebianVersion(evidence.debianVersion[0]) ??
    fromPackageManager(evidence.packageManagers[0]) ?? { ...empty, prettyName: "an unknown system" }
  );
}

function fromOsRelease(evidence: OsEvidence): OsFacts | undefined {
  const values = parseAssignments(evidence.osRelease);
  const id = values.get("ID")?.toLowerCase();
  if (id === undefined || id === "") return undefined;
  return {
    id,
    idLike: (values.get("ID_LIKE") ?? "").toLowerCase().split(/\s+/u).filter(Boolean),
    versionId: values.get("VERSION_ID") ?? "",
    codename: values.get("VERSION_CODENAME") ?? codenameInVersion(values.get("VERSION") ?? ""),
    ubuntuCodename: values.get("UBUNTU_CODENAME") ?? "",
    variantId: values.get("VARIANT_ID") ?? "",
    prettyName: values.get("PRETTY_NAME") ?? values.get("NAME") ?? id,
    source: "os-release",
  };
}

/** Releases before VERSION_CODENAME was invented: `8 (jessie)`, `14.04.6 LTS, Trusty Tahr`. */
function codenameInVersion(version: string): string {
  return /\((\w+)\)/u.exec(version)?.[1] ?? /, (\w+) \w+$/u.exec(version)?.[1]?.toLowerCase() ?? "";
}

const redhatIds: readonly (readonly [RegExp, string])[] = [
  [/centos/iu, "centos"],
  [/red hat/iu, "rhel"],
  [/fedora/iu, "fedora"],
  [/oracle/iu, "ol"],
  [/scientific/iu, "scientific"],
  [/amazon/iu, "amzn"],
];

/** `CentOS release 6.10 (Final)`. */
function fromRedhatRelease(line: string | undefined): OsFacts | undefined {
  if (line === undefined || line.trim() === "") return undefined;
  const id = redhatIds.find(([pattern]) => pattern.test(line))?.[1] ?? "rhel-like";
  return {
    ...empty,
    id,
    idLike: ["rhel"],
    versionId: /[\d.]+/u.exec(line)?.[0] ?? "",
    prettyName: line.trim(),
    source: "redhat-release",
  };
}

function fromAlpineRelease(line: string | undefined): OsFacts | undefined {
  if (line === undefined || line.trim() === "") return undefined;
  return { ...empty, id: "alpine", versionId: line.trim(), prettyName: `Alpine Linux ${line.trim()}`, source: "alpine-release" };
}

function fromLsbRelease(evidence: OsEvidence): OsFacts | undefined {
  const values = parseAssignments(evidence.lsbRelease);
  const id = values.get("DISTRIB_ID")?.toLowerCase();
  if (id === undefined || id === "") return undefined;
  return {
    ...empty,
    id,
    idLike: evidence.debianVersion.length > 0 ? ["debian"] : [],
    versionId: values.get("DISTRIB_RELEASE") ?? "",
    codename: values.get("DISTRIB_CODENAME") ?? "",
    prettyName: values.get("DISTRIB_DESCRIPTION") ?? id,
    source: "lsb-release",
  };
}

/** Code names by major version, for a Debian that has no os-release to tell its own. */
const debianCodenames: Readonly<Record<string, string>> = {
  "7": "wheezy",
  "8": "jessie",
  "9": "stretch",
  "10": "buster",
  "11": "bullseye",
  "12": "bookworm",
  "13": "trixie",
};

/** `12.5`, or `trixie/sid` on a testing system. */
function fromDebianVersion(line: string | undefined): OsFacts | undefined {
  if (line === undefined || line.trim() === "") return undefined;
  const version = line.trim();
  const major = version.split(".")[0] ?? "";
  const codename = /^\d+$/u.test(major) ? (debianCodenames[major] ?? "") : (version.split("/")[0] ?? "");
  return {
    ...empty,
    id: "debian",
    versionId: /^\d/u.test(version) ? major : "",
    codename,
    prettyName: `Debian ${version}`,
    source: "debian-version",
  };
}

const idsOfManagers: Readonly<Record<PackageManagerName, string>> = {
  "apt-get": "debian",
  dnf: "rhel",
  yum: "rhel",
  "rpm-ostree": "rhel",
  zypper: "suse",
  pacman: "arch",
  apk: "alpine",
};

function fromPackageManager(manager: PackageManagerName | undefined): OsFacts | undefined {
  if (manager === undefined) return undefined;
  return {
    ...empty,
    idLike: [idsOfManagers[manager]],
    prettyName: `an unnamed system with ${manager}`,
    source: "package-manager",
  };
}
