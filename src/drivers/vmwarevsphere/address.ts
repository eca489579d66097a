/** Where a running machine is, as VMware's tools in the guest tell vSphere: at the card of the first network. */
import { logTo } from "../../log/event.ts";
import { childrenOf, textOf, type XmlElement } from "./api/xml.ts";
import { devicesOf, macAddresses } from "./hardware.ts";
import { requireVm } from "./instance.ts";
import type { Workplace } from "./workplace.ts";

const guestProperties = ["guest.net", "guest.ipAddress", "guest.toolsRunningStatus", "config.hardware.device"];

/** While the guest tells no address, none is recorded: an old one may be somebody else's by now. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  place.config.IPAddress = (await addressOf(place, signal)) ?? "";
}

/** After so long without an address the user should know what is waited for. */
export const addressPatienceMs = 60_000;

interface Waiting {
  readonly sinceMs: number;
  isTold: boolean;
}

const waitings = new WeakMap<Workplace, Waiting>();

/** Once for a command: the core waits, and knows nothing of tools. */
function tellWhatIsMissing(place: Workplace, toolsStatus: string): void {
  const { clock, report, machineName } = place.context;
  const waiting = waitings.get(place) ?? { sinceMs: clock.monotonicMs(), isTold: false };
  waitings.set(place, waiting);
  if (waiting.isTold || clock.monotonicMs() - waiting.sinceMs < addressPatienceMs) return;
  waiting.isTold = true;
  const why =
    toolsStatus === "guestToolsRunning"
      ? "VMware Tools run in the guest and tell no address - check DHCP status of its first network"
      : "VMware Tools do not run in the guest, and vSphere learns its address from them alone: a template needs open-vm-tools";
  logTo(report, "warn", `No IP of "${machineName}" despite waiting for one: ${why}.`);
}

async function addressOf(place: Workplace, signal: AbortSignal): Promise<string | undefined> {
  const { config } = place;
  const { properties } = await requireVm(place, guestProperties, signal);
  const nics = childrenOf(properties.get("guest.net"), "GuestNicInfo");
  const present = macAddresses(devicesOf(properties));
  const recorded = config.MacAddresses.filter((mac) => present.includes(mac));
  // Cards that others have put in the place of ours count too.
  const macs = recorded.length > 0 ? recorded : present;
  for (const mac of macs) {
    const found = nics.filter((nic) => textOf(nic, "macAddress").toLowerCase() === mac).flatMap(addresses);
    if (found[0] !== undefined) return found[0];
  }
  // Tools of old tell one address and no cards.
  const single = properties.get("guest.ipAddress")?.text ?? "";
  if (nics.length === 0 && isUsable(single)) return single;
  tellWhatIsMissing(place, properties.get("guest.toolsRunningStatus")?.text ?? "");
  return undefined;
}

/** Those of docker's bridges are on cards that the VM does not have; what is not to be reached from here is left out. */
function addresses(nic: XmlElement): readonly string[] {
  return childrenOf(nic, "ipAddress")
    .map(({ text }) => text)
    .filter(isUsable);
}

/** IPv4, and one that other hosts can have. */
function isUsable(address: string): boolean {
  if (!/^\d{1,3}(?:\.\d{1,3}){3}$/u.test(address)) return false;
  const [first = 0, second = 0] = address.split(".").map(Number);
  return first !== 127 && first !== 0 && first < 224 && !(first === 169 && second === 254);
}
