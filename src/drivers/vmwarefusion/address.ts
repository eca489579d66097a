/**
 * Where a machine is: by its hardware address in what VMware's DHCP servers have written down, then among this computer's
 * neighbours; last by VMware's tools, which name any address of the guest and need not run in it.
 */
import * as path from "node:path";
import { isReachable } from "../../driver-kit/guest/guest-address.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { listFolder } from "../../system/disk-files.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";
import { addressOf, appleLeases, iscLeases, macDigits, neighbours, reservations, type Lease } from "./leases.ts";
import { fileOf, requireOwn, type Workplace } from "./workplace.ts";

const arpMs = 10_000;

/** The address now; "" while nobody knows one. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const { description } = await requireOwn(place, signal);
  // Machines of 0.16.2 have an address of VMware's choice.
  const given = description?.get("ethernet0.address") ?? description?.get("ethernet0.generatedaddress") ?? config.MacAddress;
  const mac = macDigits(given);
  for (const find of [written, seen, told]) {
    const address = await find(place, mac, signal);
    if (address === undefined) continue;
    config.IPAddress = address;
    return;
  }
  config.IPAddress = "";
}

interface Place {
  /** A path; `*` stands for any part of one name. */
  readonly pattern: string;
  readonly read: (text: string) => readonly Lease[];
}

/** Where VMware's servers, and macOS' own, keep what they gave out. */
function placesOn({ os, env }: Computer): readonly Place[] {
  switch (os) {
    case "darwin":
      return [
        { pattern: "/Library/Preferences/VMware Fusion/vmnet*/dhcpd.conf", read: reservations },
        { pattern: "/var/db/vmware/*.leases", read: iscLeases },
        { pattern: "/var/db/dhcpd_leases", read: appleLeases },
      ];
    case "linux":
      return [
        { pattern: "/etc/vmware/vmnet*/dhcpd/dhcpd.conf", read: reservations },
        { pattern: "/etc/vmware/vmnet*/dhcpd/dhcpd.leases", read: iscLeases },
        { pattern: "/etc/vmware/vmnet*/dhcp/dhcpd.leases", read: iscLeases },
      ];
    case "windows": {
      const folder = path.join(env["ALLUSERSPROFILE"] ?? "C:\\ProgramData", "VMware");
      return [
        { pattern: path.join(folder, "vmnetdhcp.conf"), read: reservations },
        { pattern: path.join(folder, "vmnetdhcp.leases"), read: iscLeases },
      ];
    }
  }
}

/** What is kept for a card counts before what was given out. */
async function written({ context }: Workplace, mac: string): Promise<string | undefined> {
  const all: Lease[] = [];
  for (const { pattern, read } of placesOn(context.computer)) {
    const found = (await Promise.all((await expand(pattern)).map(readable))).flatMap(read);
    const kept = read === reservations ? addressOf(mac, found, 0) : undefined;
    if (kept !== undefined) return kept;
    all.push(...found);
  }
  return addressOf(mac, all, context.clock.now().getTime());
}

async function expand(pattern: string): Promise<readonly string[]> {
  const at = pattern.indexOf("*");
  if (at === -1) return [pattern];
  const folder = path.dirname(pattern.slice(0, at + 1));
  const [name = "", ...rest] = pattern.slice(folder.length + 1).split("/");
  const [before = "", after = ""] = name.split("*");
  const names = await listFolder(folder).catch(() => []);
  const fitting = names.filter((one) => one.startsWith(before) && one.endsWith(after));
  return fitting.map((one) => path.join(folder, one, ...rest));
}

/** Some systems keep these from ordinary users: then others must tell. */
async function readable(file: string): Promise<string> {
  return await readRegularFileIfExists(file).then(
    (bytes) => bytes?.toString("utf8") ?? "",
    () => "",
  );
}

async function seen({ context }: Workplace, mac: string, signal: AbortSignal): Promise<string | undefined> {
  const { computer, processes } = context;
  if (computer.os === "linux") return addressOf(mac, neighbours(await readable("/proc/net/arp")), 0);
  const arp = await processes.find("arp");
  if (arp === undefined) return undefined;
  const { stdout } = await processes.run(arp, [computer.os === "darwin" ? "-an" : "-a"], { signal, timeoutMs: arpMs });
  return addressOf(mac, neighbours(stdout.toString("utf8")), 0);
}

async function told(place: Workplace, _mac: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = (await place.api.vmrun.run(["getGuestIPAddress", fileOf(place, "vmx")], signal)).trim();
    return isReachable(answer) ? answer : undefined;
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error)) throw error;
    return undefined;
  }
}
