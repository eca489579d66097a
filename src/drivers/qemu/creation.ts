/**
 * How a `qemu` machine comes into being: image, accelerator, identity, and a start, from a saved state where there can
 * be one. Everything chosen is recorded before it is acted upon, so that a crash leaves nothing that cannot be found.
 */
import { randomBytes, randomUUID } from "node:crypto";
import * as path from "node:path";
import { forgetHostKeys, newGuestIdentity, publicHalves } from "../../driver-kit/guest/guest-identity.ts";
import { requireMemoryHere } from "../../driver-kit/sizes.ts";
import { requireSharedFolder } from "../../driver-kit/guest/shared-folder.ts";
import { guestArch } from "../../driver-kit/images/guest-arch.ts";
import { requireImageFile } from "../../driver-kit/images/image-check.ts";
import { requireRootfsPrograms } from "../../driver-kit/images/debian-rootfs.ts";
import type { DriverContext, PreparedEngine } from "../../driver-kit/driver.ts";
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { requireFreeBytes } from "../../system/disk-files.ts";
import { bootsDisk, bootsKernel, chooseAccelerator } from "./accelerator.ts";
import { qemuProgram, type Accelerator, type LaunchSpec } from "./qemu-arguments.ts";
import type { QemuConfig } from "./config.ts";
import { sizeFlags } from "./options.ts";
import type { QemuIdentity } from "./identity.ts";
import { provideImage } from "./image-cache.ts";
import { parseQemuImage } from "./image-source.ts";
import { qemuImageFiles, type QemuImage } from "./image.ts";
import { Instance, type InstanceContext } from "./instance.ts";
import { cloudInitMounts, launchSpec } from "./launch-spec.ts";
import { clearFolder, identityFiles, layOutDisk, writeIdentity } from "./machine-folder.ts";
import { choosePorts, openPorts, requireFreePorts } from "./machine-ports.ts";
import { chooseShareMethod, findFirmware, requireQemu, type ShareMethod } from "./programs.ts";
import { SavedStates, type SavedState } from "./saved-state.ts";
import { startShareDaemons } from "./share-daemon.ts";
import { parseSharedFolder } from "./shared-folder.ts";

/** What creation is given by the driver. */
export interface Workplace {
  readonly context: DriverContext;
  readonly config: QemuConfig;
  readonly instanceContext: InstanceContext;
}

/** The machine's process and folder, by the id that the configuration has now. */
function instanceOf({ context, config, instanceContext }: Workplace): Instance {
  return new Instance(context.machineDir, config.InstanceId, instanceContext);
}

/** A disk that has been written to a little, and the logs. */
const freshMachineBytes = 512 * 1024 * 1024;
/** For ending what was begun, on the way out. */
export const cleanUpTimeoutMs = 30_000;

/** What can be known before anything is made. Throws `program-missing`, `image-unusable`, `driver-options`, `port-taken`, `disk-full`. */
export async function checkBeforeCreate(place: Workplace, _signal: AbortSignal): Promise<void> {
  const { context, config } = place;
  const source = parseQemuImage(config, context.computer.cwd);
  requireMemoryHere(sizeFlags.memoryMiB, config.Memory, context.computer);
  await requireQemu(context, guestArch(context.computer.arch, "qemu"));
  if (source.kind === "build") await requireRootfsPrograms(context.processes);
  await requireImageFile(source);
  for (const { folder } of config.ShareFolders.map(parseSharedFolder)) await requireSharedFolder(folder);
  if (config.ShareFolders.length > 0) await chooseShareMethod(context, source.kind !== "build");
  await requireFreePorts(config);
  await requireFreeBytes(context.storePath, freshMachineBytes, "A machine");
}

/**
 * Makes and starts the machine; what an earlier attempt left is thrown away first, for nobody has used it. Gives the
 * engine that the machine came with, if it started from a state with one.
 */
export async function createInstance(place: Workplace, signal: AbortSignal): Promise<PreparedEngine | undefined> {
  const { context, config } = place;
  await instanceOf(place).end(signal);
  await clearFolder(context.machineDir);
  config.InstanceId = randomUUID();
  await choosePorts(config);
  await context.save();
  const qemuVersion = await requireQemu(context, guestArch(context.computer.arch, "qemu"));
  const image = await chooseImage(place, signal);
  if (config.Accelerator === "auto") config.Accelerator = await fastestAccelerator(place, image, qemuVersion, signal);
  const identity = await newIdentity(place);
  await context.save();
  try {
    const engine = await bringToLife(place, image, identity, qemuVersion, signal);
    config.Created = true;
    await context.save();
    await forgetHostKeys(context);
    return engine;
  } catch (error) {
    await instanceOf(place).end(AbortSignal.timeout(cleanUpTimeoutMs));
    throw error;
  }
}

async function chooseImage(place: Workplace, signal: AbortSignal): Promise<QemuImage> {
  const { context, config } = place;
  const source = parseQemuImage(config, context.computer.cwd);
  const arch = guestArch(context.computer.arch, "qemu");
  const image = await provideImage(context, { source, arch, mirror: config.ImageMirror, refresh: config.ImageRefresh }, signal);
  config.ImageDigest = image.digest;
  config.Boot = image.boot;
  config.Identity = image.identity;
  logTo(context.report, "debug", `Image: ${image.title} (${image.digest})`);
  return image;
}

async function fastestAccelerator(
  place: Workplace,
  image: QemuImage,
  qemuVersion: string,
  signal: AbortSignal,
): Promise<Accelerator> {
  const { context } = place;
  return await chooseAccelerator(context, qemuVersion, async (accelerator) => {
    if (image.boot === "kernel")
      return await bootsKernel(
        context,
        qemuProgram(image.arch),
        accelerator,
        path.join(image.folder, qemuImageFiles.kernel),
        signal,
      );
    return await bootsDisk(context, place.instanceContext, image, await findFirmware(image.arch), accelerator, signal);
  });
}

async function newIdentity(place: Workplace): Promise<QemuIdentity> {
  const { context, config } = place;
  const { identity, sshKeyPath } = await newGuestIdentity(context, config.SSHUser, ["ed25519"]);
  config.SSHKeyPath = sshKeyPath;
  config.HostKey = publicHalves(identity.hostKeys)[0] ?? "";
  return { ...identity, machineId: randomBytes(16).toString("hex") };
}

async function bringToLife(
  place: Workplace,
  image: QemuImage,
  identity: QemuIdentity,
  qemuVersion: string,
  signal: AbortSignal,
): Promise<PreparedEngine | undefined> {
  const { context, config } = place;
  const states = new SavedStates(context, place.instanceContext);
  const state = await savedState(place, states, image, qemuVersion, signal);
  if (state !== undefined && (await tryToRestore(place, states, state, image, identity, signal))) return state.engine;
  await layOutDisk(context.processes, context.machineDir, image, config.DiskSize, undefined, signal);
  await writeMachineIdentity(place, image, identity);
  await startCold(place, signal, true);
  return undefined;
}

async function writeMachineIdentity(place: Workplace, image: QemuImage, identity: QemuIdentity): Promise<void> {
  const mounts = cloudInitMounts(place.config, await shareMethod(place));
  await writeIdentity(place.context.machineDir, image.identity, identity, place.config.InstanceId, mounts);
}

/** The state to start from, or undefined where the machine is to boot. */
async function savedState(
  place: Workplace,
  states: SavedStates,
  image: QemuImage,
  qemuVersion: string,
  signal: AbortSignal,
): Promise<SavedState | undefined> {
  const { config, context } = place;
  if (config.SaveState === "off" || config.ShareFolders.length > 0 || context.computer.os === "windows") return undefined;
  const required = config.SaveState === "on";
  const engine = await context.engineTemplate?.();
  const wish = { image, launch: await stateSpec(place, image), diskMiB: config.DiskSize, qemuVersion, engine };
  try {
    return await states.provide(wish, required, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (required || !isMachineError(error)) throw error;
    logTo(context.report, "warn", `No state of the image could be saved (${messageOf(error)}); the machine boots instead.`);
    return undefined;
  }
}

/** As the machine is launched later, but without what makes it this machine; a seed's device must be there all the same. */
async function stateSpec(place: Workplace, image: QemuImage): Promise<LaunchSpec> {
  return await specOf(place, { hasSeed: image.identity === "cloud-init", credentialCount: 0 }, false);
}

/** False when the state turned out to be unusable; it is then gone, and so is all that was begun with it. */
async function tryToRestore(
  place: Workplace,
  states: SavedStates,
  state: SavedState,
  image: QemuImage,
  identity: QemuIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  const { context, config } = place;
  const instance = instanceOf(place);
  try {
    await layOutDisk(context.processes, context.machineDir, image, config.DiskSize, state.disk, signal);
    await writeMachineIdentity(place, image, identity);
    await states.restore(state, instance, await stateSpec(place, image), identity, signal);
    await using monitor = await instance.monitor(signal);
    await openPorts(context, config, monitor);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error) || isMachineError(error, "port-taken") || isMachineError(error, "disk-full")) throw error;
    await instance.end(AbortSignal.timeout(cleanUpTimeoutMs));
    await clearFolder(context.machineDir);
    await states.discard(state, error);
    return false;
  }
}

/** Boots the machine from its disk and opens its ports before it runs. A failure leaves no process. */
export async function startCold(place: Workplace, signal: AbortSignal, firstBoot: boolean): Promise<void> {
  const { context, config } = place;
  const instance = instanceOf(place);
  const spec = await specOf(place, await identityFiles(context.machineDir), firstBoot);
  using daemons = await startShareDaemons(
    context,
    place.instanceContext.processTable,
    instance,
    spec.shares,
    await shareMethod(place),
    signal,
  );
  try {
    await using monitor = await instance.launch(spec, signal);
    await openPorts(context, config, monitor);
    await monitor.execute("cont");
  } catch (error) {
    await instance.end(AbortSignal.timeout(cleanUpTimeoutMs));
    throw error;
  }
  daemons.keep();
}

/** How the machine is launched as it is configured now. */
export async function specOf(
  place: Workplace,
  identity: { readonly hasSeed: boolean; readonly credentialCount: number },
  firstBoot: boolean,
): Promise<LaunchSpec> {
  const { context, config } = place;
  const arch = guestArch(context.computer.arch, "qemu");
  return launchSpec(config, {
    arch,
    identity,
    firstBoot,
    windows: context.computer.os === "windows",
    firmware: config.Boot === "firmware" ? await findFirmware(arch) : undefined,
    shareMethod: await shareMethod(place),
  });
}

async function shareMethod(place: Workplace): Promise<ShareMethod> {
  if (place.config.ShareFolders.length === 0) return { by: "9p" };
  return await chooseShareMethod(place.context, place.config.Boot !== "kernel");
}
