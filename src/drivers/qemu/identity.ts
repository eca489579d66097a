/**
 * What makes one guest different from another that started from the same image, in the three forms guests take it:
 * systemd credentials (read from SMBIOS while booting), a cloud-init seed, and a script for the guest agent of a guest
 * that was restored from a saved state. All carry private keys: they travel through files of mode 0600 and sockets,
 * never through an argument.
 */
import { quoteWord } from "../../ssh/shell-quote.ts";

import { cloudConfigText } from "../../driver-kit/guest/cloud-config.ts";
import type { GuestIdentity, HostKeyPair } from "../../driver-kit/guest/guest-identity.ts";

/** What the kit's identity leaves to each guest itself is given to one that was restored from a saved state. */
export interface QemuIdentity extends GuestIdentity {
  /** 32 hex digits (machine-id(5)). */
  readonly machineId: string;
}

const hostKeyFile = "/etc/ssh/ssh_host_ed25519_key";

function homeOf(userName: string): string {
  return userName === "root" ? "/root" : `/home/${userName}`;
}

function authorizedKeysText({ authorizedKeys }: GuestIdentity): string {
  return authorizedKeys.map((line) => `${line}\n`).join("");
}

/** The images that are built here have a server with one kind of key. */
function soleHostKey({ hostKeys }: GuestIdentity): HostKeyPair {
  const found = hostKeys.find(({ type }) => type === "ed25519");
  if (found === undefined) throw new TypeError("The identity has no ed25519 host key");
  return found;
}

function sudoRule(userName: string): string {
  return `${userName} ALL=(ALL) NOPASSWD:ALL\n`;
}

/**
 * SMBIOS type 11 strings (systemd.system-credentials(7)), one a file. They only create what is missing, so they may be
 * given on every boot. The machine-id is left to the guest, which makes its own on a first boot.
 */
export function credentialStrings(identity: GuestIdentity): readonly string[] {
  const { userName } = identity;
  const home = homeOf(userName);
  const hostKey = soleHostKey(identity);
  const files = [
    tmpfile("/etc/hostname", "0644", "root", `${identity.hostName}\n`),
    tmpfile(hostKeyFile, "0600", "root", hostKey.privateKey),
    tmpfile(`${hostKeyFile}.pub`, "0644", "root", `${hostKey.publicKey}\n`),
    ...(userName === "root" ? [] : [`d ${home} 0755 ${userName} ${userName}`]),
    `d ${home}/.ssh 0700 ${userName} ${userName}`,
    tmpfile(`${home}/.ssh/authorized_keys`, "0600", userName, authorizedKeysText(identity)),
    ...(userName === "root" ? [] : [tmpfile(`/etc/sudoers.d/${userName}`, "0440", "root", sudoRule(userName))]),
  ];
  const users =
    userName === "root" ? [] : [credential("sysusers.extra", `u ${userName} - "" ${home} /bin/bash\nm ${userName} docker\n`)];
  return [credential("tmpfiles.extra", `${files.join("\n")}\n`), ...users];
}

/** A line of tmpfiles.d(5) that makes a file unless it exists; `~` says that the content is base64. */
function tmpfile(file: string, mode: string, owner: string, content: string): string {
  return `f~ ${file} ${mode} ${owner} ${owner} - ${base64(content)}`;
}

function credential(name: string, value: string): string {
  return `io.systemd.credential.binary:${name}=${base64(value)}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

/** The seed of a guest that gets its identity later, through the guest agent: no key, no user, no server that answers. */
export function cloudInitTemplateSeed(instanceId: string): Readonly<Record<string, string>> {
  const userData = {
    ssh_deletekeys: true,
    ssh_genkeytypes: [],
    ssh_pwauth: false,
    users: [],
    packages: ["qemu-guest-agent"],
    package_update: true,
    runcmd: [["systemctl", "start", "qemu-guest-agent.service"]],
  };
  return {
    "meta-data": `${JSON.stringify({ "instance-id": instanceId, "local-hostname": "docker-machine-template" })}\n`,
    "user-data": cloudConfigText(userData),
  };
}

/** A command of a shell: the clock of a guest that was held still stands where it was then. */
export function setClock(now: Date): string {
  return `date -u -s @${(now.getTime() / 1000).toFixed(3)} >/dev/null`;
}

/**
 * A shell script that turns a restored guest into this machine. Under emulation each program it starts costs a tenth of
 * a second, so it does with the shell itself whatever it can. The clock comes first: everything after is dated by it.
 */
export function rekeyScript(identity: QemuIdentity, now: Date): string {
  const { userName, hostName } = identity;
  const home = homeOf(userName);
  const hostKey = soleHostKey(identity);
  return [
    "set -eu",
    "umask 077",
    setClock(now),
    `echo ${hostName} > /proc/sys/kernel/hostname`,
    ...write("/etc/hostname", `${hostName}\n`),
    ...write("/etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${hostName}\n::1 localhost ip6-localhost\n`),
    ...write("/etc/machine-id", `${identity.machineId}\n`),
    ...write(hostKeyFile, hostKey.privateKey),
    ...write(`${hostKeyFile}.pub`, `${hostKey.publicKey}\n`),
    ...(userName === "root"
      ? []
      : [
          `id -u ${userName} >/dev/null 2>&1 || useradd -m -s /bin/bash ${userName}`,
          `usermod -aG docker ${userName} || true`,
          ...write(`/etc/sudoers.d/${userName}`, sudoRule(userName)),
        ]),
    `[ -d ${home}/.ssh ] || mkdir ${home}/.ssh`,
    ...write(`${home}/.ssh/authorized_keys`, authorizedKeysText(identity)),
    ...(userName === "root" ? [] : [`chown -R ${userName}: ${home}/.ssh`]),
    "systemctl start --no-block ssh.service",
    "",
  ].join("\n");
}

/** `echo` of dash interprets backslashes, `printf` with a fixed format does not. */
function write(file: string, content: string): readonly string[] {
  return [`printf '%s' ${quoteWord(content)} > ${file}`];
}
