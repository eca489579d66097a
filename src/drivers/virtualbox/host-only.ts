/**
 * The network that this computer and its machines share: a host-only interface on Linux and Windows, a host-only network on a Mac
 * since VirtualBox 7. One whose address fits is used, whoever made it; else one is made and marked in VirtualBox's own settings,
 * before it exists, so that whoever comes after a crash knows it. What others made is used as it is: never given another
 * address, another DHCP server, or taken away.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import { dhcpRange, contains, formatAddress, netmaskOf, networkOf, parseAddress, prefixOf, type Cidr } from "./cidr.ts";
import { isAtLeast, parseHostOnlyInterfaces, parseHostOnlyNetworks, type HostOnlyInterface } from "./listings.ts";
import { ensureDhcp, networkNameOf, takeDhcpBack } from "./dhcp.ts";
import { unlessGone } from "./failures.ts";
import { forgetServer, isMarked, isNewMarkOf, markNetwork, ownNetworks, unmarkNetwork } from "./own-networks.ts";
import { hostOnlyCidrOf } from "./options.ts";
import { kinds, type Workplace } from "./workplace.ts";

/** A new interface is not listed at once. */
const visibleMs = 10_000;
const visiblePollMs = 1_000;

export interface HostOnly {
  readonly form: "interface" | "network";
  readonly name: string;
}

/** Macs have networks since VirtualBox 7, and interfaces no more. */
async function hostOnlyForm({ context, tool }: Workplace, signal: AbortSignal): Promise<HostOnly["form"]> {
  if (context.computer.os !== "darwin") return "interface";
  const version = await tool.version(signal);
  return version !== undefined && isAtLeast(version, [7, 0, 0]) ? "network" : "interface";
}

/** Finds or makes the machine's network. Called again, it finds what it made. */
export async function ensureHostOnly(place: Workplace, signal: AbortSignal): Promise<HostOnly> {
  const form = await hostOnlyForm(place, signal);
  await using _lock = await place.tool.lockShared(signal);
  const name = form === "interface" ? await ensureInterface(place, signal) : await ensureNetwork(place, signal);
  return { form, name };
}

/** Arguments of `modifyvm` for the second card. */
export function cardArguments({ form, name }: HostOnly): readonly string[] {
  return form === "interface"
    ? ["--nic2", "hostonly", "--hostonlyadapter2", name]
    : ["--nic2", "hostonlynet", "--host-only-net2", name];
}

async function ensureInterface(place: Workplace, signal: AbortSignal): Promise<string> {
  const cidr = hostOnlyCidrOf(place.config);
  const interfaces = await listInterfaces(place, signal);
  requireDistinct(interfaces);
  const fitting = interfaces.find((one) => fits(one, cidr));
  if (fitting !== undefined) {
    await ensureDhcp(place, fitting, cidr, signal);
    return fitting.name;
  }
  requireNoConflict(place, interfaces, cidr);
  const name = (await abandoned(place, interfaces, signal)) ?? (await createInterface(place, interfaces, signal));
  const facts = { cidr: place.config.HostOnlyCIDR, range: `${formatAddress(networkOf(cidr))}/${cidr.prefix}` };
  const address = ["--ip", formatAddress(cidr.address), "--netmask", formatAddress(netmaskOf(cidr))];
  await place.tool.run(["hostonlyif", "ipconfig", name, ...address], signal, { facts });
  const visible = await waitUntilVisible(place, name, cidr, signal);
  await markNetwork(place, name, "whole", signal);
  await ensureDhcp(place, visible, cidr, signal);
  return name;
}

async function listInterfaces({ tool }: Workplace, signal: AbortSignal): Promise<readonly HostOnlyInterface[]> {
  return parseHostOnlyInterfaces((await tool.run(["list", "hostonlyifs"], signal)).stdout);
}

function fits({ address, netmask }: HostOnlyInterface, cidr: Cidr): boolean {
  return parseAddress(address) === cidr.address && prefixOf(netmask) === cidr.prefix;
}

/** In 0.16.2's words. */
function requireDistinct(interfaces: readonly HostOnlyInterface[]): void {
  const twice = (of: (one: HostOnlyInterface) => string): string | undefined =>
    interfaces.map(of).find((value, index, all) => value !== "" && value !== "0.0.0.0" && all.indexOf(value) !== index);
  const name = twice((one) => one.name);
  if (name !== undefined) throw duplicate("name", name);
  const address = twice((one) => one.address);
  if (address !== undefined) throw duplicate("IP", address);
}

function duplicate(what: string, value: string): MachineError {
  const sentence = `VirtualBox is configured with multiple host-only adapters with the same ${what} ${JSON.stringify(value)}`;
  return new MachineError("driver-failed", `${sentence}. Please remove one`, {
    hint: "See them with VBoxManage list hostonlyifs, and remove one with VBoxManage hostonlyif remove.",
  });
}

/** Whether another network of this computer has these addresses already. */
function requireNoConflict({ surroundings }: Workplace, interfaces: readonly HostOnlyInterface[], cidr: Cidr): void {
  const others = surroundings.networks().filter(({ name }) => !interfaces.some((one) => one.name === name));
  const rival = others.find(({ address, netmask }) => {
    const [at, prefix] = [parseAddress(address), prefixOf(netmask)];
    return at !== undefined && prefix !== undefined && overlap({ address: at, prefix }, cidr);
  });
  if (rival === undefined) return;
  throw new MachineError(
    "driver-options",
    `host-only cidr conflicts with the network address of a host interface: ${rival.name} has ${rival.address}`,
    { hint: "Choose another network with --virtualbox-hostonly-cidr." },
  );
}

function overlap(one: Cidr, other: Cidr): boolean {
  const wider = one.prefix <= other.prefix ? one : other;
  return contains(wider, (wider === one ? other : one).address);
}

/** One of ours for the same network that a command which was cut off left without an address. */
async function abandoned(
  place: Workplace,
  interfaces: readonly HostOnlyInterface[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { marks } = await ownNetworks(place, signal);
  const found = interfaces.find(({ name }) => isNewMarkOf(marks.get(name), place.config.HostOnlyCIDR));
  if (found !== undefined) await place.ledger.note(kinds.hostOnly, found.name);
  return found?.name;
}

async function createInterface(place: Workplace, interfaces: readonly HostOnlyInterface[], signal: AbortSignal): Promise<string> {
  const expected = nextName(place, interfaces);
  await place.ledger.intend(kinds.hostOnly, expected);
  await markNetwork(place, expected, "new", signal);
  const { stdout } = await place.tool.run(["hostonlyif", "create"], signal);
  const name = /^Interface '(.+)' was successfully created/mu.exec(stdout)?.[1] ?? expected;
  if (name !== expected) {
    await markNetwork(place, name, "new", signal);
    await unmarkNetwork(place, expected, signal);
  }
  await place.ledger.note(kinds.hostOnly, name, expected);
  return name;
}

/** What VirtualBox is going to call the next interface: the first name that is free. */
function nextName({ context }: Workplace, interfaces: readonly HostOnlyInterface[]): string {
  const nameAt = (index: number): string => {
    if (context.computer.os !== "windows") return `vboxnet${index}`;
    return `VirtualBox Host-Only Ethernet Adapter${index === 0 ? "" : ` #${index + 1}`}`;
  };
  let index = 0;
  while (interfaces.some(({ name }) => name === nameAt(index))) index += 1;
  return nameAt(index);
}

async function waitUntilVisible(place: Workplace, name: string, cidr: Cidr, signal: AbortSignal): Promise<HostOnlyInterface> {
  const ask = async (): Promise<HostOnlyInterface | undefined> =>
    (await listInterfaces(place, signal)).find((one) => one.name === name && fits(one, cidr));
  return await poll({ ms: visibleMs, clock: place.context.clock, signal }, visiblePollMs, ask, () => invisible());
}

function invisible(): MachineError {
  return new MachineError(
    "driver-failed",
    "The host-only adapter we just created is not visible. This is a well known VirtualBox bug. You might want to uninstall it and reinstall at least version 5.0.12 that is is supposed to fix this issue",
    { hint: "Run the command again; if it stays so, repair the installation of VirtualBox." },
  );
}

async function ensureNetwork(place: Workplace, signal: AbortSignal): Promise<string> {
  const cidr = hostOnlyCidrOf(place.config);
  const networks = parseHostOnlyNetworks((await place.tool.run(["list", "hostonlynets"], signal)).stdout);
  const fitting = networks.find(({ lower, netmask }) => {
    const address = parseAddress(lower);
    return address !== undefined && contains(cidr, address) && prefixOf(netmask) === cidr.prefix;
  });
  if (fitting !== undefined) return fitting.name;
  requireNoConflict(place, [], cidr);
  const range = dhcpRange(cidr);
  const name = `docker-machine-${formatAddress(networkOf(cidr))}`;
  await place.ledger.intend(kinds.hostOnly, name);
  await markNetwork(place, name, "whole", signal);
  // The first address is this computer's, the others are given out.
  const addresses = ["--lower-ip", formatAddress(cidr.address), "--upper-ip", formatAddress(range?.upper ?? cidr.address)];
  await place.tool.run(
    ["hostonlynet", "add", "--name", name, "--netmask", formatAddress(netmaskOf(cidr)), ...addresses, "--enable"],
    signal,
  );
  await place.ledger.note(kinds.hostOnly, name);
  return name;
}

/** Which of these host-only networks are there. */
export async function existingHostOnly(
  place: Workplace,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const all = await hostOnlyNames(place, signal);
  return names.filter((name) => all.includes(name));
}

async function hostOnlyNames(place: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  if ((await hostOnlyForm(place, signal)) === "interface") return (await listInterfaces(place, signal)).map(({ name }) => name);
  return parseHostOnlyNetworks((await place.tool.run(["list", "hostonlynets"], signal)).stdout).map(({ name }) => name);
}

/** Takes away a network that a docker-machine made and no machine of this user has any more, with its DHCP server. */
export async function removeUnused(place: Workplace, name: string, signal: AbortSignal): Promise<void> {
  await using _lock = await place.tool.lockShared(signal);
  const { marks, formerServers } = await ownNetworks(place, signal);
  const mark = marks.get(name);
  if (mark === undefined || (await isUsed(place, name, signal))) return;
  if ((await hostOnlyForm(place, signal)) === "network") {
    await unlessGone(async () => await place.tool.run(["hostonlynet", "remove", "--name", name], signal));
  } else {
    const networkName = networkNameOf(name);
    const former = formerServers.get(networkName);
    const found = (await listInterfaces(place, signal)).find((one) => one.name === name);
    // One of that name with another address than we gave it was made by somebody since.
    if (found !== undefined && isMarked(found.address, mark)) {
      await takeDhcpBack(place, networkName, former, signal);
      await unlessGone(async () => await place.tool.run(["hostonlyif", "remove", name], signal));
    }
    // Last: whoever comes after a crash must know what to put back.
    if (former !== undefined) await forgetServer(place, networkName, signal);
  }
  await unmarkNetwork(place, name, signal);
}

/** One whose settings cannot be read may use it too. */
async function isUsed({ tool }: Workplace, name: string, signal: AbortSignal): Promise<boolean> {
  const { stdout } = await tool.run(["list", "--long", "vms"], signal);
  return stdout
    .split("\n")
    .some(
      (line) => /<inaccessible/u.test(line) || (/^NIC \d+:.*Attachment: Host.?only/iu.test(line) && line.includes(`'${name}'`)),
    );
}
