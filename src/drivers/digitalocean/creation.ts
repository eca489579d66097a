/**
 * How a machine comes into being: key, firewall, droplet. Each is noted before it is asked for and found again by a call
 * that comes later; DigitalOcean knows no idempotency keys, so a droplet is known by its tag.
 */
import * as path from "node:path";
import { copyNameOf } from "../../driver-kit/core-files.ts";
import { ensureHostKeys, forgetHostKeys, hostNameOf, publicHalves } from "../../driver-kit/guest/guest-identity.ts";
import { cloudInitData, userDataBounds } from "../../driver-kit/guest/user-data.ts";
import { markedName, requireMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { parsePublicKey } from "../../ssh/public-key.ts";
import { readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { poll } from "../../system/waiting.ts";
import type { AccountKey, Action, Droplet } from "./api.ts";
import { md5Of, readUserData, requireAccountKey, userDataFlag } from "./check.ts";
import { createOnce } from "../../driver-kit/create-once.ts";
import { ensureFirewall, firewallTag } from "./firewall.ts";
import { imageField } from "./image.ts";
import { tagsOf } from "./options.ts";
import { joinProject } from "./project.ts";
import { kinds, markedDroplets, recordedDroplet, type Workplace } from "./workplace.ts";

/** How long after a request a droplet may be missing from lists: it is tagged only once it exists. */
export const settleMs = 15_000;

/** Returns as soon as the droplet's number is durable. */
export async function createDroplet(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  const droplet = config.DropletID === 0 ? await makeDroplet(place, signal) : await recordedDroplet(place, signal);
  if (droplet === undefined) throw gone(place);
  config.DropletID = droplet.id;
  await ledger.note(kinds.instance, String(droplet.id), context.machineName);
  await context.save();
  await removeDoubles(place, signal);
  await joinProject(place, signal);
  await forgetHostKeys(context);
}

export function gone({ config, context }: Pick<Workplace, "config" | "context">): MachineError {
  return new MachineError(
    "provider-not-found",
    `The droplet ${config.DropletID} of "${context.machineName}" is gone from DigitalOcean`,
    {
      hint: `Remove the machine and create it again: docker-machine rm ${context.machineName}`,
    },
  );
}

async function makeDroplet(place: Workplace, signal: AbortSignal): Promise<Droplet> {
  const { api, config, context, ledger } = place;
  const { word } = requireMark(context.createId);
  const mayExist = config.RequestedAt !== "";
  const find = async (): Promise<Droplet | undefined> => await findRequested(place, signal);
  const found = mayExist ? await find() : undefined;
  if (found !== undefined) return found;
  const key = await provideKey(place, signal);
  const userData = await writeUserData(place, key);
  await ensureFirewall(place, signal);
  await ledger.intend(kinds.tag, word);
  await ledger.intend(kinds.instance, context.machineName);
  const make = async (): Promise<Droplet> => {
    config.RequestedAt = context.clock.now().toISOString();
    await context.save();
    const body = dropletBody(place, key, userData);
    const answer = await api.send<CreatedDroplet>({ method: "POST", path: "/v2/droplets", body }, signal);
    config.CreateActionId = answer.links?.actions?.find(({ rel }) => rel === "create")?.id ?? 0;
    return answer.droplet;
  };
  return await createOnce({ mayExist: false, find, make });
}

interface CreatedDroplet {
  readonly droplet: Droplet;
  readonly links?: { readonly actions?: readonly { readonly id: number; readonly rel: string }[] } | undefined;
}

/** Looks for what was asked for until it would be in lists if it had been made. */
async function findRequested(place: Workplace, signal: AbortSignal): Promise<Droplet | undefined> {
  const { clock } = place.context;
  const ms = Math.max(0, Date.parse(place.config.RequestedAt) + settleMs - clock.now().getTime());
  const look = async (): Promise<Droplet | undefined> => (await markedDroplets(place, signal))[0];
  return await poll({ ms, clock, signal }, { firstMs: 1_000, mostMs: 4_000 }, look);
}

/** A request that was heard twice, or was repeated before its droplet could be seen, has made another. */
async function removeDoubles(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  for (const { id } of await markedDroplets(place, signal)) {
    if (id === config.DropletID) continue;
    logTo(context.report, "warn", `DigitalOcean made a second droplet, ${id}; removing it`);
    await api.delete(`/v2/droplets/${id}`, signal);
  }
}

/** Without a key DigitalOcean would set a password for root, mail it, and demand that it be changed at the first login. */
function dropletBody({ config, context }: Workplace, key: AccountKey, userData: string): object {
  const { id, word } = requireMark(context.createId);
  const ownTags = config.OpenCidrs.length === 0 ? [word] : [word, firewallTag(id)];
  return {
    name: context.machineName,
    region: config.Region,
    size: config.Size,
    image: imageField(config.Image),
    ssh_keys: [key.id],
    user_data: userData,
    ipv6: config.IPv6,
    backups: config.Backups,
    monitoring: config.Monitoring,
    with_droplet_agent: config.DropletAgent,
    tags: [...ownTags, ...tagsOf(config)],
    ...(config.VpcUuid === "" ? {} : { vpc_uuid: config.VpcUuid }),
    ...(config.PrivateAddressOnly ? { public_networking: false } : {}),
  };
}

/** The key that the user named, or one of the machine's own, which the account is given. */
async function provideKey(place: Workplace, signal: AbortSignal): Promise<AccountKey> {
  const key = place.config.SSHKeyFingerprint === "" ? await makeKey(place, signal) : await takeKey(place, signal);
  place.config.SSHKeyID = key.id;
  return key;
}

/** 0.16.2 takes the copy in the machine's folder; without a file, SSH finds the key itself, in an agent or in its usual places. */
async function takeKey(place: Workplace, signal: AbortSignal): Promise<AccountKey> {
  const { config, context } = place;
  const key = await requireAccountKey(place, signal);
  if (config.SSHKey === "") {
    logTo(
      context.report,
      "info",
      "No SSH key path specified. Assuming the private key is in an agent, or at its default location.",
    );
    return key;
  }
  const copy = path.join(context.machineDir, copyNameOf(path.basename(config.SSHKey)));
  for (const end of ["", ".pub"]) {
    const data = await readFileIfExists(config.SSHKey + end);
    if (data !== undefined) await writeFileAtomic(copy + end, data, 0o600);
  }
  config.SSHKeyPath = copy;
  return key;
}

async function makeKey({ api, config, context, ledger }: Workplace, signal: AbortSignal): Promise<AccountKey> {
  const { createId, machineName } = context;
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  const parsed = parsePublicKey(publicKey);
  if (parsed === undefined) throw new MachineError("ssh-key-unusable", `${privateKeyPath}.pub holds no public key`);
  const fingerprint = md5Of(parsed);
  const mayExist = ledger.of(kinds.sshKey).length > 0;
  config.SSHKeyPath = privateKeyPath;
  await ledger.intend(kinds.sshKey, fingerprint);
  const key = await createOnce({
    mayExist,
    find: async () => (await api.find<{ ssh_key: AccountKey }>(`/v2/account/keys/${fingerprint}`, signal))?.ssh_key,
    make: async () => {
      const body = { name: markedName(machineName, requireMark(createId).id), public_key: publicKey };
      return (await api.send<{ ssh_key: AccountKey }>({ method: "POST", path: "/v2/account/keys", body }, signal)).ssh_key;
    },
  });
  config.SSHKeyID = key.id;
  await ledger.note(kinds.sshKey, String(key.id), fingerprint);
  return key;
}

/** What cloud-init is told; the public halves of the host keys go into the record. */
async function writeUserData(place: Workplace, key: AccountKey): Promise<string> {
  const { config, context } = place;
  const hostKeys = await ensureHostKeys(context);
  const data = cloudInitData({
    identity: { hostName: hostNameOf(context.machineName), userName: config.SSHUser, authorizedKeys: [key.public_key], hostKeys },
    keepsImageUser: true,
    userData: await readUserData(place),
    bounds: userDataBounds.digitalocean,
    userDataFlag,
  });
  if (data.note !== undefined) logTo(context.report, "warn", data.note);
  config.HostKeys = data.hostKeysInjected ? [...publicHalves(hostKeys)] : [];
  return Buffer.from(data.bytes).toString("utf8");
}

/** Whether the request that made the droplet has failed: the droplet stays `new` then. */
export async function hasCreateFailed({ api, config }: Workplace, signal: AbortSignal): Promise<boolean> {
  if (config.CreateActionId === 0) return false;
  const found = await api.find<{ action: Action }>(`/v2/actions/${config.CreateActionId}`, signal);
  return found?.action.status === "errored";
}
