/** `share` and `unshare`: others use the engine of a machine, each by a key of their own. No key of ours leaves. */
import { formatTicket, type ShareMode, type ShareTicket } from "../../driver-kit/share-ticket.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { loadPinnedKeys } from "../../ssh/host-keys.ts";
import { fingerprintOf, formatPublicKey, type PublicKey } from "../../ssh/public-key.ts";
import { listGuests, shareHost, unshareHost, type Guest } from "../../provision/host/guests.ts";
import { guestUser } from "../../provision/shell/guest-paths.ts";
import type { ProvisionContext } from "../../provision/provision-context.ts";
import type { ProvisionRequest } from "../../provision/provision-request.ts";
import type { GivenCertificate } from "../../store/host-record.ts";
import type { Host } from "../host/host.ts";
import { locate } from "../host/locate.ts";
import { openHost } from "../host/open-host.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { loggedIn } from "../provision-machine.ts";
import { cannotRevoke, livingCertificates } from "./certificate-share.ts";
import { requireSharable } from "./sharable.ts";

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
  /** What `share --tls` gave and whose time is not over: of that the record tells, no host knows. */
  readonly certificates: readonly GuestCertificate[];
}

export interface GuestCertificate {
  readonly person: string;
  readonly since: string;
  readonly until: string;
  readonly fingerprint: string;
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
    requireOwnAddress(host);
    const place = await placeOf(host);
    await shareHost(request, at, grant);
    return { name, until, ticket: formatTicket({ ...place, guestKey: fingerprint, mode, until: until.toISOString() }) };
  });
}

/** What can be told without asking the machine: before a person is asked. Throws `driver-unsupported`, and for an interrupted one. */
export async function requireSharableMachine(context: MachineContext, name: string): Promise<void> {
  await using host = await openShared(context, name);
  await requireCreated(host);
  requireOwnAddress(host);
}

function requireOwnAddress({ name, driver }: Host): void {
  if (driver.sshConfigHost === undefined) return;
  throw new MachineError(
    "driver-unsupported",
    `"${name}" is reached through an entry of your ssh_config, which guests have not`,
    {
      hint: "Adopt it by its address to share it.",
    },
  );
}

/** The connection stands, so its keys are pinned. */
async function placeOf(host: Host): Promise<Pick<ShareTicket, "machine" | "address" | "port" | "user" | "hostKeys">> {
  const { hostName, port, hostKeys } = await host.sshTarget();
  const keys = (await loadPinnedKeys(hostKeys)).map(formatPublicKey);
  return { machine: host.name, address: hostName, port, user: guestUser, hostKeys: keys };
}

export async function readGuests(context: MachineContext, name: string, signal: AbortSignal): Promise<MachineGuests> {
  await using host = await openShared(context, name);
  const guests = await loggedIn(context, host, signal, listGuests);
  return { name, guests, certificates: certificatesOf(context, host) };
}

function certificatesOf({ clock }: MachineContext, { record }: Host): GuestCertificate[] {
  return livingCertificates(record.extra.GuestCertificates, clock.now()).map(({ Person, Since, Until, Fingerprint }) => ({
    person: Person,
    since: Since,
    until: Until,
    fingerprint: Fingerprint,
  }));
}

/**
 * Gives the guests that stay. Throws `machine-state` for one who is none, and for one who holds a certificate, whom nothing
 * shuts out: after the others.
 */
export async function unshareMachine(
  context: MachineContext,
  name: string,
  persons: readonly string[],
  signal: AbortSignal,
): Promise<MachineGuests> {
  let held: readonly GivenCertificate[] = [];
  const left = await onMachine(context, name, "unshare", signal, async (host, request, at) => {
    const { extra } = host.record;
    const given = livingCertificates(extra.GuestCertificates, context.clock.now());
    held = given.filter(({ Person }) => persons.includes(Person));
    const there = held.length === 0 ? undefined : await listGuests(request, at);
    const guests = there?.map(({ person }) => person);
    const ended = persons.filter((person) => guests?.includes(person) !== false || !held.some(({ Person }) => Person === person));
    const stay = ended.length > 0 ? await unshareHost(request, at, ended) : (there ?? []);
    return { name, guests: stay, certificates: certificatesOf(context, host) };
  });
  if (held.length > 0) throw cannotRevoke(name, held);
  return left;
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
  try {
    requireSharable(host);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
}
