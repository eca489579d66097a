/** The disk that a guest starts from, brought into the store's cache and checked: Debian's, a file, or a download. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { copyLarge, factsOf, hashFile, removeTree } from "../../system/disk-files.ts";
import { download, fetchText, findChecksum, type Checksum, type DownloadContext } from "../../system/http.ts";
import type { DriverContext } from "../driver.ts";
import { inPhase } from "../phase.ts";
import { archNames, type GuestArch } from "./guest-arch.ts";
import { examineDisk } from "./image-check.ts";
import { imageFiles, ImageFolders, type ImageFacts, type Stored } from "./image-folders.ts";
import type { DiskSource, ExpectedChecksum } from "./image-source.ts";

/** `generic` has the drivers of every kind of hardware; `genericcloud` is smaller and knows only what hypervisors offer. */
export type ImageFlavour = "generic" | "genericcloud";

export interface DiskImageWish {
  readonly source: DiskSource;
  readonly arch: GuestArch;
  /** Of Debian's image; means nothing for others. */
  readonly flavour: ImageFlavour;
  /** Ask again what the address of an image has now. */
  readonly refresh: boolean;
  /** The driver's name: messages name its flags. */
  readonly prefix: string;
  /** Bound on reaching the server and on its silence; by default that of downloads. */
  readonly idleTimeoutMs?: number | undefined;
}

/** A disk with a boot loader and cloud-init. It must not be written; who keeps it links or copies it. */
export interface DiskImage extends ImageFacts {
  readonly file: string;
}

const listBytes = 1024 * 1024;

/**
 * The image, fetched if it is not in the cache, or not as it was left there. One process fetches, the others wait.
 * Throws `image-unusable`, `download-failed`, `disk-full`, `machine-busy`, or the signal's reason.
 */
export async function provideDiskImage(context: DriverContext, wish: DiskImageWish, signal: AbortSignal): Promise<DiskImage> {
  return withFile(await new DiskImages(context, wish, signal).provide());
}

/** The image as far as it is in the cache and needs no network. */
export async function findDiskImage(
  context: DriverContext,
  wish: DiskImageWish,
  signal: AbortSignal,
): Promise<DiskImage | undefined> {
  const found = await new DiskImages(context, wish, signal).find();
  return found === undefined ? undefined : withFile(found);
}

function withFile({ folder, ...facts }: Stored<ImageFacts>): DiskImage {
  return { ...facts, file: path.join(folder, imageFiles.disk) };
}

/** Debian's own cloud images: small, current, and with cloud-init. */
function debianImage({ flavour, arch }: DiskImageWish): string {
  return `https://cloud.debian.org/images/cloud/trixie/latest/debian-13-${flavour}-${archNames[arch].debian}.qcow2`;
}

class DiskImages {
  readonly #context: DriverContext;
  readonly #wish: DiskImageWish;
  readonly #signal: AbortSignal;
  readonly #folders: ImageFolders<ImageFacts>;

  constructor(context: DriverContext, wish: DiskImageWish, signal: AbortSignal) {
    this.#context = context;
    this.#wish = wish;
    this.#signal = signal;
    this.#folders = new ImageFolders(context, path.join(context.cacheDir, "images"));
  }

  async provide(): Promise<Stored<ImageFacts>> {
    const { source } = this.#wish;
    if (source.kind === "file") return await this.#import(source.file);
    const { url, checksum } = addressOf(source, this.#wish);
    return (await this.find()) ?? (await this.#download(url, checksum));
  }

  /** An image whose checksum is given is known by it; of others the last answer counts until `refresh`. */
  async find(): Promise<Stored<ImageFacts> | undefined> {
    const { source, refresh } = this.#wish;
    if (source.kind === "file") return undefined;
    const { url, checksum } = addressOf(source, this.#wish);
    if (!("listUrl" in checksum)) return await this.#folders.find(digestOf(checksum), this.#signal);
    const digest = refresh ? undefined : await this.#folders.digestOf(url);
    return digest === undefined ? undefined : await this.#folders.find(digest, this.#signal);
  }

  async #import(file: string): Promise<Stored<ImageFacts>> {
    const facts = await factsOf(file);
    if (facts === undefined || facts.isDirectory)
      throw new MachineError("image-unusable", `The image ${file} ${facts === undefined ? "does not exist" : "is a folder"}`);
    // Hashing takes seconds; name, size and time tell well enough that a file is the one seen before.
    const key = JSON.stringify([file, facts.sizeBytes, facts.modifiedMs]);
    const known = await this.#folders.digestOf(key);
    const digest = known ?? `sha256-${await hashFile(file, "sha256", this.#signal)}`;
    if (known === undefined) await this.#folders.remember(key, digest);
    return await this.#folders.provide(digest, false, this.#signal, async (folder) => {
      await copyLarge(file, path.join(folder, imageFiles.disk));
      return await this.#examine(folder, digest, path.basename(file));
    });
  }

  async #download(url: string, expected: ExpectedChecksum): Promise<Stored<ImageFacts>> {
    const { report, clock, computer } = this.#context;
    const { idleTimeoutMs } = this.#wish;
    const downloadContext = { report, clock, signal: this.#signal, env: computer.env, idleTimeoutMs };
    const checksum = "listUrl" in expected ? await checksumFromList(expected.listUrl, url, downloadContext) : expected;
    const digest = digestOf(checksum);
    const image = await this.#folders.provide(digest, false, this.#signal, async (folder) => {
      const what = path.posix.basename(new URL(url).pathname);
      // Kept outside the folder, which a failure removes: a broken download is resumed.
      const file = path.join(this.#folders.folder, "downloads", `${digest}.img`);
      await inPhase(
        this.#context,
        `Downloading ${what}`,
        async () => await download({ url, file, checksum, what }, downloadContext),
      );
      await copyLarge(file, path.join(folder, imageFiles.disk));
      const facts = await this.#examine(folder, digest, what);
      await removeTree(file);
      return facts;
    });
    await this.#folders.remember(url, digest);
    return image;
  }

  /** Finds out what was brought. Throws `image-unusable` where a guest could not start from it. */
  async #examine(folder: string, digest: string, title: string): Promise<ImageFacts> {
    const { arch, prefix } = this.#wish;
    const disk = { file: path.join(folder, imageFiles.disk), name: title, prefix };
    const { format, virtualSizeBytes } = await examineDisk(this.#context.processes, disk, arch, this.#signal);
    return { digest, title, arch, format, virtualSizeBytes };
  }
}

function addressOf(
  source: Exclude<DiskSource, { kind: "file" }>,
  wish: DiskImageWish,
): { readonly url: string; readonly checksum: ExpectedChecksum } {
  if (source.kind === "url") return source;
  const url = debianImage(wish);
  return { url, checksum: { listUrl: new URL("SHA512SUMS", url).href } };
}

function digestOf(checksum: Checksum): string {
  return `${checksum.algorithm}-${checksum.hex}`;
}

/** What a list of checksums says of the file behind a URL. Throws `download-failed`. */
export async function checksumFromList(listUrl: string, url: string, downloadContext: DownloadContext): Promise<Checksum> {
  const name = path.posix.basename(new URL(url).pathname);
  const checksum = findChecksum(await fetchText(listUrl, listBytes, downloadContext), name);
  if (checksum !== undefined) return checksum;
  throw new MachineError("download-failed", `${listUrl} does not list ${name}`);
}
