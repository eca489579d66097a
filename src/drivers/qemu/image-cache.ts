/** The images that QEMU machines start from: built here, or provided by the kit for any hypervisor. */
import * as path from "node:path";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { findDiskImage, provideDiskImage, type DiskImage, type DiskImageWish } from "../../driver-kit/images/disk-image.ts";
import type { GuestArch } from "../../driver-kit/images/guest-arch.ts";
import { ImageFolders } from "../../driver-kit/images/image-folders.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { buildDigest, buildImage } from "./build-image.ts";
import { buildSuites, type QemuImageSource } from "./image-source.ts";
import { qemuImageFiles, type QemuImage, type QemuImageFacts } from "./image.ts";

/** Without a network the default image is built here, so its absence must show soon. */
const defaultImageTimeoutMs = 8_000;

export interface ImageWish {
  readonly source: QemuImageSource;
  readonly arch: GuestArch;
  /** Mirror for `build`, or "". */
  readonly mirror: string;
  /** Take nothing from the cache. */
  readonly refresh: boolean;
}

/** The image, made or fetched if it is not there. Throws `image-unusable`, `download-failed`, `program-missing`, `disk-full`. */
export async function provideImage(context: DriverContext, wish: ImageWish, signal: AbortSignal): Promise<QemuImage> {
  const { source, arch, refresh } = wish;
  if (source.kind === "build") return await build(context, wish, source.suite, signal);
  const diskWish = { source, arch, refresh, flavour: "genericcloud", prefix: "qemu" } as const;
  if (source.kind !== "default") return ofDisk(await provideDiskImage(context, diskWish, signal));
  return await provideDefault(context, wish, diskWish, signal);
}

/** Whatever is in the cache already comes first: a second machine must not need the network. */
async function provideDefault(
  context: DriverContext,
  wish: ImageWish,
  diskWish: DiskImageWish,
  signal: AbortSignal,
): Promise<QemuImage> {
  const suite = buildSuites[0];
  const disk = await findDiskImage(context, diskWish, signal);
  if (disk !== undefined) return ofDisk(disk);
  const built = wish.refresh ? undefined : await builtImages(context).find(buildDigest({ ...wish, suite }), signal);
  if (built !== undefined) return built;
  try {
    return ofDisk(await provideDiskImage(context, { ...diskWish, idleTimeoutMs: defaultImageTimeoutMs }, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error, "download-failed")) throw error;
    logTo(context.report, "info", `Debian's cloud image cannot be had (${error.message}); an image is built here instead.`);
    return await build(context, wish, suite, signal);
  }
}

function ofDisk({ file, ...facts }: DiskImage): QemuImage {
  return { ...facts, folder: path.dirname(file), boot: "firmware", identity: "cloud-init" };
}

async function build(context: DriverContext, wish: ImageWish, suite: string, signal: AbortSignal): Promise<QemuImage> {
  const { processes, report, clock, computer } = context;
  const request = { suite, arch: wish.arch, mirror: wish.mirror };
  const buildContext = { processes, report, clock, signal, isRoot: computer.uid === 0 };
  return await builtImages(context).provide(
    buildDigest(request),
    wish.refresh,
    signal,
    async (folder) => await buildImage(request, folder, buildContext),
  );
}

function builtImages(context: DriverContext): ImageFolders<QemuImageFacts> {
  return new ImageFolders(context, path.join(context.cacheDir, "qemu", "images"), Object.values(qemuImageFiles));
}
