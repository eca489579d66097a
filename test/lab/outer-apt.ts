/**
 * How this computer reaches its Debian mirror, read from apt itself, so that hosts in the lab reach it in the same
 * way: mirrors, proxies, and what apt was told about dates. And the installing of what the lab needs.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { readFileIfExists, writeFileAtomic } from "../../src/system/files.ts";
import { command, findProgram, tryCommand } from "./command.ts";
import { labPaths } from "./paths.ts";

export type Release = "bullseye" | "bookworm" | "trixie";

export interface OuterApt {
  readonly mirror: string;
  readonly securityMirror: string;
  /** Lines for apt.conf. */
  readonly settings: readonly string[];
}

const copiedSettings = /^(Acquire::(https?|Check-|Retries|ForceIPv)\S*) "(.*)";$/u;

/** Reading takes apt two thirds of a second, so the answer is kept until a file of apt's configuration changes. */
export async function readOuterApt(): Promise<OuterApt> {
  const key = await configurationKey();
  const kept = await readFileIfExists(labPaths.outerApt);
  if (kept !== undefined) {
    const { key: formerKey, apt } = JSON.parse(kept.toString()) as { key: string; apt: OuterApt };
    if (formerKey === key) return apt;
  }
  const apt = await askApt();
  await writeFileAtomic(labPaths.outerApt, JSON.stringify({ key, apt }), 0o600);
  return apt;
}

async function configurationKey(): Promise<string> {
  const entries = await readdir("/etc/apt", { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const readable = await Promise.all(
    files.toSorted().map(async (file) => [file, await readFile(file, "latin1").catch(() => "")]),
  );
  return createHash("sha256")
    .update(JSON.stringify([readable, proxiesFromEnvironment()]))
    .digest("hex");
}

async function askApt(): Promise<OuterApt> {
  const [targets, config] = await Promise.all([
    command("apt-get", ["indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Identifier: Packages"]),
    command("apt-config", ["dump"]),
  ]);
  const uriOf = (suite: RegExp): string | undefined => {
    const line = targets.split("\n").find((candidate) => suite.test(candidate));
    return line?.split(" ")[1]?.replace(/\/$/u, "");
  };
  return {
    mirror: uriOf(/^\w+ \S+\/debian\/?$/u) ?? "http://deb.debian.org/debian",
    securityMirror: uriOf(/^\w+-security \S+\/debian-security\/?$/u) ?? "http://deb.debian.org/debian-security",
    settings: [...proxiesFromEnvironment(), ...config.split("\n").filter((line) => copiedSettings.test(line))],
  };
}

function proxiesFromEnvironment(): string[] {
  return ["http", "https"].flatMap((scheme) => {
    const proxy = process.env[`${scheme}_proxy`];
    return proxy === undefined || proxy === "" ? [] : [`Acquire::${scheme}::Proxy "${proxy}";`];
  });
}

export function sourceLines(apt: OuterApt, release: Release): string[] {
  return [
    `deb ${apt.mirror} ${release} main`,
    `deb ${apt.mirror} ${release}-updates main`,
    `deb ${apt.securityMirror} ${release}-security main`,
  ];
}

/** Program or file that must be there → Debian packages of which the first that exists brings it. */
const needed: Readonly<Record<string, readonly string[]>> = {
  dockerd: ["docker.io"],
  docker: ["docker-cli", "docker.io"],
  iptables: ["iptables"],
  ip: ["iproute2"],
  mmdebstrap: ["mmdebstrap"],
  "ssh-keygen": ["openssh-client"],
  "/usr/share/keyrings/debian-archive-keyring.gpg": ["debian-archive-keyring"],
};

/** What the lab needs and this computer does not have. */
export async function listMissing(): Promise<string[]> {
  const found = await Promise.all(Object.keys(needed).map(async (name) => [name, await findProgram(name)] as const));
  return found.filter(([, file]) => file === undefined).map(([name]) => name);
}

/** Installs what is missing; starts none of it. */
export async function installMissing(report: (line: string) => void): Promise<void> {
  const missing = await listMissing();
  if (missing.length === 0) return;
  report(`installing what provides ${missing.join(", ")}`);
  await command("apt-get", ["update"], { timeoutMs: 300_000 });
  const packages = await Promise.all(missing.map((name) => firstAvailable(needed[name] ?? [])));
  await withoutServiceStarts(() =>
    command("apt-get", ["install", "-y", "--no-install-recommends", ...packages], {
      timeoutMs: 600_000,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    }),
  );
}

async function firstAvailable(packages: readonly string[]): Promise<string> {
  for (const name of packages) {
    const shown = await tryCommand("apt-cache", ["show", name]);
    if (shown.status === 0 && shown.stdout.length > 0) return name;
  }
  throw new Error(`None of the packages ${packages.join(", ")} is known to apt on this computer`);
}

/** Debian's way to say "install, but start nothing"; an existing policy of the computer is left alone. */
async function withoutServiceStarts(install: () => Promise<unknown>): Promise<void> {
  const policy = "/usr/sbin/policy-rc.d";
  const made = await writeFile(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755, flag: "wx" }).then(
    () => true,
    () => false,
  );
  try {
    await install();
  } finally {
    if (made) await rm(policy, { force: true });
  }
}
