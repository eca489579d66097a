/**
 * The store's cache of machine images, by content. A machine links what it needs, so the cache may be emptied at any
 * time. One process at a time builds or downloads an image; the others wait for it.
 */
import * as path from "node:path";
import { lockCached } from "../../driver-kit/cache-lock.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { copyLarge, factsOf, hashFile, listFolder, makeReadOnly, publishFolder, removeTree } from "../../system/disk-files.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { download, fetchText, findChecksum, type Checksum, type DownloadContext } from "../../system/http.ts";
import { buildDigest, buildImage } from "./build-image.ts";
import { inspectDisk, requireBootable } from "./image-check.ts";
import { buildSuites, type ImageSource } from "./image-source.ts";
import { imageFiles, loadImage, type GuestArch, type Image, type ImageFacts } from "./image.ts";

/** Debian's own cloud images: small, current, and with cloud-init. */
const cloudImages: Readonly<Record<GuestArch, string>> = {
  x64: "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2",
  arm64: "https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-arm64.qcow2",
};

const lockedWork = {
  what: "The machine image",
  purpose: "prepare a machine image",
  holderDoes: "prepares the same image",
};
const listBytes = 1024 * 1024;
/** Without a network the default image is built here, so its absence must show soon. */
const defaultImageTimeoutMs = 8_000;

export interface ImageWish {
  readonly source: ImageSource;
  readonly arch: GuestArch;
  /** Mirror for `build`, or "". */
  readonly mirror: string;
  /** Take nothing from the cache. */
  readonly refresh: boolean;
}

export class ImageCache {
  readonly #context: DriverContext;
  readonly #folder: string;

  constructor(context: DriverContext) {
    this.#context = context;
    this.#folder = path.join(context.cacheDir, "qemu", "images");
  }

  /** The image, made or fetched if it is not there. Throws `image-unusable`, `download-failed`, `program-missing`, `disk-full`. */
  async provide(wish: ImageWish, signal: AbortSignal): Promise<Image> {
    switch (wish.source.kind) {
      case "build":
        return await this.#build(wish, wish.source.suite, signal);
      case "file":
        return await this.#import(wish, wish.source.file, signal);
      case "url":
        return await this.#download(wish, wish.source.url, wish.source.checksum, this.#downloadContext(signal), signal);
      case "default":
        return await this.#default(wish, signal);
    }
  }

  /** Whatever is in the cache already comes first: a second machine must not need the network. */
  async #default(wish: ImageWish, signal: AbortSignal): Promise<Image> {
    const url = cloudImages[wish.arch];
    const cached = wish.refresh
      ? undefined
      : ((await this.#cachedDownload(url)) ?? (await this.#cachedBuild(wish, buildSuites[0])));
    if (cached !== undefined) return cached;
    try {
      const downloadContext = { ...this.#downloadContext(signal), idleTimeoutMs: defaultImageTimeoutMs };
      return await this.#download(wish, url, { listUrl: new URL("SHA512SUMS", url).href }, downloadContext, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isMachineError(error, "download-failed")) throw error;
      logTo(
        this.#context.report,
        "info",
        `Debian's cloud image cannot be had (${error.message}); an image is built here instead.`,
      );
      return await this.#build(wish, buildSuites[0], signal);
    }
  }

  async #cachedBuild(wish: ImageWish, suite: string): Promise<Image | undefined> {
    return await loadImage(path.join(this.#folder, buildDigest({ suite, arch: wish.arch, mirror: wish.mirror })));
  }

  async #build(wish: ImageWish, suite: string, signal: AbortSignal): Promise<Image> {
    const request = { suite, arch: wish.arch, mirror: wish.mirror };
    const { processes, report, clock, computer } = this.#context;
    const downloadContext = { processes, report, clock, signal, isRoot: computer.uid === 0 };
    return await this.#once(buildDigest(request), wish.refresh, signal, async (folder) => {
      await buildImage(request, folder, downloadContext);
    });
  }

  async #import(wish: ImageWish, file: string, signal: AbortSignal): Promise<Image> {
    const facts = await factsOf(file);
    if (facts === undefined || facts.isDirectory) {
      throw new MachineError("image-unusable", `The image ${file} ${facts === undefined ? "does not exist" : "is a folder"}`);
    }
    // Hashing takes seconds; name, size and time tell well enough that a file is the one seen before.
    const digest = await this.#remembered(
      JSON.stringify([file, facts.sizeBytes, facts.modifiedMs]),
      async () => `sha256-${await hashFile(file, "sha256", signal)}`,
    );
    return await this.#once(digest, false, signal, async (folder) => {
      await copyLarge(file, path.join(folder, imageFiles.disk));
      await this.#describe(folder, digest, path.basename(file), wish.arch, signal);
    });
  }

  async #download(
    wish: ImageWish,
    url: string,
    expected: Checksum | { readonly listUrl: string },
    downloadContext: DownloadContext,
    signal: AbortSignal,
  ): Promise<Image> {
    if ("listUrl" in expected && !wish.refresh) {
      const cached = await this.#cachedDownload(url);
      if (cached !== undefined) return cached;
    }
    const checksum = "listUrl" in expected ? await checksumFromList(expected.listUrl, url, downloadContext) : expected;
    const digest = `${checksum.algorithm}-${checksum.hex}`;
    const image = await this.#once(digest, false, signal, async (folder) => {
      const what = path.posix.basename(new URL(url).pathname);
      // Kept outside the folder, which a failure removes: a broken download is resumed.
      const file = path.join(this.#folder, "downloads", `${digest}.img`);
      await inPhase(
        this.#context,
        `Downloading ${what}`,
        async () => await download({ url, file, checksum, what }, downloadContext),
      );
      await copyLarge(file, path.join(folder, imageFiles.disk));
      await this.#describe(folder, digest, what, wish.arch, signal);
      await removeTree(file);
    });
    await this.#remember(url, digest);
    return image;
  }

  /** Finds out what was brought and writes it down. */
  async #describe(folder: string, digest: string, title: string, arch: GuestArch, signal: AbortSignal): Promise<void> {
    const disk = { file: path.join(folder, imageFiles.disk), name: title };
    const { format, virtualSizeBytes } = await inspectDisk(this.#context.processes, disk, signal);
    await requireBootable(this.#context.processes, disk, format, arch, signal);
    const facts: ImageFacts = { digest, title, arch, format, virtualSizeBytes, boot: "firmware", identity: "cloud-init" };
    await writeFileAtomic(path.join(folder, imageFiles.facts), `${JSON.stringify(facts, null, 2)}\n`, 0o600);
  }

  /** Fills the image's folder unless it is there, one process at a time. */
  async #once(digest: string, anew: boolean, signal: AbortSignal, fill: (folder: string) => Promise<void>): Promise<Image> {
    const folder = path.join(this.#folder, digest);
    const before = anew ? undefined : await loadImage(folder);
    if (before !== undefined) return before;
    await makePrivateDirectory(this.#folder);
    await using _lock = await this.#lock(digest, signal);
    const meanwhile = anew ? undefined : await loadImage(folder);
    if (meanwhile !== undefined) return meanwhile;
    await this.#removeLeftovers(digest);
    await publishFolder(folder, async (temporary) => {
      await fill(temporary);
      await makeReadOnly(path.join(temporary, imageFiles.disk));
      if (anew) await removeTree(folder);
    });
    const image = await loadImage(folder);
    if (image === undefined)
      throw new MachineError("image-unusable", `The image in ${folder} is incomplete`, {
        hint: "Remove the folder and run the command again.",
      });
    return image;
  }

  async #lock(digest: string, signal: AbortSignal): Promise<AsyncDisposable> {
    return await lockCached(this.#context, path.join(this.#folder, `${digest}.lock`), lockedWork, signal);
  }

  /** What a killed process left; safe under the lock. */
  async #removeLeftovers(digest: string): Promise<void> {
    for (const name of await listFolder(this.#folder)) {
      if (name.startsWith(`${digest}.tmp-`)) await removeTree(path.join(this.#folder, name));
    }
  }

  async #cachedDownload(url: string): Promise<Image | undefined> {
    const digest = (await this.#notes())[url];
    return digest === undefined ? undefined : await loadImage(path.join(this.#folder, digest));
  }

  async #remembered(key: string, find: () => Promise<string>): Promise<string> {
    const known = (await this.#notes())[key];
    if (known !== undefined) return known;
    const found = await find();
    await this.#remember(key, found);
    return found;
  }

  /** Which digest a URL or a file had. Only a shortcut: a lost or stale note costs time. */
  async #notes(): Promise<Readonly<Record<string, string>>> {
    const bytes = await readFileIfExists(path.join(this.#folder, "known.json"));
    try {
      return bytes === undefined ? {} : (JSON.parse(bytes.toString("utf8")) as Record<string, string>);
    } catch {
      return {};
    }
  }

  async #remember(key: string, digest: string): Promise<void> {
    await makePrivateDirectory(this.#folder);
    const notes = { ...(await this.#notes()), [key]: digest };
    await writeFileAtomic(path.join(this.#folder, "known.json"), `${JSON.stringify(notes, null, 2)}\n`, 0o600);
  }

  #downloadContext(signal: AbortSignal): DownloadContext {
    return { report: this.#context.report, clock: this.#context.clock, signal, env: this.#context.computer.env };
  }
}

async function checksumFromList(listUrl: string, url: string, downloadContext: DownloadContext): Promise<Checksum> {
  const name = path.posix.basename(new URL(url).pathname);
  const checksum = findChecksum(await fetchText(listUrl, listBytes, downloadContext), name);
  if (checksum !== undefined) return checksum;
  throw new MachineError("download-failed", `${listUrl} does not list ${name}`);
}
