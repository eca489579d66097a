/**
 * User data: what a provider hands to the guest's cloud-init, ours joined with the user's. The user's part comes first
 * and ours after it, because with cloud-init a part itself says how it joins what came before: lists are put together,
 * maps joined, and of single values the user's count. What must hold whatever the user wrote is a part of its own.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { MachineError } from "../../errors/machine-error.ts";
import {
  cloudConfigText,
  hostKeyConfig,
  rootLoginConfig,
  sharedConfig,
  type CloudConfig,
  type GuestSetup,
} from "./cloud-config.ts";
import { mimeDocument, type MimePart } from "./mime.ts";
import { hasUnlistedUsers, isIgnition, kindOfUserData, settlesHostKeys } from "./user-data-kind.ts";

/** What a provider takes. */
export interface UserDataBounds {
  /** Bytes of what is sent, before any base64. */
  readonly mostBytes: number;
  /** Whether bytes may be sent: as they are, or only as base64, which then counts. */
  readonly gzip: "never" | "bytes" | "base64";
}

/** The providers' own figures, from their documentation. OpenStack counts the base64: 65,535 characters of it. */
export const userDataBounds = {
  amazonec2: { mostBytes: 16_384, gzip: "bytes" },
  azure: { mostBytes: 65_535, gzip: "bytes" },
  digitalocean: { mostBytes: 65_536, gzip: "never" },
  google: { mostBytes: 262_144, gzip: "base64" },
  openstack: { mostBytes: 49_149, gzip: "bytes" },
} as const satisfies Readonly<Record<string, UserDataBounds>>;

/** A seed on a medium of our own has no bound. */
const unbounded: UserDataBounds = { mostBytes: Number.POSITIVE_INFINITY, gzip: "never" };

export interface CloudInitWish extends GuestSetup {
  /** The user's file, as bytes: cloud-config, script, several parts, gzip, Ignition, … */
  readonly userData?: Uint8Array | undefined;
  /** Absent: no bound. */
  readonly bounds?: UserDataBounds | undefined;
  /** The flag that names the user's file, without dashes; for messages. */
  readonly userDataFlag?: string | undefined;
}

export interface CloudInitData {
  readonly bytes: Uint8Array;
  /** Whether {@link bytes} are gzip and no text. */
  readonly gzipped: boolean;
  /** False where the user's data has host keys of its own or cannot be joined: the first connection is not verified. */
  readonly hostKeysInjected: boolean;
  /** False where the user's data goes alone: the login key must reach the guest by another way. */
  readonly userInjected: boolean;
  /** One sentence for the user, where something of ours could not be sent. */
  readonly note?: string | undefined;
}

/**
 * The same wish gives the same bytes. Throws `driver-options` for user data that is too large for the provider, damaged,
 * or cannot take the machine's user.
 */
export function cloudInitData(wish: CloudInitWish): CloudInitData {
  const { bounds = unbounded } = wish;
  const given = wish.userData === undefined ? undefined : unpacked(wish.userData, wish);
  const joined = join(wish, given);
  return { ...joined, ...fit(Buffer.from(joined.bytes), bounds, wish) };
}

type Joined = Omit<CloudInitData, "gzipped">;

function join(wish: CloudInitWish, given: Uint8Array | undefined): Joined {
  const kind = given === undefined ? undefined : kindOfUserData(given);
  if (given === undefined || kind === undefined || kind.form === "empty") return alone(wish);
  if (kind.form === "alone") return passedOn(given, wish);
  const isConfig = kind.form === "part" && kind.type === "text/cloud-config";
  if (isConfig && hasUnlistedUsers(given)) {
    throw new MachineError("driver-options", `"users" in ${nameOf(wish)} is not a list, so the machine's user cannot be added`, {
      hint: 'Write it as a list: "users: [{name: alice}]" in the place of "users: alice" or "users: {alice: {}}".',
    });
  }
  const ownKeys = settlesHostKeys(given);
  const { identity } = wish;
  const firm = { ...rootLoginConfig(identity), ...(ownKeys ? {} : hostKeyConfig(identity)) };
  const theirs = kind.form === "part" ? { type: kind.type, fileName: "user-data", content: given } : { document: given };
  const bytes = mimeDocument([
    theirs,
    configPart("docker-machine", sharedConfig(wish), joins),
    configPart("docker-machine-keys", firm, replaces),
  ]);
  if (!ownKeys || identity.hostKeys.length === 0)
    return { bytes, hostKeysInjected: identity.hostKeys.length > 0, userInjected: true };
  return {
    bytes,
    hostKeysInjected: false,
    userInjected: true,
    note: `${capital(nameOf(wish))} settles the machine's SSH host keys, so none of ours are sent and the first connection cannot be verified.`,
  };
}

/** The smallest form, and readable where a provider shows it. */
function alone(wish: CloudInitWish): Joined {
  const { identity } = wish;
  const config = { ...sharedConfig(wish), ...rootLoginConfig(identity), ...hostKeyConfig(identity) };
  return {
    bytes: Buffer.from(cloudConfigText(config)),
    hostKeysInjected: identity.hostKeys.length > 0,
    userInjected: true,
  };
}

function passedOn(given: Uint8Array, wish: CloudInitWish): Joined {
  const what = isIgnition(given) ? "is for Ignition" : "is of no kind that cloud-init knows";
  return {
    bytes: given,
    hostKeysInjected: false,
    userInjected: false,
    note: `${capital(nameOf(wish))} ${what} and is passed on as it is: neither the machine's user nor its SSH host keys are in it.`,
  };
}

const joins = "list(append)+dict(no_replace,recurse_list)+str()";
const replaces = "list()+dict(replace)+str()";

function configPart(fileName: string, config: CloudConfig, mergeType: string): MimePart {
  return {
    type: "text/cloud-config",
    fileName,
    headers: { "Merge-Type": mergeType },
    content: Buffer.from(cloudConfigText(config)),
  };
}

/** More than any provider takes, and less than what fills a computer's memory. */
const mostUnpackedBytes = 16 * 1024 * 1024;

function unpacked(data: Uint8Array, wish: CloudInitWish): Uint8Array {
  if (data[0] !== 0x1f || data[1] !== 0x8b) return data;
  try {
    return gunzipSync(data, { maxOutputLength: mostUnpackedBytes });
  } catch (error) {
    throw new MachineError("driver-options", `${capital(nameOf(wish))} begins like gzip and cannot be unpacked`, {
      cause: error,
      hint: "Check it with gzip -t, or give the file as it is: it is packed here where the provider allows that.",
    });
  }
}

function fit(bytes: Buffer, bounds: UserDataBounds, wish: CloudInitWish): Pick<CloudInitData, "bytes" | "gzipped"> {
  const { mostBytes, gzip } = bounds;
  const mustBeText = gzip !== "bytes" && Number.isFinite(mostBytes);
  const isText = !mustBeText || isUtf8Text(bytes);
  if (bytes.length <= mostBytes && isText) return { bytes, gzipped: false };
  if (gzip === "never" && !isText) {
    throw new MachineError("driver-options", `${capital(nameOf(wish))} is not UTF-8 text, and the provider takes nothing else`, {
      hint: "Write what is not text as base64.",
    });
  }
  const packed = gzip === "never" ? bytes : deterministicGzip(bytes);
  const sentBytes = gzip === "base64" ? Math.ceil(packed.length / 3) * 4 : packed.length;
  if (sentBytes <= mostBytes) return { bytes: packed, gzipped: true };
  throw new MachineError(
    "driver-options",
    `The machine's user data has ${sentBytes} bytes${gzip === "never" ? "" : " when packed"}, and the provider takes ${mostBytes}`,
    { hint: `Make ${nameOf(wish)} smaller, or let it fetch its content: a file that begins with #include lists addresses.` },
  );
}

/** Two programs that pack the same must not differ by the name of their system in the header. */
function deterministicGzip(bytes: Uint8Array): Buffer {
  const packed = gzipSync(bytes, { level: 9 });
  packed[9] = 255;
  return packed;
}

function isUtf8Text(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function nameOf({ userDataFlag }: CloudInitWish): string {
  return userDataFlag === undefined ? "the user data" : `the file of --${userDataFlag}`;
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
