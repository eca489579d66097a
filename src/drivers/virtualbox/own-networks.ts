/**
 * Which host-only networks docker-machine made, and what DHCP servers were before it changed them: noted in VirtualBox's own global
 * settings, where every store and process of this user finds it.
 */
import { parseExtraData } from "./listings.ts";
import type { Workplace } from "./workplace.ts";

const networkKey = "docker-machine/hostonly/";
const serverKey = "docker-machine/dhcp/";
/** Before the CIDR of a network that has no address yet. */
const newMark = "new ";

export interface OwnNetworks {
  /** CIDR of each, behind a word while it is new; by its name. */
  readonly marks: ReadonlyMap<string, string>;
  /** Settings that a DHCP server had, by its network's name. */
  readonly formerServers: ReadonlyMap<string, string>;
}

export async function ownNetworks({ tool }: Workplace, signal: AbortSignal): Promise<OwnNetworks> {
  const all = [...parseExtraData((await tool.run(["getextradata", "global", "enumerate"], signal)).stdout)];
  const below = (prefix: string): ReadonlyMap<string, string> =>
    new Map(all.flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [])));
  return { marks: below(networkKey), formerServers: below(serverKey) };
}

/** Before it is made, and once it has its address. */
export async function markNetwork(
  { tool, config }: Workplace,
  name: string,
  age: "new" | "whole",
  signal: AbortSignal,
): Promise<void> {
  const value = age === "new" ? `${newMark}${config.HostOnlyCIDR}` : config.HostOnlyCIDR;
  await tool.run(["setextradata", "global", `${networkKey}${name}`, value], signal);
}

/** Without a value the key goes. */
export async function unmarkNetwork({ tool }: Workplace, name: string, signal: AbortSignal): Promise<void> {
  await tool.run(["setextradata", "global", `${networkKey}${name}`], signal);
}

export async function noteServer({ tool }: Workplace, networkName: string, was: string, signal: AbortSignal): Promise<void> {
  await tool.run(["setextradata", "global", `${serverKey}${networkName}`, was], signal);
}

export async function forgetServer({ tool }: Workplace, networkName: string, signal: AbortSignal): Promise<void> {
  await tool.run(["setextradata", "global", `${serverKey}${networkName}`], signal);
}

/** Whether a mark says that docker-machine makes, or made, this very network. */
export function isMarkOf(mark: string | undefined, cidr: string): boolean {
  return mark === cidr || isNewMarkOf(mark, cidr);
}

export function isNewMarkOf(mark: string | undefined, cidr: string): boolean {
  return mark === `${newMark}${cidr}`;
}

/**
 * Whether an interface is the marked one: it has the address that the mark names; while it was to get that, also none, or one of
 * those that VirtualBox gives where nobody chooses.
 */
export function isMarked(address: string, mark: string): boolean {
  const isNew = mark.startsWith(newMark);
  const cidr = isNew ? mark.slice(newMark.length) : mark;
  return address === cidr.split("/")[0] || (isNew && /^(?:|0\.0\.0\.0|192\.168\.(?:5[6-9]|6[0-3])\.1)$/u.test(address));
}
