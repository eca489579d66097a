/** `share` and `unshare`: others use the engine of a machine, each by a key of their own. No key of ours leaves. */
import { formatTicket, type ShareMode, type ShareTicket } from "../../driver-kit/share-ticket.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { loadPinnedKeys } from "../../ssh/host-keys.ts";
import { fingerprintOf, formatPublicKey, type PublicKey } from "../../ssh/public-key.ts";
import { listGuests, shareHost, unshareHost, type Guest } from "../../provision/host/guests.ts";
import { guestUser } from "../../provision/shell/guest-paths.ts";
import type { ProvisionContext } from "../../provision/provision-context.ts";
import type { ProvisionRequest } from "../../provision/provision-request.ts";
import { isProvisioned, type Host } from "../host/host.ts";
import { locate } from "../host/locate.ts";
import { openHost } from "../host/open-host.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { loggedIn } from "../provision-machine.ts";

export interface GuestRequest {
  readonly person: string;
  readonly key: PublicKey;
  readonly mode: ShareMode;
  /** Milliseconds from now on. */
  readonly forMs: number;
}

export interface Shared {
  readonly name: string;
  /** For the guest; see {@link formatTicket}. */
  readonly ticket: string;
  readonly until: Date;
}

export interface MachineGuests {
  readonly name: string;
  readonly guests: readonly Guest[];
}

/** Throws what connecting throws, and `driver-unsupported` where the machine's SSH server cannot be trusted with guests. */
export async function shareMachine(
  context: MachineContext,
  name: string,
  { person, key, mode, forMs }: GuestRequest,
  signal: AbortSignal,
): Promise<Shared> {
  const until = new Date(Math.floor((context.clock.now().getTime() + forMs) / 1_000) * 1_000);
  const fingerprint = fingerprintOf(key);
  const publicKey = formatPublicKey(key);
  const grant = { person, mode, fingerprint, publicKey, untilEpochSeconds: until.getTime() / 1_000 };
  return await onMachine(context, name, "share", signal, async (host, request, at) => {
    const place = await placeOf(host);
    await shareHost(request, at, grant);
    return { name, until, ticket: formatTicket({ ...place, guestKey: fingerprint, mode, until: until.toISOString() }) };
  });
}

/** The connection stands, so its keys are pinned. */
async function placeOf(host: Host): Promise<Pick<ShareTicket, "machine" | "address" | "port" | "user" | "hostKeys">> {
  const { hostName, port, hostKeys } = await host.sshTarget();
  if (host.driver.sshConfigHost !== undefined) {
    throw new MachineError(
      "driver-unsupported",
      `"${host.name}" is reached through an entry of your ssh_config, which guests have not`,
      {
        hint: "Adopt it by its address to share it.",
      },
    );
  }
  const keys = (await loadPinnedKeys(hostKeys)).map(formatPublicKey);
  return { machine: host.name, address: hostName, port, user: guestUser, hostKeys: keys };
}

export async function readGuests(context: MachineContext, name: string, signal: AbortSignal): Promise<MachineGuests> {
  await using host = await openShared(context, name);
  return { name, guests: await loggedIn(context, host, signal, listGuests) };
}

/** Gives the guests that stay. Throws `machine-state` for one who is none. */
export async function unshareMachine(
  context: MachineContext,
  name: string,
  persons: readonly string[],
  signal: AbortSignal,
): Promise<MachineGuests> {
  return await onMachine(context, name, "unshare", signal, async (_, request, at) => ({
    name,
    guests: await unshareHost(request, at, persons),
  }));
}

async function onMachine<T>(
  context: MachineContext,
  name: string,
  purpose: string,
  signal: AbortSignal,
  work: (host: Host, request: ProvisionRequest, at: ProvisionContext) => Promise<T>,
): Promise<T> {
  await using lock = await lockMachine(context, name, purpose, signal);
  await using host = await openShared(context, name);
  await requireCreated(host);
  await locate(context, host, lock.signal);
  const result = await loggedIn(context, host, lock.signal, async (request, at) => await work(host, request, at));
  await host.save();
  return result;
}

async function openShared(context: MachineContext, name: string): Promise<Host> {
  const host = await openHost(context, name);
  const { onThisComputer, guest } = host.module.capabilities;
  if (isProvisioned(host) && onThisComputer !== true) return host;
  await host[Symbol.asyncDispose]();
  throw notToBeShared(name, onThisComputer === true ? "local" : guest === true ? "guest" : "unmanaged");
}

const reasons = {
  local: {
    why: "lives on this computer, where nobody else reaches it",
    hint: "Share a machine that they reach: one in a cloud, or a box that was adopted with --driver generic.",
  },
  guest: {
    why: "is looked after by somebody else",
    hint: "Its owner shares it with others too: they print what is needed with docker-machine share request.",
  },
  unmanaged: {
    why: "is looked after by somebody else",
    hint: "To share an engine by SSH, adopt its box with: docker-machine create --driver generic --generic-ip-address ADDRESS NAME",
  },
} as const;

function notToBeShared(name: string, kind: keyof typeof reasons): MachineError {
  const { why, hint } = reasons[kind];
  return new MachineError("driver-unsupported", `"${name}" ${why}, so it cannot be shared`, { hint });
}
