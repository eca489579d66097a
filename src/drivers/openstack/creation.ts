/**
 * How a machine comes into being: key pair, security group, data volume, server; then, once that is active, its floating
 * address. Each is noted before it is asked for and found again by a call that comes later; OpenStack knows no idempotency
 * keys, so a server is known by its metadata and its name.
 */
import { createOnce } from "../../driver-kit/create-once.ts";
import { forgetHostKeys } from "../../driver-kit/guest/guest-identity.ts";
import { requireMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import { faultFailure } from "./failures.ts";
import { writeUserData } from "./first-boot.ts";
import { ensureFloatingIp } from "./floating-ip.ts";
import { provideKey } from "./login-key.ts";
import { ensureGroups } from "./security-group.ts";
import { attachVolume, ensureVolume, rootVolume } from "./volume.ts";
import { kinds, marked, ownMetadata, pace, recordedServer, type Server, type Workplace } from "./workplace.ts";

/** How long after a request without a good answer a server may still come into lists. */
export const settleMs = 15_000;

/** Returns when the server is active and has its address. */
export async function createServer(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context, ledger } = place;
  requireMark(context.createId);
  const volume = config.MachineId === "" ? await begin(place, signal) : await ensureVolume(place, signal);
  await ledger.note(kinds.instance, config.MachineId, context.machineName);
  await context.save();
  await removeDoubles(place, signal);
  await forgetHostKeys(context);
  await untilActive(place, signal);
  await ensureFloatingIp(place, signal);
  if (volume !== undefined) await attachVolume(place, volume, signal);
}

/** Up to the server's id; gives the data volume's. */
async function begin(place: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const { api, config, context, ledger } = place;
  const find = async (): Promise<Server | undefined> => await findRequested(place, signal);
  const earlier = config.RequestedAt === "" ? undefined : await find();
  if (earlier !== undefined) {
    config.MachineId = earlier.id;
    return await ensureVolume(place, signal);
  }
  const userData = await writeUserData(place, await provideKey(place, signal));
  const groups = await ensureGroups(place, signal);
  const volume = await ensureVolume(place, signal);
  await ledger.intend(kinds.instance, context.machineName);
  const make = async (): Promise<Pick<Server, "id">> => {
    const body = serverBody(place, { userData, groups, version: await api.computeVersion(signal) });
    config.RequestedAt = context.clock.now().toISOString();
    await context.save();
    const { server } = await api.send<CreatedServer>("compute", { method: "POST", path: "/servers", body }, signal);
    // A password for the image's user, which nobody asked for.
    if (server.adminPass !== undefined) context.secret(server.adminPass);
    return server;
  };
  config.MachineId = (await createOnce<Pick<Server, "id">>({ mayExist: false, find, make })).id;
  return volume;
}

interface CreatedServer {
  readonly server: { readonly id: string; readonly adminPass?: string | undefined };
}

interface Prepared {
  readonly userData: string;
  readonly groups: readonly string[];
  /** N of Nova's 2.N. */
  readonly version: number;
}

function serverBody(place: Workplace, { userData, groups, version }: Prepared): object {
  const { config, context } = place;
  const server = {
    name: context.machineName,
    flavorRef: config.FlavorId,
    ...rootVolume(place, version),
    key_name: config.KeyPairName,
    user_data: userData,
    config_drive: config.ConfigDrive,
    networks: [{ uuid: config.NetworkId }],
    metadata: ownMetadata(place),
    ...(groups.length === 0 ? {} : { security_groups: groups.map((name) => ({ name })) }),
    ...(config.AvailabilityZone === "" ? {} : { availability_zone: config.AvailabilityZone }),
    ...(version < 52 ? {} : { tags: [requireMark(context.createId).word] }),
  };
  const hints = config.ServerGroupId === "" ? {} : { "os:scheduler_hints": { group: config.ServerGroupId } };
  return { server, ...hints };
}

/** Looks for what was asked for until it would be in lists if it had been made. */
async function findRequested(place: Workplace, signal: AbortSignal): Promise<Server | undefined> {
  const { clock } = place.context;
  const ms = Math.max(0, Date.parse(place.config.RequestedAt) + settleMs - clock.now().getTime());
  const look = async (): Promise<Server | undefined> => (await marked(place, kinds.instance, signal))[0] as Server | undefined;
  return await poll({ ms, clock, signal }, pace, look);
}

/** A request that was heard twice, or was repeated before its server could be seen, has made another. */
async function removeDoubles(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  for (const { id } of await marked(place, kinds.instance, signal)) {
    if (id === config.MachineId) continue;
    logTo(context.report, "warn", `OpenStack made a second instance, ${id}; removing it`);
    await api.delete("compute", `/servers/${id}`, signal);
  }
}

export function gone({ config, context }: Pick<Workplace, "config" | "context">): MachineError {
  return new MachineError(
    "provider-not-found",
    `The instance ${config.MachineId} of "${context.machineName}" is gone from OpenStack`,
    { hint: `Remove the machine and create it again: docker-machine rm ${context.machineName}` },
  );
}

/** Just after it was asked for, a server may not be known to all of Nova. */
export const unknownMs = 30_000;

/** Until the server is built, within what `--openstack-active-timeout` says. Also one that was stopped since is built. */
async function untilActive(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  const { clock } = context;
  const sinceMs = clock.monotonicMs();
  const look = async (): Promise<true | undefined> => {
    const server = await recordedServer(place, signal);
    if (server === undefined && clock.monotonicMs() - sinceMs >= unknownMs) throw gone(place);
    if (server?.status === "ERROR") throw failedBuild(place, server);
    return server === undefined || server.status === "BUILD" ? undefined : true;
  };
  const late = `The instance of "${context.machineName}" was not active (--openstack-active-timeout)`;
  await poll({ ms: config.ActiveTimeout * 1_000, clock, signal }, pace, look, late);
}

/** By what Nova says of it, with 0.16.2's sentence as the cause. */
function failedBuild({ api }: Workplace, { fault }: Server): MachineError {
  const cause = new MachineError("provider-error", "Instance creation failed. Instance is in ERROR state");
  const { code, message, hint } = api.explain(faultFailure(fault));
  return new MachineError(code, `${cause.message}: ${message}`, { hint, cause });
}
