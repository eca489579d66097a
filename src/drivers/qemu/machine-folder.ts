/**
 * The files a guest is started from, put into its folder. All it needs of an image or a saved state gets a second name
 * there, so that it lives on when the cache is emptied; its own disk is an overlay of those.
 */
import * as path from "node:path";
import type { GuestIdentity } from "../../driver-kit/guest/guest-identity.ts";
import { seedImage, writeSeed } from "../../driver-kit/guest/nocloud.ts";
import { MachineError, systemCodeOf } from "../../errors/machine-error.ts";
import { factsOf, linkOrCopy, listFolder, removeTree } from "../../system/disk-files.ts";
import { writeFileAtomic } from "../../system/files.ts";
import type { ProcessRunner } from "../../system/process.ts";
import { credentialFile, instanceFiles, shareSocket } from "./qemu-arguments.ts";
import { cloudInitTemplateSeed, credentialStrings } from "./identity.ts";
import { qemuImageFiles, type QemuImage, type QemuImageFacts } from "./image.ts";

const toolTimeoutMs = 60_000;

/** Links the image and makes the overlay. `stateDisk` is a saved state's disk, itself an overlay of the image's. */
export async function layOutDisk(
  processes: ProcessRunner,
  folder: string,
  image: QemuImage,
  diskMiB: number,
  stateDisk: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const sizeBytes = diskMiB * 1024 * 1024;
  if (sizeBytes < image.virtualSizeBytes) {
    throw new MachineError(
      "driver-options",
      `--qemu-disk-size ${diskMiB} is smaller than the image: it needs ${Math.ceil(image.virtualSizeBytes / 1024 / 1024)}`,
    );
  }
  await takeFromCache(path.join(image.folder, qemuImageFiles.disk), path.join(folder, instanceFiles.base));
  if (image.boot === "kernel") {
    await takeFromCache(path.join(image.folder, qemuImageFiles.kernel), path.join(folder, instanceFiles.kernel));
    await takeFromCache(path.join(image.folder, qemuImageFiles.initrd), path.join(folder, instanceFiles.initrd));
  }
  if (stateDisk !== undefined) await takeFromCache(stateDisk, path.join(folder, instanceFiles.state));
  const [backing, format] = stateDisk === undefined ? [instanceFiles.base, image.format] : [instanceFiles.state, "qcow2"];
  const args = ["create", "-q", "-f", "qcow2", "-b", backing, "-F", format, instanceFiles.disk, String(sizeBytes)];
  const result = await processes.run("qemu-img", args, { cwd: folder, signal, timeoutMs: toolTimeoutMs });
  if (result.status !== 0)
    throw new MachineError("image-unusable", `The disk cannot be made: ${result.stderr.toString("utf8").trim()}`);
}

/** Gives a file of the cache a second name. Throws `image-unusable` when somebody has emptied the cache meanwhile. */
export async function takeFromCache(from: string, to: string): Promise<void> {
  await linkOrCopy(from, to).catch((error: unknown) => {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    throw new MachineError("image-unusable", `${from} was removed from the cache while a machine was made of it`, {
      cause: error,
      hint: "Run the command again: what is missing is made anew.",
    });
  });
}

/** What the guest reads its identity from on a cold boot. */
export interface IdentityFiles {
  readonly hasSeed: boolean;
  readonly credentialCount: number;
}

/** Writes the identity for the way the image takes it. Mode 0600: it holds the private host key. */
export async function writeIdentity(
  folder: string,
  form: QemuImageFacts["identity"],
  identity: GuestIdentity,
  instanceId: string,
  mounts: readonly (readonly string[])[],
): Promise<void> {
  if (form === "cloud-init") {
    await writeSeed(path.join(folder, instanceFiles.seed), { identity, instanceId, mounts, keepsImageUser: false });
    return;
  }
  for (const [index, text] of credentialStrings(identity).entries())
    await writeFileAtomic(path.join(folder, credentialFile(index)), text, 0o600);
}

/** The seed of a guest whose state is saved: it belongs to nobody and has the agent through which it gets an identity. */
export function templateSeed(instanceId: string): Buffer {
  return seedImage(cloudInitTemplateSeed(instanceId));
}

export async function identityFiles(folder: string): Promise<IdentityFiles> {
  let credentialCount = 0;
  while ((await factsOf(path.join(folder, credentialFile(credentialCount)))) !== undefined) credentialCount++;
  return { hasSeed: (await factsOf(path.join(folder, instanceFiles.seed))) !== undefined, credentialCount };
}

/** Removes every file that starting a guest may have left in the folder, but for those to keep. */
export async function clearFolder(folder: string, keep: readonly string[] = []): Promise<void> {
  const ours = new RegExp(
    `^(?:${[...Object.values(instanceFiles), credentialFile("\\d+"), shareSocket("\\d+")].join("|")})$`,
    "u",
  );
  for (const name of await listFolder(folder)) {
    if (ours.test(name) && !keep.includes(name)) await removeTree(path.join(folder, name));
  }
}
