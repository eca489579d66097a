/**
 * The known_hosts format of OpenSSH (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): text in, entries out, no I/O. The same
 * reading decides for both back ends, so a host that one of them trusts is trusted by the other.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { matchesWildcards } from "./glob.ts";
import { formatPublicKey, parsePublicKey, sameKey, type PublicKey } from "./public-key.ts";

export interface KnownHostsEntry {
  /** `revoked` must never be accepted; `cert-authority` signs host certificates and is no host key itself. */
  readonly marker: "revoked" | "cert-authority" | undefined;
  /** Names, patterns, or one hashed name, as they stand in the file. */
  readonly hosts: readonly string[];
  readonly key: PublicKey;
}

/** Lines that are no entries (comments, SSH 1 keys, damage) are skipped, as ssh does. */
export function parseKnownHosts(text: string): KnownHostsEntry[] {
  return text.split(/\r?\n/u).flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): KnownHostsEntry | undefined {
  const found = /^\s*(?:@(\S+)\s+)?([^\s#@]\S*)\s+(\S+\s+\S+)/u.exec(line);
  if (found === null) return undefined;
  const [, marker, hosts = "", keyText = ""] = found;
  if (marker !== undefined && marker !== "revoked" && marker !== "cert-authority") return undefined;
  const key = parsePublicKey(keyText);
  return key === undefined ? undefined : { marker, hosts: hosts.split(","), key };
}

export function formatKnownHostsLine(name: string, key: PublicKey): string {
  return `${name} ${formatPublicKey(key)}\n`;
}

/** The name a server goes by in known_hosts: the address alone on port 22, `[address]:port` elsewhere. */
export function knownHostsName(hostName: string, port: number): string {
  return port === 22 ? hostName.toLowerCase() : `[${hostName.toLowerCase()}]:${port}`;
}

/** True where the entry speaks of that name. One negated pattern that fits excludes the whole entry. */
export function entryMatches(entry: KnownHostsEntry, name: string): boolean {
  const fits = (pattern: string): boolean => matchesWildcards(pattern.toLowerCase(), name.toLowerCase());
  if (entry.hosts.some((host) => host.startsWith("!") && fits(host.slice(1)))) return false;
  return entry.hosts.some((host) => (host.startsWith("|1|") ? hashMatches(host, name) : fits(host)));
}

/** `|1|SALT|HASH`, the HMAC-SHA1 of the name under the salt. */
function hashMatches(hashed: string, name: string): boolean {
  const [, , salt = "", hash = ""] = hashed.split("|");
  const expected = Buffer.from(hash, "base64");
  const actual = createHmac("sha1", Buffer.from(salt, "base64")).update(name.toLowerCase()).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

type KnownHostsVerdict =
  | { readonly verdict: "known" | "unknown" | "revoked" }
  /** Other keys stand there for the name, the given one does not. */
  | { readonly verdict: "changed"; readonly known: readonly PublicKey[] };

/** What a known_hosts file says about a key that some host presented. */
export function judgeHostKey(
  entries: readonly KnownHostsEntry[],
  hostName: string,
  port: number,
  key: PublicKey,
): KnownHostsVerdict {
  const named = entriesFor(entries, knownHostsName(hostName, port));
  // As OpenSSH: a key that stands there for the bare address is good on any port, but contradicts nothing there.
  const anyPort = entriesFor(entries, knownHostsName(hostName, 22));
  if (entries.some((entry) => entry.marker === "revoked" && sameKey(entry.key, key) && entryConcerns(entry, hostName, port))) {
    return { verdict: "revoked" };
  }
  if ([...named, ...anyPort].some((entry) => sameKey(entry.key, key))) return { verdict: "known" };
  return named.length === 0 ? { verdict: "unknown" } : { verdict: "changed", known: named.map((entry) => entry.key) };
}

/** The host keys (no revoked ones, no authorities) that stand there for a name. */
export function keysFor(entries: readonly KnownHostsEntry[], name: string): PublicKey[] {
  return entriesFor(entries, name).map((entry) => entry.key);
}

function entriesFor(entries: readonly KnownHostsEntry[], name: string): KnownHostsEntry[] {
  return entries.filter((entry) => entry.marker === undefined && entryMatches(entry, name));
}

/** True where the entry, whatever its marker, speaks of a server at that place: by its port, or for all ports. */
export function entryConcerns(entry: KnownHostsEntry, hostName: string, port: number): boolean {
  return entryMatches(entry, knownHostsName(hostName, port)) || entryMatches(entry, knownHostsName(hostName, 22));
}
