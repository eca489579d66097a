/** What is checked before anything is made: this computer, VirtualBox, and what the flags name. */
import * as path from "node:path";
import { requireSharedFolder } from "../../driver-kit/guest/shared-folder.ts";
import { guestArch } from "../../driver-kit/images/guest-arch.ts";
import { requireImageFile } from "../../driver-kit/images/image-check.ts";
import { requireMemoryHere } from "../../driver-kit/sizes.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { factsOf, headOf, listFolder, requireFreeBytes } from "../../system/disk-files.ts";
import { readFileIfExists } from "../../system/files.ts";
import { formatAddress, networkOf } from "./cidr.ts";
import { moduleHints, secureBootHint } from "./failures.ts";
import { findImport } from "./import-vm.ts";
import { isAtLeast, parseHostInfo, parseHostOnlyInterfaces, parseVersion, type Version } from "./listings.ts";
import { allowedRanges, isAllowed } from "./networks-conf.ts";
import { hostOnlyCidrOf, imageSource } from "./options.ts";
import { sizeFlags } from "./resize.ts";
import { shareOf } from "./shares.ts";
import { idsOf, isOurs, type Workplace } from "./workplace.ts";

/** The oldest that still has the calls of 7.x, and the first for Macs of today. */
const oldest = { x64: [6, 1, 0], arm64: [7, 1, 0] } as const;
/** A disk that has been written to a little, and the logs. */
const freshMachineBytes = 256 * 1024 * 1024;
const powershellMs = 20_000;

/** Throws with nothing made. Afterwards the record holds the ids and sizes that will be asked for. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { context, config } = place;
  const arch = guestArch(context.computer.arch, "virtualbox");
  await checkFiles(place, arch);
  const version = await requireVersion(place, oldest[arch], signal);
  if (!config.NoVTXCheck) await checkVirtualization(place, arch, signal);
  else if (config.CPU < 1) config.CPU = (await hostInfo(place, signal)).cpus;
  await checkNetworksConf(place, version, signal);
  if (config.Boot2DockerImportVM !== "") await findImport(place, signal);
  await requireFreeBytes(context.storePath, freshMachineBytes, "A machine");
  const ids = idsOf(context.createId);
  if (ids === undefined) return;
  await requireUnused(place, ids.vm, signal);
  config.VmUuid = ids.vm;
  config.DiskUuid = ids.disk;
}

async function checkFiles({ context, config }: Workplace, arch: string): Promise<void> {
  const { computer } = context;
  const source = imageSource(config, computer.cwd);
  if (arch === "arm64" && (source.kind === "iso" || config.Boot2DockerImportVM !== ""))
    throw new MachineError("driver-options", "boot2docker is for x86-64, and this computer's processor is an ARM", {
      hint: "Leave out --virtualbox-boot2docker-url and --virtualbox-import-boot2docker-vm.",
    });
  await requireImageFile(source);
  if (config.CloudConfig !== "" && (await factsOf(config.CloudConfig))?.isDirectory !== false)
    throw new MachineError("driver-options", `The file of --virtualbox-cloud-config does not exist: ${config.CloudConfig}`);
  const share = shareOf(config, computer.os);
  if (share !== undefined && config.ShareFolder !== "") await requireSharedFolder(share.hostPath);
  requireMemoryHere(sizeFlags.memoryMiB, config.Memory, computer);
}

async function requireVersion(
  { tool }: Workplace,
  wanted: readonly [number, number, number],
  signal: AbortSignal,
): Promise<Version> {
  const stdout = await tool.versionText(signal);
  const version = parseVersion(stdout);
  if (version !== undefined && isAtLeast(version, wanted)) return version;
  const found = JSON.stringify(version?.text ?? stdout.trim().split("\n")[0]);
  throw new MachineError(
    "program-missing",
    `We support Virtualbox starting with version ${wanted[0]}.${wanted[1]}. Your VirtualBox install is ${found}. Please upgrade at https://www.virtualbox.org`,
    { hint: "Install a newer VirtualBox, and start the command again." },
  );
}

async function hostInfo({ tool }: Workplace, signal: AbortSignal): Promise<ReturnType<typeof parseHostInfo>> {
  return parseHostInfo((await tool.run(["list", "hostinfo"], signal)).stdout);
}

async function checkVirtualization(place: Workplace, arch: string, signal: AbortSignal): Promise<void> {
  const { context, config } = place;
  await requireModule(place);
  if (context.computer.os === "windows") await noteHyperV(place, signal);
  const info = await hostInfo(place, signal);
  if (config.CPU < 1) config.CPU = info.cpus;
  if (arch !== "x64" || info.virtualizes) return;
  throw new MachineError(
    "driver-unsupported",
    "This computer doesn't have VT-X/AMD-v enabled. Enabling it in the BIOS is mandatory",
    {
      hint: "Within a virtual machine, switch nested virtualization on for that one; to skip this check give --virtualbox-no-vtx-check.",
    },
  );
}

/** Without it nothing starts, and no interface can be made. */
async function requireModule({ context, surroundings }: Workplace): Promise<void> {
  if (context.computer.os !== "linux" || (await factsOf(surroundings.moduleDevice)) !== undefined) return;
  const hint = (await isSecureBootOn(surroundings.firmwareVariables))
    ? `${moduleHints.linux} ${secureBootHint}`
    : moduleHints.linux;
  throw new MachineError(
    "driver-unsupported",
    `VirtualBox's kernel module is not loaded: there is no ${surroundings.moduleDevice}`,
    { hint },
  );
}

/** The fifth byte of the variable, behind its attributes (UEFI specification, 3.3). */
async function isSecureBootOn(folder: string): Promise<boolean> {
  const name = (await listFolder(folder).catch(() => [])).find((file) => file.startsWith("SecureBoot-"));
  if (name === undefined) return false;
  return (await headOf(path.join(folder, name), 5).catch(() => Buffer.alloc(0)))[4] === 1;
}

/** VirtualBox runs beside it since 6.0, slowly. 0.16.2 refused. */
async function noteHyperV({ context }: Workplace, signal: AbortSignal): Promise<void> {
  const script = "(Get-CimInstance Win32_ComputerSystem).HypervisorPresent";
  const asked = await context.processes
    .run("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", script], { signal, timeoutMs: powershellMs })
    .catch(() => undefined);
  signal.throwIfAborted();
  if (asked?.stdout.toString("utf8").trim() !== "True") return;
  logTo(
    context.report,
    "warn",
    "This computer is running Hyper-V, beside which VirtualBox is slow. Either use Hyper-V as a driver, or disable the Hyper-V hypervisor.",
  );
}

/** A network that is there already is not asked for. */
async function checkNetworksConf(place: Workplace, version: Version, signal: AbortSignal): Promise<void> {
  const { context, config, surroundings, tool } = place;
  const { os } = context.computer;
  const isRestricted = isAtLeast(version, [6, 1, 28]) && os !== "windows" && !(os === "darwin" && version.major >= 7);
  if (config.Network !== "hostonly" || !isRestricted) return;
  const cidr = hostOnlyCidrOf(config);
  const ranges = allowedRanges((await readFileIfExists(surroundings.networksConf))?.toString("utf8"));
  if (isAllowed(cidr, ranges)) return;
  const interfaces = parseHostOnlyInterfaces((await tool.run(["list", "hostonlyifs"], signal)).stdout);
  if (interfaces.some(({ address }) => address === formatAddress(cidr.address))) return;
  const wanted = `${formatAddress(networkOf(cidr))}/${cidr.prefix}`;
  const allowed = ranges.length === 0 ? "none at all" : ranges.join(", ");
  throw new MachineError(
    "driver-options",
    `VirtualBox does not allow the network ${config.HostOnlyCIDR} for a host-only interface: ${surroundings.networksConf} allows ${allowed}`,
    {
      hint: `Add the line "* ${wanted}" to ${surroundings.networksConf}, or choose another network with --virtualbox-hostonly-cidr.`,
    },
  );
}

/** The id is this create's alone; whoever has it has registered a copy. */
async function requireUnused(place: Workplace, uuid: string, signal: AbortSignal): Promise<void> {
  const found = await place.tool.find(uuid, signal);
  if (found === undefined || (found !== "inaccessible" && (await isOurs(place, found)))) return;
  throw taken(uuid, found === "inaccessible" ? "a folder that is gone" : found.settingsFile);
}

export function taken(uuid: string, where: string): MachineError {
  return new MachineError("provider-exists", `Another virtual machine has the id ${uuid} of this one, in ${where}`, {
    hint: "It was registered from a copy of this machine: unregister it in VirtualBox, or remove this machine and create it anew.",
  });
}
