/**
 * QEMU's command line, from what a guest is to be. Pure. All file names are relative to the folder QEMU runs in: a
 * socket address is short, and a machine's folder may be moved. Nothing secret stands in an argument.
 */
import { archNames, type GuestArch } from "../../driver-kit/images/guest-arch.ts";
import { networkId } from "./forwards.ts";
import { mountTag, type SharedFolder } from "./shared-folder.ts";

export type Accelerator = "kvm" | "hvf" | "whpx" | "tcg";

/** Files of an instance, in its folder. */
export const instanceFiles = {
  disk: "disk.qcow2",
  /** Second name of the image's disk, which `disk.qcow2` is an overlay of. */
  base: "base.img",
  /** Second name of a saved state's disk, an overlay of `base.img`. */
  state: "state.qcow2",
  kernel: "vmlinuz",
  initrd: "initrd",
  seed: "seed.iso",
  /** Memory of a guest whose state is saved, or of one that is being restored from there. */
  memory: "memory.img",
  /** State of its devices. */
  devices: "devices.state",
  /** All of a guest that is suspended, memory and devices; and what of it is written yet. */
  suspended: "suspended.state",
  suspending: "suspended.part",
  /** That it is whole, and how QEMU is to be launched for it. */
  suspension: "suspended.json",
  monitor: "qmp.sock",
  agent: "agent.sock",
  pid: "qemu.pid",
  log: "qemu.log",
  console: "console.log",
} as const;

export function credentialFile(index: number | string): string {
  return `credential-${index}`;
}

export function shareSocket(index: number | string): string {
  return `share-${index}.sock`;
}

export interface LaunchSpec {
  readonly name: string;
  readonly instanceId: string;
  readonly arch: GuestArch;
  readonly accelerator: Accelerator;
  readonly cpuCount: number;
  readonly memoryMiB: number;
  readonly boot:
    | { readonly kind: "kernel"; /** Further words of the kernel's command line. */ readonly words: readonly string[] }
    | {
        readonly kind: "firmware";
        /** File with UEFI firmware; undefined = QEMU's own BIOS. */ readonly firmware: string | undefined;
      };
  readonly hasSeed: boolean;
  readonly credentialCount: number;
  readonly shares: readonly (SharedFolder & { readonly by: "virtiofs" | "9p" })[];
  /**
   * What the guest's memory is: QEMU's own; `saved`: a file, which with the state of the devices is a saved state; or
   * `restored`: such a file, of which the guest sees its own copy, and QEMU waits for the devices' state; or `copied`: what was
   * restored once and is QEMU's own by now, as the same device.
   */
  readonly memory: "own" | "saved" | "restored" | "copied";
  /** QEMU waits for all of a guest that was suspended. */
  readonly resumes?: boolean;
  /** On Windows sockets are named pipes. */
  readonly windows: boolean;
}

export function qemuProgram(arch: GuestArch): string {
  return `qemu-system-${archNames[arch].qemu}`;
}

export function qemuArguments(spec: LaunchSpec): string[] {
  return [
    identity(spec),
    machine(spec),
    memory(spec),
    boot(spec),
    disks(spec),
    devices(spec),
    credentials(spec),
    spec.shares.flatMap(share),
    channels(spec),
  ]
    .flat()
    .concat(spec.memory === "restored" || spec.resumes === true ? ["-incoming", "defer"] : []);
}

function identity(spec: LaunchSpec): string[] {
  return ["-name", spec.name, "-uuid", spec.instanceId, "-nodefaults", "-no-user-config", "-display", "none", "-S"];
}

/** Of memory that is not QEMU's own. */
export const memoryId = "mem0";

function memory(spec: LaunchSpec): string[] {
  const size = ["-smp", String(spec.cpuCount), "-m", `${spec.memoryMiB}M`, "-rtc", "base=utc"];
  const backend = memoryBackend(spec);
  if (backend === undefined) return size;
  return [...size, "-object", `${backend},id=${memoryId},size=${spec.memoryMiB}M`, "-numa", `node,memdev=${memoryId}`];
}

function memoryBackend({ memory: kind, shares }: LaunchSpec): string | undefined {
  if (kind === "copied") return "memory-backend-ram";
  if (kind !== "own") return `memory-backend-file,mem-path=${instanceFiles.memory},share=${kind === "saved" ? "on" : "off"}`;
  // A daemon that serves files by virtiofs reads and writes the guest's memory.
  return shares.some((folder) => folder.by === "virtiofs") ? "memory-backend-memfd,share=on" : undefined;
}

function disks(spec: LaunchSpec): string[] {
  const disk = [
    "-drive",
    `if=none,id=disk0,file=${instanceFiles.disk},format=qcow2,discard=unmap,detect-zeroes=unmap`,
    "-device",
    "virtio-blk-pci,drive=disk0",
  ];
  if (!spec.hasSeed) return disk;
  return [
    ...disk,
    "-drive",
    `if=none,id=seed0,file=${instanceFiles.seed},format=raw,readonly=on`,
    "-device",
    "virtio-blk-pci,drive=seed0",
  ];
}

function devices(spec: LaunchSpec): string[] {
  const all = ["-netdev", `user,id=${networkId}`, "-device", `virtio-net-pci,netdev=${networkId},romfile=`];
  all.push("-device", "virtio-rng-pci");
  // Not with memory that is a file: QEMU gives a free page back by a hole in the file, which others still read.
  if (spec.memory === "own") all.push("-device", "virtio-balloon-pci,free-page-reporting=on");
  // Tells a restored guest that it is a clone: its kernel then makes new random numbers.
  if (spec.arch === "x64") all.push("-device", "vmgenid,guid=auto");
  return all;
}

function credentials(spec: LaunchSpec): string[] {
  return Array.from({ length: spec.credentialCount }, (_, index) => ["-smbios", `type=11,path=${credentialFile(index)}`]).flat();
}

const machineTypes: Readonly<Record<GuestArch, string>> = { x64: "q35,vmport=off", arm64: "virt" };
/** Bound on memory for translated code; QEMU's default grows with the computer's memory. */
const translationMiB = 512;

function machine(spec: LaunchSpec): string[] {
  const emulated = spec.accelerator === "tcg";
  const accelerator = emulated ? `tcg,thread=multi,tb-size=${translationMiB}` : spec.accelerator;
  // WHPX knows no "host"; everything else that accelerates runs the host's own CPU.
  const cpu = emulated || spec.accelerator === "whpx" ? "max" : "host";
  return ["-machine", machineTypes[spec.arch], "-accel", accelerator, "-cpu", cpu];
}

const consoles: Readonly<Record<GuestArch, string>> = { x64: "ttyS0", arm64: "ttyAMA0" };

function boot(spec: LaunchSpec): string[] {
  if (spec.boot.kind === "firmware") return spec.boot.firmware === undefined ? [] : ["-bios", spec.boot.firmware];
  const words = [
    "root=/dev/vda",
    "rw",
    `console=${consoles[spec.arch]}`,
    "quiet",
    "systemd.ssh_auto=no",
    "systemd.getty_auto=no",
    ...tuning(spec),
    ...spec.boot.words,
  ];
  return ["-kernel", instanceFiles.kernel, "-initrd", instanceFiles.initrd, "-append", words.join(" ")];
}

/** An emulated CPU has no speculative execution to defend against, and its clock needs no cross-checking. */
function tuning(spec: LaunchSpec): readonly string[] {
  return spec.accelerator === "tcg" ? ["mitigations=off", "no_timer_check"] : [];
}

function share(folder: LaunchSpec["shares"][number], index: number): string[] {
  const tag = mountTag(index);
  if (folder.by === "virtiofs") {
    return ["-chardev", `socket,id=${tag},path=${shareSocket(index)}`, "-device", `vhost-user-fs-pci,chardev=${tag},tag=${tag}`];
  }
  const access = folder.readOnly ? ",readonly=on" : "";
  return [
    "-fsdev",
    `local,id=${tag},path=${folder.folder.replaceAll(",", ",,")},security_model=none${access}`,
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

function channels(spec: LaunchSpec): string[] {
  const guestConsole = ["-chardev", `file,id=console0,path=${instanceFiles.console}`, "-serial", "chardev:console0"];
  const monitor = ["-chardev", `${endpoint(spec, instanceFiles.monitor)},id=monitor0`, "-mon", "chardev=monitor0,mode=control"];
  const port = "virtserialport,chardev=agent0,name=org.qemu.guest_agent.0";
  const agent = ["-device", "virtio-serial-pci", "-chardev", `${endpoint(spec, instanceFiles.agent)},id=agent0`, "-device", port];
  return [...guestConsole, ...monitor, ...agent, "-pidfile", instanceFiles.pid];
}

function endpoint(spec: LaunchSpec, file: string): string {
  return spec.windows ? `pipe,path=${pipeName(spec.instanceId, file)}` : `socket,path=${file},server=on,wait=off`;
}

/** Name of the Windows pipe in place of a socket file. */
export function pipeName(instanceId: string, file: string): string {
  return `docker-machine-${instanceId}-${file}`;
}
