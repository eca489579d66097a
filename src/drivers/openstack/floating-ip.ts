/**
 * The floating address: always one of the machine's own, made for its port and removed with it. (0.16.2 took any of the
 * project that nobody used, and two machines that were made at a time took the same.)
 */
import { createOnce } from "../../driver-kit/create-once.ts";
import { requireMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import { portOf, type Port } from "./network.ts";
import { tagThing } from "./network-tags.ts";
import { kinds, marked, pace, type FloatingIp, type Workplace } from "./workplace.ts";

const path = "/floatingips";

/** Does nothing where no pool is named. Called once the server is active, so that its port is there. */
export async function ensureFloatingIp(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config, context, ledger } = place;
  if (config.FloatingIpPool === "") return;
  const { word } = requireMark(context.createId);
  const port = await requirePort(place, signal);
  const mayExist = ledger.of(kinds.floatingIp).length > 0;
  await ledger.intend(kinds.floatingIp, word);
  const find = async (): Promise<FloatingIp | undefined> =>
    (await marked(place, kinds.floatingIp, signal))[0] as FloatingIp | undefined;
  const make = async (): Promise<FloatingIp> => {
    const floatingip = { floating_network_id: config.FloatingIpPoolId, port_id: port.id, description: word };
    const request = { method: "POST", path, body: { floatingip } } as const;
    return (await api.send<{ floatingip: FloatingIp }>("network", request, signal)).floatingip;
  };
  const made = await createOnce({ mayExist, find, make });
  await ledger.note(kinds.floatingIp, made.id, word);
  await removeDoubles(place, made.id, signal);
  if (made.port_id !== port.id)
    await api.send("network", { method: "PUT", path: `${path}/${made.id}`, body: { floatingip: { port_id: port.id } } }, signal);
  await tagThing(place, `${path}/${made.id}`, signal);
}

async function requirePort(place: Workplace, signal: AbortSignal): Promise<Port> {
  const { clock, operationMs } = place.context;
  return await poll(
    { ms: operationMs, clock, signal },
    pace,
    async () => await portOf(place, signal),
    "OpenStack gave the instance no port",
  );
}

/** A request that was heard twice has made another, which is paid for. */
async function removeDoubles(place: Workplace, own: string, signal: AbortSignal): Promise<void> {
  for (const { id } of await marked(place, kinds.floatingIp, signal)) {
    if (id === own) continue;
    logTo(place.context.report, "warn", `OpenStack made a second floating IP, ${id}; removing it`);
    await place.api.delete("network", `${path}/${id}`, signal);
  }
}

/** Undefined where the machine has none of its own, or it is gone. */
export async function ownFloatingIp({ api, ledger }: Workplace, signal: AbortSignal): Promise<FloatingIp | undefined> {
  const id = ledger.idOf(kinds.floatingIp);
  return id === undefined
    ? undefined
    : (await api.find<{ floatingip: FloatingIp }>("network", `${path}/${id}`, signal))?.floatingip;
}

interface QuotaDetail {
  readonly limit: number;
  readonly used: number;
  readonly reserved?: number | undefined;
}

/** Throws `provider-quota` where the project may have no more. Clouds that do not tell are believed. */
export async function checkFloatingIpQuota({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  const project = config.FloatingIpPool === "" ? undefined : await api.session.project(signal);
  if (project === undefined) return;
  const details = `/quotas/${project.id}/details.json`;
  const answer = await api
    .find<{ quota: Readonly<Record<string, QuotaDetail>> }>("network", details, signal)
    .catch((error: unknown) => {
      signal.throwIfAborted();
      if (error instanceof MachineError && error.code === "provider-permission") return undefined;
      throw error;
    });
  const { limit, used, reserved = 0 } = answer?.quota["floatingip"] ?? { limit: -1, used: 0 };
  if (limit < 0 || used + reserved < limit) return;
  throw new MachineError("provider-quota", `The project may have ${limit} floating IPs, and has ${used + reserved}`, {
    hint: "Release one that nobody uses (openstack floating ip list), or ask the operator for more.",
  });
}
