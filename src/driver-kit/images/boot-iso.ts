/**
 * The CD that a machine of `--NAME-boot2docker-url` starts from, brought into the machine's folder under the name that
 * 0.16.2 gives it. The address may be that of GitHub's releases, of which the newest is taken, as 0.16.2 does.
 */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { copyLarge, factsOf, hashFile, headOf, removeTree, renameFile } from "../../system/disk-files.ts";
import { download, fetchText, type Checksum, type DownloadContext } from "../../system/http.ts";
import type { DriverContext } from "../driver.ts";
import { inPhase } from "../phase.ts";
import { checksumFromList } from "./disk-image.ts";
import type { GuestArch } from "./guest-arch.ts";
import type { ImageSource, IsoSource } from "./image-source.ts";

export const bootIsoName = "boot2docker.iso";

/** ECMA-119: the sixteenth sector of 2048 bytes describes the volume. */
const descriptorOffset = 16 * 2048;
const releaseBytes = 16 * 1024 * 1024;

/** Throws `driver-options` for a CD on a computer that it is not for. @param prefix the driver's name: messages name its flags */
export function requireIsoFits(source: ImageSource, arch: GuestArch, prefix: string): void {
  if (source.kind !== "iso" || arch === "x64") return;
  throw new MachineError("driver-options", "boot2docker is for x86-64 computers only", {
    hint: `Leave --${prefix}-boot2docker-url out: Debian's image fits this computer.`,
  });
}

/**
 * Gives the CD's path in the machine's folder. One that is there whole, of an earlier attempt, is taken as it is.
 * Throws `image-unusable`, `download-failed`, `disk-full`, or the signal's reason.
 * @param prefix the driver's name: messages name its flags
 * @param name of the file, where it is another CD than boot2docker's
 */
export async function provideBootIso(
  context: DriverContext,
  source: IsoSource,
  prefix: string,
  signal: AbortSignal,
  name: string = bootIsoName,
): Promise<string> {
  const file = path.join(context.machineDir, name);
  if ((await factsOf(file)) === undefined) {
    // Under its name only once it is whole and checked.
    const arriving = `${file}.new`;
    await removeTree(arriving);
    await (isAddress(source.location) ? fetchIso(context, source, prefix, arriving, signal) : copyIso(source, arriving, signal));
    await requireIso(arriving, source.location, prefix);
    await renameFile(arriving, file);
  }
  return file;
}

function isAddress(location: string): boolean {
  return /^https?:\/\//u.test(location);
}

async function copyIso({ location, checksum }: IsoSource, to: string, signal: AbortSignal): Promise<void> {
  const facts = await factsOf(location);
  if (facts === undefined || facts.isDirectory)
    throw new MachineError("image-unusable", `The CD ${location} ${facts === undefined ? "does not exist" : "is a folder"}`, {
      hint: "Give the path or the address of a boot2docker.iso.",
    });
  await copyLarge(location, to);
  if (checksum === undefined || "listUrl" in checksum) return;
  const digest = await hashFile(to, checksum.algorithm, signal);
  if (digest === checksum.hex) return;
  throw new MachineError("image-unusable", `${location} has the wrong ${checksum.algorithm} checksum: ${digest}`, {
    hint: `Expected was ${checksum.hex}.`,
  });
}

async function fetchIso(
  context: DriverContext,
  source: IsoSource,
  prefix: string,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const { report, clock, computer } = context;
  const downloadContext = { report, clock, signal, env: computer.env };
  if (to.includes(bootIsoName))
    logTo(
      report,
      "info",
      `Boot2Docker URL was explicitly set to ${JSON.stringify(source.location)} at create time, so Docker Machine cannot upgrade this machine to the latest version.`,
    );
  const url = await releaseAsset(source.location, downloadContext);
  const checksum = await expectedChecksum(source, url, downloadContext);
  if (checksum === undefined && url.startsWith("http:") && !isLoopback(url)) throw unprotected(url, prefix);
  const what = path.posix.basename(new URL(url).pathname);
  const arrived = await inPhase(
    context,
    `Downloading ${what}`,
    async () => await download({ url, file: to, checksum, what }, downloadContext),
  );
  if (checksum === undefined)
    logTo(
      report,
      "info",
      `${what} has the checksum ${arrived.algorithm}:${arrived.hex}; give it with --${prefix}-image-checksum to have it checked.`,
    );
}

function isLoopback(url: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/u.test(new URL(url).hostname);
}

async function expectedChecksum(
  { checksum }: IsoSource,
  url: string,
  downloadContext: DownloadContext,
): Promise<Checksum | undefined> {
  if (checksum === undefined || !("listUrl" in checksum)) return checksum;
  return await checksumFromList(checksum.listUrl, url, downloadContext);
}

function unprotected(url: string, prefix: string): MachineError {
  return new MachineError(
    "download-failed",
    `${url} is not downloaded: by plain http anyone on the way could put in another CD`,
    {
      hint: `Give an https address, or its checksum with --${prefix}-image-checksum sha256:HEX.`,
    },
  );
}

/** The releases of a repository by GitHub's API, or by that of a GitHub of one's own. */
const releasesApi = /^(https?):\/\/([^/]+)(?:\/api\/v3)?\/repos\/([^/]+)\/([^/]+)\/releases(?:\/|$)/u;

/** The address itself, unless it is that of releases: then that of the CD in the newest one. */
async function releaseAsset(address: string, downloadContext: DownloadContext): Promise<string> {
  const found = releasesApi.exec(address);
  if (found === null) return address;
  const [, scheme, host = "", owner, repository] = found;
  const tag = newestTag(await fetchText(address, releaseBytes, downloadContext));
  if (tag === undefined)
    throw new MachineError(
      "download-failed",
      "failure getting a version tag from the Github API response (are you getting rate limited by Github?)",
      { hint: "Try again later, or give the address of the CD itself." },
    );
  const site = host === "api.github.com" ? "github.com" : host;
  return `${scheme}://${site}/${owner}/${repository}/releases/download/${encodeURIComponent(tag)}/${bootIsoName}`;
}

interface Release {
  readonly tag_name?: unknown;
  readonly prerelease?: unknown;
}

/** Of one release, or of a list of them, newest first. */
function newestTag(text: string): string | undefined {
  try {
    const answer = JSON.parse(text) as Release | readonly (Release | null)[] | null;
    const newest = Array.isArray(answer) ? answer.find((release) => release?.prerelease !== true) : answer;
    const tag: unknown = (newest as Release | null | undefined)?.tag_name;
    return typeof tag === "string" && tag !== "" ? tag : undefined;
  } catch {
    return undefined;
  }
}

async function requireIso(file: string, name: string, prefix: string): Promise<void> {
  const head = await headOf(file, descriptorOffset + 6);
  if (head.toString("latin1", descriptorOffset + 1, descriptorOffset + 6) === "CD001") return;
  await removeTree(file);
  throw new MachineError("image-unusable", `${name} is no CD image`, {
    hint: `Give --${prefix}-boot2docker-url the path or the address of a boot2docker.iso; disks are given with --${prefix}-image.`,
  });
}
