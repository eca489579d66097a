/**
 * What cloud-init is told about a machine: its name, who may log in, its host keys, files and mounts. Written as JSON,
 * which is YAML, so nothing needs quoting rules of its own. Nothing in it waits or installs: that is provisioning's work.
 */
import type { GuestIdentity } from "./guest-identity.ts";

/** A file that the guest is to have from its first boot. */
export interface CloudFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Octal digits, as `0644`. */
  readonly permissions: string;
  /** `USER:GROUP`; root's by default. The user must exist before cloud-init writes files: the image's own. */
  readonly owner?: string | undefined;
  /** Behind what the file has; it is replaced otherwise. */
  readonly append?: boolean | undefined;
}

export interface GuestSetup {
  readonly identity: GuestIdentity;
  /**
   * Whether the user that the image makes by itself stays. It must where the provider puts keys of its own into it; it
   * may also be the identity's user. Else the identity's user is the only one.
   */
  readonly keepsImageUser: boolean;
  /** Lines of fstab, in parts. */
  readonly mounts?: readonly (readonly string[])[] | undefined;
  readonly writeFiles?: readonly CloudFile[] | undefined;
  /** Installed at the first boot, from the network: only what the machine cannot be found without. */
  readonly packages?: readonly string[] | undefined;
}

export type CloudConfig = Readonly<Record<string, unknown>>;

/** What may be joined with the user's own: lists are put together, of single values the user's count. */
export function sharedConfig({ identity, keepsImageUser, mounts = [], writeFiles = [], packages = [] }: GuestSetup): CloudConfig {
  return {
    hostname: identity.hostName,
    preserve_hostname: false,
    ssh_pwauth: false,
    ...(identity.userName === "root" ? {} : { disable_root: true }),
    users: [...(keepsImageUser ? ["default"] : []), userEntry(identity)],
    growpart: { mode: "auto", devices: ["/"] },
    ...(mounts.length === 0 ? {} : { mounts }),
    ...(writeFiles.length === 0 ? {} : { write_files: writeFiles.map(fileEntry) }),
    ...(packages.length === 0 ? {} : { package_update: true, packages }),
  };
}

/**
 * The group is named because an image may have one of the user's name, as those with an engine have `docker`: without
 * it useradd then refuses. cloud-init makes the group where there is none.
 */
function userEntry({ userName, authorizedKeys }: GuestIdentity): CloudConfig {
  const keys = { ssh_authorized_keys: authorizedKeys };
  if (userName === "root") return { name: "root", ...keys };
  return {
    name: userName,
    primary_group: userName,
    shell: "/bin/bash",
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    lock_passwd: true,
    ...keys,
  };
}

function fileEntry({ path, content, permissions, owner, append }: CloudFile): CloudConfig {
  return {
    path,
    permissions,
    ...(owner === undefined ? {} : { owner }),
    ...(append === true ? { append } : {}),
    ...(typeof content === "string" ? { content } : { encoding: "b64", content: Buffer.from(content).toString("base64") }),
  };
}

/** What must hold whatever the user's own says, or root could not log in: cloud-init puts a refusal before its keys. */
export function rootLoginConfig({ userName }: GuestIdentity): CloudConfig {
  return userName === "root" ? { disable_root: false } : {};
}

/**
 * Only these host keys: none that an image brought, none that the guest makes. Empty where the guest makes its own. The
 * types are named because cloud-init's schema, by which it judges its own success, allows no empty list.
 */
export function hostKeyConfig({ hostKeys }: GuestIdentity): CloudConfig {
  if (hostKeys.length === 0) return {};
  return {
    ssh_deletekeys: true,
    ssh_genkeytypes: hostKeys.map(({ type }) => type),
    ssh_keys: Object.fromEntries(
      hostKeys.flatMap(({ type, privateKey, publicKey }) => [
        [`${type}_private`, privateKey],
        [`${type}_public`, publicKey],
      ]),
    ),
  };
}

/**
 * The text of a `#cloud-config`. It is plain ASCII, with YAML's escapes for all else: characters beyond 16 bits would be
 * two halves in JSON's escapes, and the YAML reader of cloud-init refuses some others as they are.
 */
export function cloudConfigText(config: CloudConfig): string {
  return `#cloud-config\n${asciiYaml(config)}\n`;
}

/** A value as YAML that is JSON but for the escapes. */
export function asciiYaml(value: unknown): string {
  return JSON.stringify(value, null, 1).replaceAll(/[^\n\u0020-\u007e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
