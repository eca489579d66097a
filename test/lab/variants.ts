/** The kinds of hosts in the lab. A variant is data: an image, what is done to it before it boots, and what it waits for. */
import { quoteWord } from "../../src/ssh/shell-quote.ts";
import { tinyImageTar } from "./tiny-image.ts";
import { become } from "./systems/become.ts";
import { systems, type SystemFacts, type SystemName } from "./systems/systems.ts";

export interface Variant {
  /** What a test gets, in one line. */
  readonly summary: string;
  /** Name of a recipe. */
  readonly image: string;
  /** User who may log in with the lab's key; root by default. */
  readonly user?: string;
  /** Shell, before systemd starts, at the first boot: users, files. */
  readonly prepare?: string;
  /** Shell before systemd starts, at every boot: what lives in memory. */
  readonly boot?: string;
  /** Shell by exec, once sshd answers: returns when the host is what the variant says. */
  readonly settle?: string;
  readonly sudoPassword?: string;
}

/** Starting a unit that is about to start waits for it. Nothing to wait for where another image was asked for. */
const waitForEngine = "! command -v dockerd > /dev/null || systemctl start docker.service";
const sudoPassword = "open sesame $HOME `id` \"'";

const systemVariants = Object.fromEntries(
  Object.entries<SystemFacts>(systems).map(([name, system]) => [
    name,
    {
      summary: `${system.osRelease["PRETTY_NAME"]}'s identity and ${system.manager} on Debian's base; a test gives it its sources`,
      image: system.manager === "apk" ? "openrc" : system.manager,
      prepare: become(system),
    },
  ]),
) as unknown as Readonly<Record<SystemName, Variant>>;

export const variants = {
  ...systemVariants,
  bullseye: { summary: "Debian 11, nothing but sshd", image: "bullseye-bare" },
  bookworm: { summary: "Debian 12, nothing but sshd", image: "bookworm-bare" },
  trixie: { summary: "Debian 13, nothing but sshd", image: "trixie-bare" },
  "bullseye-engine": { summary: "Debian 11 with Debian's engine 20.10.5", image: "bullseye-engine", settle: waitForEngine },
  "bookworm-engine": { summary: "Debian 12 with Debian's engine 20.10.24", image: "bookworm-engine", settle: waitForEngine },
  "trixie-engine": { summary: "Debian 13 with Debian's engine 26.1", image: "trixie-engine", settle: waitForEngine },

  firewalld: {
    summary: "engine behind firewalld, which rejects everything but SSH",
    image: "firewalld",
    settle: "systemctl start firewalld.service docker.service",
  },
  ufw: {
    summary: "engine behind ufw, which drops everything but SSH",
    image: "ufw",
    settle: "systemctl start ufw.service docker.service",
  },

  sudo: {
    summary: "engine; the user is not root and has sudo without a password",
    image: "bookworm-engine",
    user: "admin",
    prepare: `
      useradd --create-home --shell /bin/bash admin
      echo 'admin ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
      chmod 440 /etc/sudoers.d/admin
    `,
    settle: waitForEngine,
  },
  "sudo-password": {
    summary: "engine; the user is not root and sudo asks for a password (one that a shell could spoil)",
    image: "bookworm-engine",
    user: "admin",
    sudoPassword,
    prepare: `
      useradd --create-home --shell /bin/bash --groups sudo admin
      chpasswd << 'END'\nadmin:${sudoPassword}\nEND
    `,
    settle: waitForEngine,
  },
  "no-sudo": {
    summary: "engine; the user is not root and there is no sudo",
    image: "bookworm-engine",
    user: "plain",
    prepare: `
      useradd --create-home --shell /bin/bash plain
      SUDO_FORCE_REMOVE=yes dpkg --purge sudo > /dev/null
    `,
    settle: waitForEngine,
  },

  busy: {
    summary: "engine with a running container, counter, that counts seconds in its /count",
    image: "bookworm-engine",
    settle: `
      ${waitForEngine}
      docker import ${tinyImageTar} tiny > /dev/null
      docker run --detach --name counter --restart unless-stopped tiny \\
        sh -c 'trap exit TERM; i=0; while true; do i=$((i + 1)); echo "$i" > /count; sleep 1; done' > /dev/null
      ${waitFor(60, "docker exec counter cat /count > /dev/null 2>&1")}
    `,
  },
  "other-shells": {
    summary: "Debian 12 with fish and tcsh; the user is not root, and sudo asks for a password",
    image: "other-shells",
    user: "admin",
    sudoPassword,
    prepare: `
      useradd --create-home --shell /usr/bin/fish --groups sudo admin
      chpasswd << 'END'\nadmin:${sudoPassword}\nEND
    `,
  },
  podman: {
    summary: "Debian 12 with podman-docker, which no engine can stand beside, and its owner's own /etc/containerd/config.toml",
    image: "podman",
    prepare: "mkdir -p /etc/containerd; echo '# mine' > /etc/containerd/config.toml",
  },
  containerd: {
    summary: "Debian 12 with Debian's containerd and runc at work, as below a Kubernetes node, configured by their owner",
    image: "containerd",
    settle: "systemctl start containerd.service",
  },
  "no-os-release": {
    summary: "Debian 12 without os-release and lsb-release; only /etc/debian_version tells",
    image: "bookworm-bare",
    prepare: "rm -f /etc/os-release /usr/lib/os-release /etc/lsb-release /usr/bin/lsb_release",
  },
  dropbear: { summary: "Debian 12 with dropbear instead of OpenSSH's server", image: "dropbear" },
  "apt-locked": {
    summary: "Debian 12 whose package database is locked by another process for 20 seconds",
    image: "bookworm-bare",
    prepare: installLockHolder(),
    settle: `systemd-run --quiet --unit=unattended-lab hold-apt-lock 20\n${waitFor(60, "test -e /run/apt-lock-held")}`,
  },
  "no-mirror": {
    summary: "Debian 12 that reaches its own network and no other: mirrors refuse, names do not resolve",
    image: "bookworm-bare",
    prepare: "sed -i 's#http[^ ]*#http://127.0.0.1:9/debian#' /etc/apt/sources.list",
    boot: "ip route delete default",
  },
  "tight-var": {
    summary: "Debian 12 with 130 MiB left on /var: package lists fit, the engine's packages do not",
    image: "bookworm-bare",
    boot: limitVar(130),
  },
  "full-var": {
    summary: "Debian 12 with 8 MiB left on /var: package lists do not fit, and apt-get update never ends",
    image: "bookworm-bare",
    boot: limitVar(8),
  },
  "full-etc-docker": {
    summary: "engine, but no byte left for the certificates in /etc/docker",
    image: "bookworm-engine",
    boot: `
      mkdir -p /etc/docker
      mount -t tmpfs -o size=64k,mode=755 tmpfs /etc/docker
    `,
    settle: `${waitForEngine}\ncat /dev/zero > /etc/docker/filler 2> /dev/null || true`,
  },
} as const satisfies Record<string, Variant>;

export type VariantName = keyof typeof variants;

export function requireVariant(name: string): Variant {
  const variant = (variants as Readonly<Record<string, Variant>>)[name];
  if (variant === undefined) throw new Error(`The lab has no variant ${name}; it has ${Object.keys(variants).join(", ")}`);
  return variant;
}

function waitFor(seconds: number, condition: string): string {
  return `timeout ${seconds} sh -c ${quoteWord(`until ${condition}; do sleep 0.1; done`)}`;
}

/** Moves /var into a file system of its own with so much space left. */
function limitVar(freeMiB: number): string {
  return `
    used=$(du -sm /var | cut -f1)
    mount -t tmpfs -o "size=$((used + ${freeMiB}))m,mode=755" tmpfs /mnt
    cp -a /var/. /mnt
    mount --move /mnt /var`;
}

/** A program that holds dpkg's lock as apt does: by fcntl, on lock-frontend, for the seconds given. */
function installLockHolder(): string {
  return `
cat > /usr/local/sbin/hold-apt-lock << 'END'
#!/usr/bin/perl
use Fcntl;
open(my $lock, ">", "/var/lib/dpkg/lock-frontend") or die $!;
# struct flock of 64-bit Linux: type, whence, (padding), start, length, (pid)
my $whole = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
fcntl($lock, F_SETLK, $whole) or die $!;
open(my $sign, ">", "/run/apt-lock-held"); close($sign);
sleep $ARGV[0];
unlink "/run/apt-lock-held";
END
chmod 755 /usr/local/sbin/hold-apt-lock`;
}
