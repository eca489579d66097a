/**
 * Where a running machine is in the host-only network: its fixed address; else what VirtualBox's DHCP server gave its card, or
 * what additions in the guest tell (boot2docker has them); else the machine itself is asked, through the port that leads to its
 * SSH whatever its network does.
 */
import { isMachineError } from "../../errors/machine-error.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { contains, parseAddress } from "./cidr.ts";
import { parseLease, parseProperty } from "./listings.ts";
import { hostOnlyCidrOf } from "./options.ts";
import type { Workplace } from "./workplace.ts";

/** The second card's, as the additions count. */
const property = "/VirtualBox/GuestInfo/Net/1/V4/IP";
const askMs = 10_000;
/** Each card's hardware address before those of its networks. */
const question = "for card in /sys/class/net/*; do cat $card/address; ip -4 -o addr show dev ${card##*/}; done";

/** "" while nobody knows. */
export async function findAddress(place: Workplace, signal: AbortSignal): Promise<string> {
  const { config } = place;
  if (config.Network === "nat") return "127.0.0.1";
  if (config.HostOnlyAddress !== "") return config.HostOnlyAddress;
  const hasAdditions = config.HostKeys.length === 0;
  const found = hasAdditions
    ? ((await propertyOf(place, signal)) ?? (await leaseOf(place, signal)))
    : ((await leaseOf(place, signal)) ?? (await propertyOf(place, signal)));
  return found ?? (await askGuest(place, signal)) ?? "";
}

async function leaseOf({ tool, config }: Workplace, signal: AbortSignal): Promise<string | undefined> {
  if (config.HostOnlyMac === "" || config.HostOnlyName === "") return undefined;
  const network = `HostInterfaceNetworking-${config.HostOnlyName}`;
  const args = ["dhcpserver", "findlease", `--network=${network}`, `--mac-address=${config.HostOnlyMac}`];
  return await known(async () => parseLease((await tool.run(args, signal)).stdout), signal);
}

async function propertyOf({ tool, config }: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const value = await known(
    async () => parseProperty((await tool.run(["guestproperty", "get", config.VmUuid, property], signal)).stdout),
    signal,
  );
  const address = value === undefined ? undefined : parseAddress(value);
  const cidr = hostOnlyCidrOf(config);
  return address !== undefined && contains(cidr, address) && address !== cidr.address ? value : undefined;
}

/** A server without leases, a network without a server: nobody knows it yet. */
async function known(ask: () => Promise<string | undefined>, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    const isNothing =
      failureKindOf(error) === "not-found" || /VERR_FILE_NOT_FOUND|Failed to find DHCP server/u.test(String(error));
    if (!isNothing) throw error;
    return undefined;
  }
}

/** Undefined where it does not answer yet. */
async function askGuest({ context, config, tool }: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const mac = config.HostOnlyMac === "" ? await tool.find(config.VmUuid, signal) : config.HostOnlyMac;
  const wanted = typeof mac === "object" ? mac.hostOnlyMac : mac;
  if (wanted === undefined || wanted === "" || wanted === "inaccessible") return undefined;
  try {
    await using ssh = await context.openSsh();
    const { stdout } = await ssh.run(question, { timeoutMs: askMs, signal });
    return addressOfCard(stdout.toString("utf8"), wanted);
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error) || isMachineError(error, "host-key-mismatch")) throw error;
    return undefined;
  }
}

/** Out of the answer to the question above. @param mac without separators */
export function addressOfCard(answer: string, mac: string): string | undefined {
  let isCard = false;
  for (const line of answer.split("\n")) {
    if (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/iu.test(line.trim()))
      isCard = line.trim().replaceAll(":", "").toLowerCase() === mac.toLowerCase();
    const address = /\binet ([\d.]+)\//u.exec(line)?.[1];
    if (isCard && address !== undefined) return address;
  }
  return undefined;
}
