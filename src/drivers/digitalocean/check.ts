/** What is checked before anything is made: first what this computer knows, then what the account and the region have. */
import { createHash } from "node:crypto";
import { cloudInitData, userDataBounds } from "../../driver-kit/guest/user-data.ts";
import { ensureHostKeys, hostNameOf } from "../../driver-kit/guest/guest-identity.ts";
import { requireInstanceName } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { loadPrivateKey } from "../../ssh/keys.ts";
import { inPrivateFolder } from "../../ssh/private-folder.ts";
import type { PublicKey } from "../../ssh/public-key.ts";
import { readFileIfExists } from "../../system/files.ts";
import type { AccountKey, Region } from "./api.ts";
import { resolveImage } from "./image.ts";
import { resolveProject } from "./project.ts";
import type { Workplace } from "./workplace.ts";

/** Throws with nothing made. Afterwards the record's image is the one that will be asked for. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  requireInstanceName("digitalocean", place.context.machineName);
  const ownKey = await checkKeyFile(place);
  await checkUserData(place);
  await checkAccount(place, signal);
  await checkRegion(place, signal);
  place.config.Image = await resolveImage(place, signal);
  await checkAccountKey(place, ownKey, signal);
  await checkVpc(place, signal);
  place.config.ProjectId = await resolveProject(place, signal);
}

async function checkKeyFile({ config, context }: Workplace): Promise<PublicKey | undefined> {
  if (config.SSHKey === "") return undefined;
  if ((await readFileIfExists(config.SSHKey)) === undefined)
    throw new MachineError("driver-options", `SSH key does not exist: ${JSON.stringify(config.SSHKey)}`, {
      hint: "Give the path of a private key with --digitalocean-ssh-key-path.",
    });
  return (await loadPrivateKey(config.SSHKey, context.computer)).publicKey;
}

/** The user's file; undefined where none was given. */
export async function readUserData({ config }: Pick<Workplace, "config">): Promise<Uint8Array | undefined> {
  if (config.UserDataFile === "") return undefined;
  const bytes = await readFileIfExists(config.UserDataFile);
  if (bytes !== undefined) return bytes;
  throw new MachineError("driver-options", `user-data file ${config.UserDataFile} could not be found`, {
    hint: "Give its path with --digitalocean-userdata, or leave that out.",
  });
}

/** What a login key's line takes, at most but for RSA. */
const standInKey = `ssh-ed25519 ${"A".repeat(400)}`;

/** Joins the user's file with an identity as long as the machine's will be. */
async function checkUserData(place: Workplace): Promise<void> {
  const userData = await readUserData(place);
  if (userData === undefined) return;
  const { context, config } = place;
  await inPrivateFolder(context.computer, async (machineDir) => {
    const hostKeys = await ensureHostKeys({ ...context, machineDir });
    const identity = {
      hostName: hostNameOf(context.machineName),
      userName: config.SSHUser,
      authorizedKeys: [standInKey],
      hostKeys,
    };
    cloudInitData({ identity, keepsImageUser: true, userData, bounds: userDataBounds.digitalocean, userDataFlag });
  });
}

export const userDataFlag = "digitalocean-userdata";

interface Account {
  readonly status: "active" | "warning" | "locked";
  readonly status_message: string;
}

async function checkAccount({ api }: Workplace, signal: AbortSignal): Promise<void> {
  const { account } = await api.send<{ account: Account }>({ method: "GET", path: "/v2/account" }, signal);
  if (account.status !== "locked") return;
  const why = account.status_message === "" ? "" : `: ${account.status_message.replace(/\.$/u, "")}`;
  throw new MachineError("provider-account", `DigitalOcean has locked the account${why}`, {
    hint: "See https://cloud.digitalocean.com/account, or ask DigitalOcean's support.",
  });
}

/** In 0.16.2's words where it had some. */
async function checkRegion({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const regions = await api.list<Region>("/v2/regions", "regions", {}, signal);
  const region = regions.find(({ slug }) => slug === config.Region);
  const open = regions.filter(({ available }) => available);
  const choice = open.map(({ slug }) => slug).toSorted();
  if (region === undefined)
    throw new MachineError(
      "provider-not-found",
      `digitalocean requires a valid region, and ${JSON.stringify(config.Region)} is none`,
      {
        hint: `Choose one of ${choice.join(", ")} with --digitalocean-region.`,
      },
    );
  if (!region.available)
    throw new MachineError("provider-capacity", `The region ${region.slug} takes no new droplets now`, {
      hint: `Choose another with --digitalocean-region: ${choice.join(", ")}.`,
    });
  if (!region.sizes.includes(config.Size)) throw sizeMissing(config.Size, region, open);
  for (const [wanted, feature] of [
    [config.IPv6, "ipv6"],
    [config.Backups, "backups"],
  ] as const) {
    if (wanted && !region.features.includes(feature))
      throw new MachineError("provider-unsupported", `The region ${region.slug} does not offer ${feature}`, {
        hint: `Leave --digitalocean-${feature} out, or choose another region.`,
      });
  }
}

/** Where no region has a size, it does not exist. */
function sizeMissing(size: string, { slug, sizes }: Region, open: readonly Region[]): MachineError {
  const elsewhere = open.filter((each) => each.sizes.includes(size)).map((each) => each.slug);
  if (elsewhere.length > 0)
    return new MachineError("provider-capacity", `The size ${size} cannot be had in the region ${slug} now`, {
      hint: `Choose another --digitalocean-size, or one of these with --digitalocean-region: ${elsewhere.toSorted().join(", ")}.`,
    });
  return new MachineError("provider-not-found", `DigitalOcean has no size ${JSON.stringify(size)}`, {
    hint: `Choose one that the region ${slug} has with --digitalocean-size: ${sizes.toSorted().join(", ")}.`,
  });
}

async function checkAccountKey(place: Workplace, own: PublicKey | undefined, signal: AbortSignal): Promise<void> {
  if (place.config.SSHKeyFingerprint === "") return;
  const { fingerprint } = await requireAccountKey(place, signal);
  if (own === undefined || md5Of(own) === fingerprint.toLowerCase()) return;
  throw new MachineError(
    "driver-options",
    `${place.config.SSHKey} is not the key that the account has under ${place.config.SSHKeyFingerprint}: its fingerprint is ${md5Of(own)}`,
    { hint: `Give --digitalocean-ssh-key-fingerprint ${md5Of(own)}, or the path of the other key.` },
  );
}

/** The key that the user names. Keys are never listed: that is allowed ten times a minute. */
export async function requireAccountKey({ api, config }: Workplace, signal: AbortSignal): Promise<AccountKey> {
  const given = config.SSHKeyFingerprint;
  const found = await api.find<{ ssh_key: AccountKey }>(`/v2/account/keys/${encodeURIComponent(given)}`, signal);
  if (found !== undefined) return found.ssh_key;
  throw new MachineError("provider-not-found", `Digital Ocean SSH key with fingerprint ${given} doesn't exist`, {
    hint: "See doctl compute ssh-key list, or leave --digitalocean-ssh-key-fingerprint out: then the machine gets a key of its own.",
  });
}

/** As DigitalOcean writes fingerprints. */
export function md5Of({ blob }: PublicKey): string {
  const digest = createHash("md5").update(blob).digest("hex");
  return (digest.match(/../gu) ?? []).join(":");
}

interface Vpc {
  readonly id: string;
  readonly name: string;
  readonly region: string;
}

async function checkVpc({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  if (config.VpcUuid === "") return;
  const vpcs = await api.list<Vpc>("/v2/vpcs", "vpcs", {}, signal);
  const here = vpcs.filter(({ region }) => region === config.Region);
  if (here.some(({ id }) => id === config.VpcUuid)) return;
  const known = vpcs.find(({ id }) => id === config.VpcUuid);
  const choice = here.map(({ id, name }) => `${id} (${name})`).join(", ");
  const sentence =
    known === undefined
      ? `The account has no VPC ${config.VpcUuid}`
      : `The VPC ${known.name} is in the region ${known.region}, and the droplet is to be in ${config.Region}`;
  throw new MachineError("provider-not-found", sentence, {
    hint: `Choose one of this region with --digitalocean-vpc-uuid, or leave that out${choice === "" ? "" : `: ${choice}`}.`,
  });
}
