/**
 * The image `build`: a plain Debian with Docker Engine, booted by a kernel that QEMU loads. It carries no key and no
 * name; it takes both from systemd credentials, or through the guest agent.
 */
import { createHash } from "node:crypto";
import * as path from "node:path";
import { buildRootfs, clientPackages, rootfsPrograms, type RootfsRecipe } from "../../driver-kit/images/debian-rootfs.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo, type Report } from "../../log/event.ts";
import { requireFreeBytes } from "../../system/disk-files.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import type { Clock } from "../../system/clock.ts";
import { lastLineOf } from "../../system/last-line.ts";
import type { ProcessRunner } from "../../system/process.ts";
import { archNames, type GuestArch } from "../../driver-kit/images/guest-arch.ts";
import { qemuImageFiles, type QemuImageFacts } from "./image.ts";

export interface BuildRequest {
  readonly suite: string;
  readonly arch: GuestArch;
  readonly mirror: string;
}

export interface BuildContext {
  readonly processes: ProcessRunner;
  readonly report: Report;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly isRoot: boolean;
}

/** The archive, its contents and the file system made of them. */
const scratchBytes = 2_500 * 1024 * 1024;
const packTimeoutMs = 10 * 60_000;

/** Without libpam-systemd: registering every SSH login as a session takes seconds where the CPU is emulated. */
const packages = [
  "systemd-sysv",
  "dbus",
  "systemd-timesyncd",
  "udev",
  "kmod",
  "openssh-server",
  "sudo",
  "ca-certificates",
  "curl",
  "rsync",
  "procps",
  "iproute2",
  "iptables",
  "docker.io",
  "initramfs-tools",
  "zstd",
  "qemu-guest-agent",
];

/** The initial RAM disk needs to find one disk only; Debian's own covers every computer and takes seconds longer to boot. */
const prepare = `set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
echo MODULES=list > "$1/etc/initramfs-tools/conf.d/docker-machine"
printf '%s\\n' virtio_pci virtio_blk ext4 > "$1/usr/share/initramfs-tools/modules.d/docker-machine"`;

/** Hardware that is not there, consoles nobody can log in at, and timers that a restored guest's new clock would set off at once. */
const masked = [
  "sshd-keygen.service",
  "systemd-firstboot.service",
  "getty@tty1.service",
  "apt-daily.timer",
  "apt-daily-upgrade.timer",
  "dpkg-db-backup.timer",
  "modprobe@drm.service",
  "modprobe@efi_pstore.service",
  "modprobe@configfs.service",
];

/** An engine that is not set up yet does not start: starting twice, it would take half of an emulated guest's first boot. */
const startedOnceSetUp = ["docker.service", "containerd.service"];

/** Certificates lie in the first; where the engine is reached over SSH there are none, and what set it up is in the second. */
const onceSetUp = "[Unit]\nConditionDirectoryNotEmpty=|/etc/docker\nConditionDirectoryNotEmpty=|/var/lib/docker-machine\n";

const sshdConfig = "HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\n";
const network = "[Match]\nType=ether\nKind=!*\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n";

/**
 * QEMU's user network answers DNS at 10.0.2.3, whatever this computer's resolver is. The time stamps in the end tell
 * systemd that what it rebuilds after an update (ld.so.cache, users, catalogues) is as new as the packages.
 */
const finish = `set -eu
cd "$1"
rm -f etc/ssh/ssh_host_* etc/resolv.conf etc/hostname
: > etc/machine-id
echo 'nameserver 10.0.2.3' > etc/resolv.conf
printf '127.0.0.1 localhost\\n::1 localhost ip6-localhost\\n' > etc/hosts
echo '/dev/vda / ext4 rw,discard,x-systemd.growfs 0 0' > etc/fstab
printf '${escaped(sshdConfig)}' > etc/ssh/sshd_config.d/10-docker-machine.conf
printf '${escaped(network)}' > etc/systemd/network/20-wired.network
sed -i '/pam_motd/d' etc/pam.d/sshd
mkdir -p etc/systemd/system/ssh.service.d
printf '[Unit]\\nConditionPathExists=/etc/ssh/ssh_host_ed25519_key\\n' > etc/systemd/system/ssh.service.d/10-docker-machine.conf
chroot . systemctl enable systemd-networkd.service
for unit in ${startedOnceSetUp.join(" ")}; do
  mkdir -p etc/systemd/system/$unit.d
  printf '${escaped(onceSetUp)}' > etc/systemd/system/$unit.d/00-once-set-up.conf
done
chroot . systemctl mask ${masked.join(" ")}
touch etc/.updated var/.updated`;

function escaped(text: string): string {
  return text.replaceAll("\n", "\\n");
}

function vmRecipe(request: BuildRequest): RootfsRecipe {
  const kernel = `linux-image-cloud-${archNames[request.arch].debian}`;
  const included = [...packages, kernel, ...clientPackages(request.suite)];
  return { suite: request.suite, packages: included, prepare, finish, mirror: request.mirror };
}

/** Names what would be built: an image with the same digest is as good. The mirror does not matter. */
export function buildDigest(request: BuildRequest): string {
  const { packages: included, suite } = vmRecipe(request);
  const text = JSON.stringify([suite, request.arch, included, prepare, finish, packScript]);
  return `build-${suite}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

/** Room for the packages; the guest grows the file system to its disk on the first boot. */
const builtDiskMiB = 3_072;

/**
 * Runs where the build's files belong to us: as root, or as root of a user namespace. What it unpacked belongs to
 * other ids, so it cleans up itself.
 */
const packScript = `set -eu
PATH=$PATH:/usr/sbin:/sbin
trap 'rm -rf root rootfs.tar' EXIT
mkdir root
tar -C root --numeric-owner --exclude='./dev/*' -xf rootfs.tar
rm rootfs.tar
cp root/boot/vmlinuz-* ${qemuImageFiles.kernel}
cp root/boot/initrd.img-* ${qemuImageFiles.initrd}
mke2fs -q -F -t ext4 -L root -m 1 -d root ${qemuImageFiles.disk} ${builtDiskMiB}M`;

/** Builds the image into an empty folder and describes it. Throws `program-missing`, `image-unusable`, `disk-full`, or the signal's reason. */
export async function buildImage(request: BuildRequest, folder: string, context: BuildContext): Promise<QemuImageFacts> {
  await requireFreeBytes(path.dirname(folder), scratchBytes, "Building an image");
  logTo(context.report, "info", `Building a machine image from Debian packages (${request.suite}); this takes minutes, once...`);
  await buildRootfs(vmRecipe(request), path.join(folder, "rootfs.tar"), context);
  await inPhase(context, "Making the disk", async () => await packDisk(folder, context));
  return {
    digest: buildDigest(request),
    title: `Debian ${request.suite} with Docker Engine, built here`,
    arch: request.arch,
    format: "raw",
    virtualSizeBytes: builtDiskMiB * 1024 * 1024,
    boot: "kernel",
    identity: "credentials",
  };
}

async function packDisk(folder: string, context: BuildContext): Promise<void> {
  const shell = ["sh", "-c", packScript];
  const [program = "sh", ...args] = context.isRoot ? shell : ["unshare", "--user", "--map-root-user", "--map-auto", ...shell];
  const result = await context.processes.run(program, args, { cwd: folder, signal: context.signal, timeoutMs: packTimeoutMs });
  if (result.status === 0) return;
  const reason = lastLineOf(result.stderr);
  throw new MachineError("image-unusable", `The image could not be packed into a disk: ${reason}`, {
    hint: `Check that these are installed: ${rootfsPrograms}`,
  });
}
