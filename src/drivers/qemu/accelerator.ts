/**
 * Which accelerator really works. A device file proves nothing: there are kernels whose /dev/kvm opens, takes a guest,
 * and lets a stock kernel hang in its first second. So a kernel is booted, once for each QEMU and host kernel.
 */
import { randomUUID } from "node:crypto";
import * as os from "node:os";
import * as path from "node:path";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { accessTo, makeScratchFolder, removeTree } from "../../system/disk-files.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";
import { poll } from "../../system/waiting.ts";
import type { Accelerator, LaunchSpec } from "./qemu-arguments.ts";
import type { QemuImage } from "./image.ts";
import { Instance, type InstanceContext } from "./instance.ts";
import { layOutDisk } from "./machine-folder.ts";
import type { QmpClient } from "./qmp.ts";

/** Boots a kernel with the accelerator and tells whether it got anywhere. Bounded; throws only the signal's reason. */
export type BootProbe = (accelerator: Accelerator) => Promise<boolean>;

const candidates: Readonly<Record<Computer["os"], Accelerator>> = { linux: "kvm", darwin: "hvf", windows: "whpx" };
const kvmDevice = "/dev/kvm";

/** The fastest accelerator that passes the probe; `tcg`, which always works, when none does. */
export async function chooseAccelerator(context: DriverContext, qemuVersion: string, probe: BootProbe): Promise<Accelerator> {
  const candidate = candidates[context.computer.os];
  if (!(await mayTry(context, candidate))) return "tcg";
  const key = [candidate, qemuVersion, os.release()].join(" / ");
  const known = (await readVerdicts(context))[key];
  if (known !== undefined) return known ? candidate : "tcg";
  const name = candidate.toUpperCase();
  logTo(context.report, "info", `Checking whether ${name} boots a kernel here (once)...`);
  const works = await inPhase(context, `Trying ${name}`, async () => await probe(candidate));
  await writeVerdict(context, key, works);
  if (!works) logTo(context.report, "warn", `${name} is there but does not boot a kernel; machines are emulated, which is slow.`);
  return works ? candidate : "tcg";
}

async function mayTry(context: DriverContext, candidate: Accelerator): Promise<boolean> {
  if (candidate !== "kvm") return true;
  const access = await accessTo(kvmDevice);
  if (access === "denied") {
    logTo(
      context.report,
      "warn",
      `${kvmDevice} may not be opened, so machines are emulated, which is slow. To change that: sudo usermod -aG kvm ${context.computer.userName}`,
    );
  }
  return access === "granted";
}

function verdictFile(context: DriverContext): string {
  return path.join(context.cacheDir, "qemu", "accelerators.json");
}

async function readVerdicts(context: DriverContext): Promise<Readonly<Record<string, boolean>>> {
  try {
    const noted = JSON.parse((await readFileIfExists(verdictFile(context)))?.toString("utf8") ?? "{}") as object | null;
    return Object.fromEntries(Object.entries(noted ?? {}).filter(([, works]) => typeof works === "boolean"));
  } catch {
    return {};
  }
}

async function writeVerdict(context: DriverContext, key: string, works: boolean): Promise<void> {
  await makePrivateDirectory(path.dirname(verdictFile(context)));
  const verdicts = { ...(await readVerdicts(context)), [key]: works };
  await writeFileAtomic(verdictFile(context), `${JSON.stringify(verdicts, null, 2)}\n`, 0o600);
}

const kernelProbeMs = 20_000;

const consoles: Readonly<Record<string, string>> = { x64: "ttyS0", arm64: "ttyAMA0" };

/**
 * Boots a kernel that QEMU loads, without a disk: it must find its way to "no root file system" and, told so by
 * `panic=-1`, reset the machine, which ends QEMU.
 */
export async function bootsKernel(
  context: DriverContext,
  program: string,
  accelerator: Accelerator,
  kernel: string,
  signal: AbortSignal,
): Promise<boolean> {
  const machine = [
    "-machine",
    context.computer.arch === "x64" ? "q35" : "virt",
    "-accel",
    accelerator,
    "-cpu",
    "host",
    "-m",
    "256",
  ];
  const nothingElse = ["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"];
  const guest = ["-kernel", kernel, "-append", `console=${consoles[context.computer.arch] ?? ""} panic=-1`, "-serial", "stdio"];
  const hopeless = new AbortController();
  try {
    const result = await context.processes.run(program, [...machine, ...nothingElse, ...guest], {
      signal: AbortSignal.any([signal, hopeless.signal]),
      timeoutMs: kernelProbeMs,
      // The virtual CPU has stopped, but QEMU waits for someone to look at it.
      onStderr: (chunk) => chunk.includes("internal error") && hopeless.abort(),
    });
    return result.status === 0 && result.stdout.includes("Kernel panic - not syncing: VFS");
  } catch (error) {
    signal.throwIfAborted();
    if (hopeless.signal.aborted || isMachineError(error, "timeout")) return false;
    throw error;
  }
}

const diskProbeMs = 60_000;
const diskProbePollMs = 500;

/**
 * Boots an image that has its own boot loader, on a throw-away overlay. Firmware and boot loaders only read; a flush of
 * the disk is the sign of a kernel that has mounted its root file system.
 */
export async function bootsDisk(
  context: DriverContext,
  instanceContext: InstanceContext,
  image: QemuImage,
  firmware: string | undefined,
  accelerator: Accelerator,
  signal: AbortSignal,
): Promise<boolean> {
  const folder = await makeScratchFolder(path.join(context.cacheDir, "qemu", "probe"));
  const instance = new Instance(folder, randomUUID(), instanceContext);
  try {
    await layOutDisk(
      instanceContext.processes,
      folder,
      image,
      Math.ceil(image.virtualSizeBytes / 1024 / 1024),
      undefined,
      signal,
    );
    await using monitor = await instance.launch(probeSpec(instance, image, firmware, accelerator), signal);
    await monitor.execute("cont");
    return await flushesItsDisk(context, monitor, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (isMachineError(error)) return false;
    throw error;
  } finally {
    await instance.end(AbortSignal.timeout(diskProbeMs));
    await removeTree(folder);
  }
}

function probeSpec(instance: Instance, image: QemuImage, firmware: string | undefined, accelerator: Accelerator): LaunchSpec {
  return {
    name: "docker-machine-probe",
    instanceId: instance.instanceId,
    arch: image.arch,
    accelerator,
    cpuCount: 1,
    memoryMiB: 1_024,
    boot: { kind: "firmware", firmware },
    hasSeed: false,
    credentialCount: 0,
    shares: [],
    memory: "own",
    windows: false,
  };
}

async function flushesItsDisk(context: DriverContext, monitor: QmpClient, signal: AbortSignal): Promise<boolean> {
  const patience = { ms: diskProbeMs, clock: context.clock, signal };
  const hasFlushed = await poll(patience, diskProbePollMs, async () => {
    const [disk] = (await monitor.execute("query-blockstats")) as readonly [{ stats: { flush_operations: number } }];
    if (disk.stats.flush_operations > 0) return true;
    return (await monitor.runState()) === "running" ? undefined : false;
  });
  return hasFlushed ?? false;
}
