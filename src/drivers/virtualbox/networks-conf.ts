/**
 * /etc/vbox/networks.conf: which networks VirtualBox allows host-only interfaces to have, since 6.1.28 on Linux and macOS. Lines
 * that begin with `*` hold ranges apart by blanks; without the file it is 192.168.56.0/21. No I/O.
 */
import { contains, networkOf, parseCidr, prefixOf, type Cidr } from "./cidr.ts";

const allowedWithoutFile = "192.168.56.0/21";

/** Ranges of IPv4, as they are written. @param text of the file; undefined where there is none */
export function allowedRanges(text: string | undefined): readonly string[] {
  if (text === undefined) return [allowedWithoutFile];
  return text.split(/\r?\n/u).flatMap((line) => {
    const [, ranges] = /^\s*\*\s+(.*)$/u.exec(line) ?? [];
    return (ranges ?? "").split(/\s+/u).filter((range) => parseRange(range) !== undefined);
  });
}

/** Ranges may be written with a length or with a netmask. */
function parseRange(range: string): Cidr | undefined {
  const [address = "", length = ""] = range.split("/");
  return parseCidr(`${address}/${prefixOf(length) ?? length}`);
}

export function isAllowed(cidr: Cidr, ranges: readonly string[]): boolean {
  return ranges.some((text) => {
    const range = parseRange(text);
    return range !== undefined && range.prefix <= cidr.prefix && contains(range, networkOf(cidr));
  });
}
