/** What a guest is told through its metadata: who may log in, its host keys where it takes them, the user's own items. */
import type { CloudInitData } from "../../driver-kit/guest/user-data.ts";
import { cloudInitData, userDataBounds } from "../../driver-kit/guest/user-data.ts";
import { ensureHostKeys, hostNameOf, type HostKeyPair } from "../../driver-kit/guest/guest-identity.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { readFileIfExists } from "../../system/files.ts";
import type { MetadataItem } from "./api.ts";
import { parsePairs } from "./labels.ts";
import { changeMetadata } from "./metadata-change.ts";
import { ownInstance, type Workplace } from "./workplace.ts";

/** Publishers whose images run cloud-init before SSH is up, and so take host keys. Of all others Google tells the keys. */
const takesKeys: ReadonlySet<string> = new Set(["ubuntu-os-cloud", "ubuntu-os-pro-cloud"]);

/** Google's agent would make host keys of its own at the first boot, after cloud-init has put ours there. */
const agentSettings = {
  path: "/etc/default/instance_configs.cfg",
  content: "\n[InstanceSetup]\nset_host_keys = false\n",
  permissions: "0644",
  append: true,
} as const;

export interface GuestMetadata {
  readonly items: readonly MetadataItem[];
  /** Those that the guest was given. */
  readonly hostKeys: readonly HostKeyPair[];
  /** Sentences for the user. */
  readonly notes: readonly string[];
}

function imageTakesKeys({ config }: Pick<Workplace, "config">): boolean {
  return takesKeys.has(config.MachineImage.split("/")[0] ?? "");
}

/** The same each time for one create. Throws `driver-options` for what is too large or cannot be read. */
export async function guestMetadata(place: Workplace, publicKey: string): Promise<GuestMetadata> {
  const { config } = place;
  const wished = await wishedItems(place);
  const userData = await ownUserData(place, wished);
  const hostKeys = imageTakesKeys(place) ? await ensureHostKeys(place.context) : [];
  const joined = hostKeys.length > 0 || userData !== undefined ? join(place, publicKey, hostKeys, userData) : undefined;
  const login = loginLine(config.SSHUser, publicKey);
  const ours: Readonly<Record<string, string>> = {
    "ssh-keys": [wished.get("ssh-keys"), login].filter((line) => line !== undefined && line !== "").join("\n"),
    "enable-oslogin": "FALSE",
    "block-project-ssh-keys": "TRUE",
    "enable-guest-attributes": "TRUE",
    ...(joined === undefined ? {} : userDataItems(joined)),
  };
  const items = Object.entries({ ...Object.fromEntries(wished), ...ours }).map(([key, value]) => ({ key, value }));
  requireRoom(items);
  return {
    items,
    hostKeys: joined?.hostKeysInjected === true ? hostKeys : [],
    notes: [...(joined?.note === undefined ? [] : [joined.note]), ...unreadNote(place, userData)],
  };
}

/** As the guest agent reads it; the comment is the user's name for some of its versions. */
export function loginLine(userName: string, publicKey: string): string {
  const [type = "", key = ""] = publicKey.trim().split(" ");
  return `${userName}:${type} ${key} ${userName}`;
}

function join(
  place: Workplace,
  publicKey: string,
  hostKeys: readonly HostKeyPair[],
  userData: Uint8Array | undefined,
): CloudInitData {
  const { config, context } = place;
  return cloudInitData({
    identity: { hostName: hostNameOf(context.machineName), userName: config.SSHUser, authorizedKeys: [publicKey], hostKeys },
    keepsImageUser: true,
    writeFiles: hostKeys.length === 0 ? [] : [agentSettings],
    userData,
    bounds: userDataBounds.google,
    userDataFlag: "google-userdata",
  });
}

function userDataItems({ bytes, gzipped }: CloudInitData): Readonly<Record<string, string>> {
  if (!gzipped) return { "user-data": Buffer.from(bytes).toString("utf8") };
  return { "user-data": Buffer.from(bytes).toString("base64"), "user-data-encoding": "base64" };
}

async function wishedItems({ config }: Workplace): Promise<ReadonlyMap<string, string>> {
  const items = new Map(parsePairs("google-metadata", config.MetadataItems));
  for (const [key, file] of parsePairs("google-metadata-from-file", config.MetadataFiles))
    items.set(key, (await readWished(file, "google-metadata-from-file")).toString("utf8"));
  return items;
}

/** GitLab's users give it as an item of the metadata. */
async function ownUserData({ config }: Workplace, wished: ReadonlyMap<string, string>): Promise<Uint8Array | undefined> {
  if (config.Userdata !== "") return await readWished(config.Userdata, "google-userdata");
  const item = wished.get("user-data");
  return item === undefined ? undefined : Buffer.from(item, wished.get("user-data-encoding") === "base64" ? "base64" : "utf8");
}

async function readWished(file: string, flag: string): Promise<Buffer> {
  const bytes = await readFileIfExists(file);
  if (bytes !== undefined) return bytes;
  throw new MachineError("driver-options", `The file ${file} of --${flag} does not exist`, {
    hint: `Give its path with --${flag}, or leave that out.`,
  });
}

const userDataKeys: ReadonlySet<string> = new Set(["user-data", "user-data-encoding"]);

/** Takes the user data, with the host keys in it, away from the instance. */
export async function withdrawUserData(place: Workplace, signal: AbortSignal): Promise<void> {
  if ((await ownInstance(place, signal)) === undefined) return;
  await changeMetadata(
    place,
    (items) => (items.some(({ key }) => userDataKeys.has(key)) ? items.filter(({ key }) => !userDataKeys.has(key)) : items),
    signal,
  );
}

function unreadNote({ config }: Workplace, userData: Uint8Array | undefined): readonly string[] {
  if (userData === undefined || !config.MachineImage.startsWith("debian-cloud/")) return [];
  return [
    "Debian's images at Google have no cloud-init: nothing reads the user data. Give --google-metadata-from-file startup-script=FILE instead.",
  ];
}

const mostValueBytes = 256 * 1024;
const mostBytes = 512 * 1024;

function requireRoom(items: readonly MetadataItem[]): void {
  const sizes = items.map(({ key, value }) => ({ key, bytes: Buffer.byteLength(value) }));
  const large = sizes.find(({ bytes }) => bytes > mostValueBytes);
  const all = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (large === undefined && all <= mostBytes) return;
  const [what, size, most] =
    large === undefined ? ["All metadata", all, mostBytes] : [`The metadata ${large.key}`, large.bytes, mostValueBytes];
  throw new MachineError("driver-options", `${what} has ${size} bytes, and Google takes ${most}`, {
    hint: "Make the values smaller, or have the machine fetch them.",
  });
}
