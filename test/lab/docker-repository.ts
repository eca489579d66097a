/**
 * A package repository like Docker's own, signed and with its layout and package names, for the tests of the engine
 * source `docker`. The binaries are Debian's, repacked into docker-ce, docker-ce-cli and containerd.io: installing
 * docker-ce really gives a working engine. Each suite has the engine of its own release and that of the release before.
 */
import { createReadStream } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";
import { lockFile } from "../../src/system/file-lock.ts";
import { readFileIfExists } from "../../src/system/files.ts";
import type { LabEngine } from "./engine.ts";
import { buildBoundMs, buildWaitMs, type ImageStore } from "./images.ts";
import { readOuterApt, sourceLines, type Release } from "./outer-apt.ts";
import { labPaths } from "./paths.ts";
import { releases } from "./recipes.ts";

export interface DockerRepository extends AsyncDisposable {
  /**
   * Takes the place of `https://download.docker.com`: below it are `linux/debian/gpg`, `linux/debian/dists/…` and
   * `linux/static/stable/x86_64/docker-20.10.24.tgz`. `install.sh` takes the place of `https://get.docker.com`.
   */
  readonly url: string;
  /** Of the signing key, 40 hexadecimal digits. */
  readonly keyFingerprint: string;
  /** Versions of docker-ce in each suite, oldest first. */
  readonly versions: Readonly<Record<Release, readonly string[]>>;
  /** Paths that hosts have asked for so far. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

const script = new URL("docker-repository.sh", import.meta.url);

/** Serves the repository from this process, built at its first use, where hosts of the lab can reach it. */
export async function serveDockerRepository(engine: LabEngine, images: ImageStore): Promise<DockerRepository> {
  const folder = await requireRepository(engine, images);
  const requests: string[] = [];
  const server = createServer((request, response) => void answer(folder, requests, request, response));
  server.listen(0, engine.segment.gateway);
  await once(server, "listening");
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return {
    url: `http://${engine.segment.gateway}:${(server.address() as AddressInfo).port}`,
    keyFingerprint: (await readFile(path.join(folder, "fingerprint"), "utf8")).trim(),
    versions: Object.fromEntries(
      await Promise.all(releases.map(async (release) => [release, await listVersions(folder, release)] as const)),
    ) as Record<Release, string[]>,
    requests,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function answer(folder: string, requests: string[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  const wanted = decodeURIComponent(new URL(request.url ?? "/", "http://lab").pathname);
  requests.push(wanted);
  if (wanted === "/install.sh") {
    response.end(installScript(`http://${request.headers.host}`));
    return;
  }
  const file = path.join(folder, path.normalize(wanted));
  const source = createReadStream(file);
  source.once("error", () => response.writeHead(404).end());
  await pipeline(source, response).catch(() => {});
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

async function requireRepository(engine: LabEngine, images: ImageStore): Promise<string> {
  const build = await readFile(script, "utf8");
  const apt = await readOuterApt();
  const key = createHash("sha256")
    .update(JSON.stringify([build, apt]))
    .digest("hex")
    .slice(0, 16);
  const folder = path.join(labPaths.repositories, key);
  await mkdir(labPaths.repositories, { recursive: true });
  await using _ = await lockFile(`${folder}.lock`, {
    what: "the lab's package repository",
    purpose: "build",
    waitMs: buildWaitMs,
  });
  if ((await readFileIfExists(path.join(folder, "fingerprint"))) !== undefined) return folder;
  const sources = releases.map((release) => `SOURCES_${release}=${sourceLines(apt, release).join("\n")}`);
  await images.inContainer(await images.require("packager"), build, sources, async (container) => {
    const incoming = `${folder}.new`;
    await rm(incoming, { recursive: true, force: true });
    await engine.docker(["cp", `${container}:/repository`, incoming], { timeoutMs: buildBoundMs });
    await rm(folder, { recursive: true, force: true });
    await rename(incoming, folder);
  });
  return folder;
}
