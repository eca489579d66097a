/**
 * A package repository like Docker's own for Debian, signed and with its layout and package names, for the tests of the
 * engine source `docker`. The binaries are Debian's, repacked into docker-ce, docker-ce-cli and containerd.io: installing
 * docker-ce really gives a working engine. Each suite has the engine of its own release and that of the release before.
 */
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import type { LabEngine } from "../engine.ts";
import type { ImageStore } from "../images.ts";
import type { Release } from "../outer-apt.ts";
import { releases } from "../recipes.ts";
import { requireFolder } from "./built-folder.ts";
import { serveFolder, type ServedFolder } from "./served-folder.ts";

/**
 * Its `url` takes the place of `https://download.docker.com`: below it are `linux/debian/gpg`, `linux/debian/dists/…` and
 * `linux/static/stable/x86_64/docker-20.10.24.tgz`. `install.sh` takes the place of `https://get.docker.com`.
 */
export interface DockerRepository extends ServedFolder {
  /** Of the signing key, 40 hexadecimal digits. */
  readonly keyFingerprint: string;
  /** Versions of docker-ce in each suite, oldest first. */
  readonly versions: Readonly<Record<Release, readonly string[]>>;
}

/** Serves the repository from this process, built at its first use, where hosts of the lab can reach it. */
export async function serveDockerRepository(engine: LabEngine, images: ImageStore): Promise<DockerRepository> {
  const folder = await requireFolder(engine, images, {
    what: "the lab's package repository",
    image: "packager",
    scripts: ["engine-binaries.sh", "docker-debian.sh"],
  });
  return {
    ...(await serveFolder(folder, engine.segment.gateway, { "/install.sh": installScript })),
    keyFingerprint: (await readFile(path.join(folder, "fingerprint"), "utf8")).trim(),
    versions: Object.fromEntries(
      await Promise.all(releases.map(async (release) => [release, await listVersions(folder, release)] as const)),
    ) as Record<Release, string[]>,
  };
}

/** Does what Docker's installation script does, from this repository: as root or through sudo, with curl, for any release. */
function installScript(url: string): string {
  return `#!/bin/sh
set -e
as_root='sh -c'
if [ "$(id -un)" != root ]; then as_root='sudo -E sh -c'; fi
. /etc/os-release
source="deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/keyrings/docker.asc] ${url}/linux/debian $VERSION_CODENAME stable"
$as_root "install -m 755 -d /etc/apt/keyrings"
$as_root "curl -fsSL '${url}/linux/debian/gpg' -o /etc/apt/keyrings/docker.asc"
$as_root "echo '$source' > /etc/apt/sources.list.d/docker.list"
$as_root "apt-get -qq update > /dev/null"
$as_root "DEBIAN_FRONTEND=noninteractive apt-get -y -qq install docker-ce docker-ce-cli containerd.io > /dev/null"
`;
}

async function listVersions(folder: string, release: Release): Promise<string[]> {
  const index = await readFile(path.join(folder, `linux/debian/dists/${release}/versions`), "utf8");
  return index.trim().split("\n");
}
