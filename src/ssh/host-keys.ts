/**
 * Which host key a machine may present. Its pinned keys decide; where there are none yet, first contact settles it in
 * this order: the fingerprint the user expects, the user's own known_hosts, trust on first use. Nothing but the key
 * exchange happens with a host before that is settled: that of the login itself where it is known beforehand which keys
 * would be believed. Knows no SSH client: those hand in a scanner.
 */
import * as path from "node:path";
import { logTo, type Report } from "../log/event.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../system/files.ts";
import type { HostKeyPolicy, OthersPins, SshTarget } from "./executor.ts";
import {
  entryConcerns,
  formatKnownHostsLine,
  judgeHostKey,
  keysFor,
  parseKnownHosts,
  type KnownHostsEntry,
} from "./known-hosts.ts";
import { fingerprintOf, parsePublicKey, sameKey, type PublicKey } from "./public-key.ts";
import { hostKeyMismatch, hostKeyOfOther, hostKeyRevoked, hostKeyUnknown, unreachable } from "./ssh-errors.ts";

/**
 * Asks a host for a key of the given types (SSH key types; undefined = the client's own order) by a key exchange that
 * ends there. Undefined where the host has no key of these types.
 */
export type HostKeyScanner = (keyTypes: readonly string[] | undefined) => Promise<PublicKey | undefined>;

/** What the user's own ssh_config says of the key that a host presents: it is known by this fingerprint, or not known. */
export type ConfiguredVerdict = { readonly type: string; readonly fingerprint: string } | "unknown";

type Trust = "expected" | "known-hosts" | "other-machine" | "first-use";

/** Key types a host may have, in the order they are asked for where one key must be found by its fingerprint. */
const scannedTypes: readonly string[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ssh-rsa",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
];

/** Signature algorithms for a key type, none of them with SHA-1. */
export function hostKeyAlgorithms(keyTypes: readonly string[]): string[] {
  return keyTypes.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]));
}

/** The keys pinned for a machine; none before first contact. */
export async function loadPinnedKeys(policy: Pick<HostKeyPolicy, "alias" | "knownHostsFile">): Promise<PublicKey[]> {
  return (await readPins(policy)).keys;
}

interface Pins {
  readonly keys: PublicKey[];
  /** They stand there by another name than the machine's. */
  readonly isMisnamed: boolean;
}

/** The file is the machine's own: what stands there by another name is from before its folder was renamed by hand. */
async function readPins({ alias, knownHostsFile }: Pick<HostKeyPolicy, "alias" | "knownHostsFile">): Promise<Pins> {
  const entries = await loadKnownHosts([knownHostsFile]);
  const keys = keysFor(entries, alias);
  if (keys.length > 0) return { keys, isMisnamed: false };
  const others = entries.filter(({ marker }) => marker === undefined).map(({ key }) => key);
  return { keys: others, isMisnamed: others.length > 0 };
}

/** Makes these the only keys the machine may present. Durable before it returns. */
export async function pinHostKeys(
  policy: Pick<HostKeyPolicy, "alias" | "knownHostsFile">,
  keys: readonly PublicKey[],
): Promise<void> {
  await makePrivateDirectory(path.dirname(policy.knownHostsFile));
  const lines = keys.map((key) => formatKnownHostsLine(policy.alias, key));
  await writeFileAtomic(policy.knownHostsFile, lines.join(""), 0o600);
}

/**
 * Pins the keys that a driver put into an instance, given as `TYPE BASE64` lines, so that first contact is verified.
 * @param others keys that are believed beside them
 */
export async function pinInjectedHostKeys(
  policy: Pick<HostKeyPolicy, "alias" | "knownHostsFile">,
  lines: readonly string[],
  report: Report,
  others: readonly PublicKey[] = [],
): Promise<void> {
  const keys = lines.map(parsePublicKey).filter((key) => key !== undefined);
  if (keys.length === 0) return;
  await pinHostKeys(policy, [...others, ...keys]);
  for (const key of keys) {
    report({ type: "host-key-pinned", host: policy.alias, fingerprint: fingerprintOf(key), trust: "injected" });
  }
}

/**
 * The keys the machine may present, settled by first contact where none are pinned. An expected fingerprint outranks
 * pinned keys: when it is not among them, the host is asked anew. `judge` takes the place of the user's known_hosts for
 * entries of ssh_config, and throws where ssh would refuse. Throws `host-key-mismatch`, and what the scanner throws.
 */
export async function ensurePinnedKeys(
  target: SshTarget,
  scan: HostKeyScanner,
  report: Report,
  judge?: () => Promise<ConfiguredVerdict>,
): Promise<readonly PublicKey[]> {
  const { keys: pinned, isMisnamed } = await readPins(target.hostKeys);
  const expected = target.hostKeys.expectedFingerprint;
  const expectedPinned = expected === undefined || pinned.some((key) => fingerprintOf(key) === expected);
  if (pinned.length > 0 && expectedPinned) {
    // ssh itself looks for the machine's name there.
    if (isMisnamed) await pinHostKeys(target.hostKeys, pinned);
    return pinned;
  }
  const settled = await settle(target, scan, judge);
  await pinSettled(target, settled, report);
  return [settled.key];
}

/** Keys with which a host may be logged in to that has none pinned yet: those by which the user knows it, or whichever it shows. */
export type FirstKeys = readonly PublicKey[] | "any";

/**
 * Undefined where the host must be asked for its key before the login: keys are pinned, one is expected, or it takes more to
 * judge. Else the login's own key exchange settles it: the key that is shown there is pinned by {@link pinFirstKey}, and
 * where it is none of these nothing was said, and the host is asked as ever.
 */
export async function firstKeysOf(target: SshTarget): Promise<FirstKeys | undefined> {
  const { expectedFingerprint, unknown, userKnownHostsFiles = [] } = target.hostKeys;
  if (expectedFingerprint !== undefined || target.configHost !== undefined) return undefined;
  if ((await readPins(target.hostKeys)).keys.length > 0) return undefined;
  const entries = (await loadKnownHosts(userKnownHostsFiles)).filter((entry) =>
    entryConcerns(entry, target.hostName, target.port),
  );
  const keys = entries.filter(({ marker }) => marker === undefined).map(({ key }) => key);
  if (entries.length === 0) {
    if (unknown === "refuse") return undefined;
    keys.push(...(await pinsOfSameBox(target)).map(({ key }) => key));
    if (keys.length === 0) return "any";
  }
  const isPlain = keys.length >= entries.length && keys.every(({ type }) => scannedTypes.includes(type));
  return isPlain ? keys : undefined;
}

/** Pins the key by which a host was met that could show one of {@link firstKeysOf}. Durable before it returns. */
export async function pinFirstKey(target: SshTarget, key: PublicKey, report: Report): Promise<void> {
  const entries = await loadKnownHosts(target.hostKeys.userKnownHostsFiles ?? []);
  const { verdict } = judgeHostKey(entries, target.hostName, target.port, key);
  await pinSettled(target, verdict === "known" ? { key, trust: "known-hosts" } : await meetStranger(target, key), report);
}

async function pinSettled(target: SshTarget, { key, trust, sameAs }: Settled, report: Report): Promise<void> {
  await pinHostKeys(target.hostKeys, [key]);
  const fingerprint = fingerprintOf(key);
  report({ type: "host-key-pinned", host: target.hostKeys.alias, fingerprint, trust, ...(sameAs && { sameAs }) });
  logTo(report, "debug", `Pinned the host key ${fingerprint} (${key.type}) in ${target.hostKeys.knownHostsFile}`);
}

interface Settled {
  readonly key: PublicKey;
  readonly trust: Trust;
  /** The machine that has the key as well. */
  readonly sameAs?: string | undefined;
}

async function settle(target: SshTarget, scan: HostKeyScanner, judge?: () => Promise<ConfiguredVerdict>): Promise<Settled> {
  const expected = target.hostKeys.expectedFingerprint;
  if (expected !== undefined) return await findExpected(target, expected, scan);
  return judge === undefined ? await meetHost(target, scan) : await meetConfiguredHost(target, scan, await judge());
}

async function meetConfiguredHost(target: SshTarget, scan: HostKeyScanner, verdict: ConfiguredVerdict): Promise<Settled> {
  // A host certificate has the fingerprint of the key that it is for.
  const types = verdict === "unknown" ? undefined : [verdict.type.replace(/-cert-v01@openssh\.com$/u, "")];
  const key = await scan(types);
  if (key === undefined) throw unreachable(target, "no-common-algorithm");
  if (verdict === "unknown") return await meetStranger(target, key);
  if (fingerprintOf(key) !== verdict.fingerprint) throw hostKeyMismatch(target, [verdict.fingerprint], key);
  return { key, trust: "known-hosts" };
}

/** Asks for one key type after the other: a fingerprint does not tell which of the host's keys it belongs to. */
async function findExpected(target: SshTarget, expected: string, scan: HostKeyScanner): Promise<Settled> {
  const seen: PublicKey[] = [];
  for (const types of [undefined, ...scannedTypes.map((type) => [type])]) {
    if (seen.some((key) => types?.includes(key.type))) continue;
    const key = await scan(types);
    if (key === undefined) continue;
    if (fingerprintOf(key) === expected) return { key, trust: "expected" };
    seen.push(key);
  }
  const [first] = seen;
  throw first === undefined ? unreachable(target, "no-common-algorithm") : hostKeyMismatch(target, [expected], first);
}

async function meetHost(target: SshTarget, scan: HostKeyScanner): Promise<Settled> {
  const entries = await loadKnownHosts(target.hostKeys.userKnownHostsFiles ?? []);
  const own = entries.filter((entry) => concernsTarget(entry, target)).map((entry) => entry.key);
  const box = await pinsOfSameBox(target);
  const key = await scanKnownTypesFirst(own.length > 0 ? own : box.map((other) => other.key), scan);
  if (key === undefined) throw unreachable(target, "no-common-algorithm");
  const judged = judgeHostKey(entries, target.hostName, target.port, key);
  if (judged.verdict === "revoked") throw hostKeyRevoked(target, key);
  if (judged.verdict === "changed") throw hostKeyMismatch(target, judged.known.map(fingerprintOf), key);
  if (judged.verdict === "known") return { key, trust: "known-hosts" };
  return await meetStranger(target, key);
}

/** Of whom the user's own files know nothing: whoever answers where another machine stands has to be that. */
async function meetStranger(target: SshTarget, key: PublicKey): Promise<Settled> {
  if (target.hostKeys.unknown === "refuse") throw hostKeyUnknown(target, key);
  const others = (await target.hostKeys.othersPins?.()) ?? [];
  const box = await pinsOfSameBox(target);
  const same = box.find((other) => sameKey(other.key, key)) ?? (await whoHas(key, others));
  if (same !== undefined) return { key, trust: "other-machine", sameAs: same.machine };
  // By an entry of ssh_config it was not asked for the type of key by which the other is known.
  const contradicting = box.filter((other) => target.configHost === undefined || other.key.type === key.type);
  const [first] = contradicting;
  if (first !== undefined) {
    const expected = contradicting.map((other) => fingerprintOf(other.key));
    throw hostKeyOfOther(target, first.machine, expected, key);
  }
  return { key, trust: "first-use" };
}

interface OthersKey {
  readonly machine: string;
  readonly key: PublicKey;
}

async function pinsOfSameBox({ hostKeys }: SshTarget): Promise<OthersKey[]> {
  const others = ((await hostKeys.othersPins?.()) ?? []).filter(({ isSameBox }) => isSameBox);
  return (await Promise.all(others.map(pinsOf))).flat();
}

/** One after the other: there may be thousands, and the first that has it will do. */
async function whoHas(key: PublicKey, others: readonly OthersPins[]): Promise<OthersKey | undefined> {
  for (const other of others) {
    const same = (await pinsOf(other)).find((pin) => sameKey(pin.key, key));
    if (same !== undefined) return same;
  }
  return undefined;
}

async function pinsOf({ machine, knownHostsFile }: OthersPins): Promise<OthersKey[]> {
  const entries = await loadKnownHosts([knownHostsFile]);
  return entries.filter(({ marker }) => marker === undefined).map(({ key }) => ({ machine, key }));
}

/** A host that is known by one key type must be asked for that type, not for whichever the client prefers. */
async function scanKnownTypesFirst(keys: readonly PublicKey[], scan: HostKeyScanner): Promise<PublicKey | undefined> {
  const known = scannedTypes.filter((type) => keys.some((key) => key.type === type));
  return (known.length > 0 ? await scan(known) : undefined) ?? (await scan(undefined));
}

function concernsTarget(entry: KnownHostsEntry, target: SshTarget): boolean {
  return judgeHostKey([entry], target.hostName, target.port, entry.key).verdict === "known";
}

async function loadKnownHosts(files: readonly string[]): Promise<KnownHostsEntry[]> {
  const texts = await Promise.all(files.map(readFileIfExists));
  return texts.flatMap((bytes) => parseKnownHosts(bytes?.toString("utf8") ?? ""));
}
