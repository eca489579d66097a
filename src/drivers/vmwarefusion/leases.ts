/**
 * What the DHCP servers beside VMware write down, and tables of neighbours, as pairs of a hardware address and an address.
 * Hardware addresses are compared by their digits, which some of them write without leading zeros. No I/O.
 */
import { isReachable } from "../../driver-kit/guest/guest-address.ts";

export interface Lease {
  readonly address: string;
  /** Twelve digits, lower case. */
  readonly mac: string;
  /** Milliseconds since 1970; the newest tells. 0 where nothing says it. */
  readonly startsMs: number;
  /** `Infinity` where nothing says it. */
  readonly endsMs: number;
}

/** `d:ea:d0:1:2:3`, `0D-EA-D0-01-02-03` or `0dead0010203` as twelve digits; "" for what is no such address. */
export function macDigits(text: string): string {
  const parts = text.split(/[:-]/u);
  const digits = (parts.length === 6 ? parts.map((part) => part.padStart(2, "0")).join("") : text).toLowerCase();
  return /^[0-9a-f]{12}$/u.test(digits) ? digits : "";
}

/** Of ISC's server: times are UTC, and later entries of one address replace earlier ones. */
export function iscLeases(text: string): readonly Lease[] {
  return [...text.matchAll(/lease\s+([\d.]+)\s*\{([^}]*)\}/gu)].map(([, address = "", body = ""]) => ({
    address,
    mac: macDigits(/hardware\s+ethernet\s+([0-9a-f:]+)/iu.exec(body)?.[1] ?? ""),
    startsMs: timeIn(body, "starts") ?? 0,
    endsMs: timeIn(body, "ends") ?? Number.POSITIVE_INFINITY,
  }));
}

/** `starts 4 2026/11/26 10:00:00;`; `ends never;` is none. */
function timeIn(body: string, word: string): number | undefined {
  const [, year, month, day, hour, minute, second] =
    new RegExp(`\\b${word}\\s+\\d\\s+(\\d+)/(\\d+)/(\\d+)\\s+(\\d+):(\\d+):(\\d+)`, "u").exec(body)?.map(Number) ?? [];
  if (year === undefined || month === undefined) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Of the server in macOS. `lease` is when it ends, in seconds, in hexadecimal. */
export function appleLeases(text: string): readonly Lease[] {
  return [...text.matchAll(/\{([^}]*)\}/gu)].map(([, body = ""]) => {
    const field = (name: string): string => new RegExp(`^\\s*${name}=(.*)$`, "mu").exec(body)?.[1]?.trim() ?? "";
    const endsMs = Number.parseInt(field("lease"), 16) * 1000;
    return {
      address: field("ip_address"),
      mac: macDigits(field("hw_address").replace(/^\d+,/u, "")),
      startsMs: Number.isNaN(endsMs) ? 0 : endsMs,
      endsMs: Number.isNaN(endsMs) ? Number.POSITIVE_INFINITY : endsMs,
    };
  });
}

/** Addresses that VMware's configuration keeps for a card. */
export function reservations(text: string): readonly Lease[] {
  return [...text.matchAll(/host\s+\S+\s*\{([^}]*)\}/gu)].map(([, body = ""]) => ({
    address: /fixed-address\s+([\d.]+)/u.exec(body)?.[1] ?? "",
    mac: macDigits(/hardware\s+ethernet\s+([0-9a-f:]+)/iu.exec(body)?.[1] ?? ""),
    startsMs: 0,
    endsMs: Number.POSITIVE_INFINITY,
  }));
}

/** Lines of `arp -an`, of Windows' `arp -a`, and of Linux' /proc/net/arp: an address, and a hardware address behind it. */
export function neighbours(text: string): readonly Lease[] {
  return text.split(/\r?\n/u).flatMap((line): Lease[] => {
    const address = /(?:^|[\s(])(\d{1,3}(?:\.\d{1,3}){3})(?:[\s)]|$)/u.exec(line)?.[1];
    const mac = line
      .split(/\s+/u)
      .map(macDigits)
      .find((digits) => digits !== "" && digits !== "000000000000");
    return address === undefined || mac === undefined ? [] : [{ address, mac, startsMs: 0, endsMs: Number.POSITIVE_INFINITY }];
  });
}

/** The address of a card: of those leases that are good now the newest, else the newest of all. */
export function addressOf(mac: string, leases: readonly Lease[], nowMs: number): string | undefined {
  const own = leases.filter((lease) => lease.mac === mac && isReachable(lease.address)).toReversed();
  const newest = (some: readonly Lease[]): string | undefined => some.toSorted((a, b) => b.startsMs - a.startsMs)[0]?.address;
  return newest(own.filter(({ endsMs }) => endsMs > nowMs)) ?? newest(own);
}
