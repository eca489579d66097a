/**
 * What the OpenSSH client's own log (LogLevel DEBUG1) says about a connection that failed. OpenSSH has one exit status
 * for everything; its wording has been stable for many years, and a line that nobody here knows is passed on as it is.
 */
import type { MachineError } from "../errors/machine-error.ts";
import type { SshTarget } from "./executor.ts";
import { readFileIfExists } from "../system/files.ts";
import { loadPinnedKeys, type ConfiguredVerdict } from "./host-keys.ts";
import { passphraseNeeded } from "./keys.ts";
import { parseKnownHosts } from "./known-hosts.ts";
import { fingerprintOf } from "./public-key.ts";
import {
  authenticationRefused,
  hostKeyMismatch,
  hostKeyRevoked,
  hostKeyUnknown,
  tooManyKeys,
  unreachable,
  type PresentedKey,
  type UnreachableReason,
} from "./ssh-errors.ts";

const hostKeyRefused =
  /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|you have requested strict checking|revoked/u;
const loginRefused = /Permission denied \(|Too many authentication failures|No more authentication methods/u;

/** In the order they are looked for: a later line of the log may be a consequence of an earlier one. */
const reasons: readonly (readonly [RegExp, UnreachableReason])[] = [
  [/Could not resolve hostname/u, "unknown-host"],
  [/no matching (?:host key type|key exchange method|cipher|MAC) found|no mutual signature/iu, "no-common-algorithm"],
  [/timed out during banner exchange/u, "silent"],
  [/Connection refused/u, "refused"],
  [/No route to host|Network is unreachable|Host is down/u, "no-route"],
  [/(?:Connection|Operation) timed out/u, "timed-out"],
  // sshd says so in the place of its greeting.
  [/banner line \d+: (?:Not allowed at this time|Exceeded MaxStartups)/u, "refused-for-now"],
  [
    /kex_exchange_identification: (?:banner line|client sent|server sent|No banner|Invalid)|Bad remote protocol|banner line (?:contains|too)/iu,
    "not-ssh",
  ],
  [/Connection (?:closed|reset) by|kex_exchange_identification|Connection to .* closed by remote host|Broken pipe/u, "hung-up"],
];

/** The cause of a failed connection. `ended` is false where our own bound stopped the client. */
export async function diagnose(target: SshTarget, log: string, ended: boolean, encryptedKey: boolean): Promise<MachineError> {
  if (hostKeyRefused.test(log)) return await mismatchIn(target, log);
  if (loginRefused.test(log)) return refusedLogin(target, log, encryptedKey);
  if (!ended) return unreachable(target, stageReached(log));
  const reason = reasons.find(([pattern]) => pattern.test(log))?.[1] ?? "other";
  return unreachable(target, reason, reason === "other" || target.configHost !== undefined ? { detail: lastWords(log) } : {});
}

/**
 * What a connection that let the user's ssh_config judge the host's key says of it. Throws where ssh refused it, and what
 * {@link diagnose} makes of a connection that did not come so far.
 */
export async function verdictIn(
  target: SshTarget,
  log: string,
  ended: boolean,
  encryptedKey: boolean,
  strict: boolean,
): Promise<ConfiguredVerdict> {
  const key = presentedKey(log);
  if (/No \S+ host key is known for .* and you have requested strict checking/u.test(log) && key !== undefined) {
    if (strict) throw hostKeyUnknown(target, key, ", and its entry of ssh_config says StrictHostKeyChecking yes");
    return "unknown";
  }
  // With the new keys in use, the host's own was accepted.
  if (key !== undefined && !hostKeyRefused.test(log) && /SSH2_MSG_NEWKEYS|Authentications that can continue/u.test(log))
    return key;
  throw await diagnose(target, log, ended, encryptedKey);
}

/** True where a client's log (at DEBUG2) shows that the remote side told how the command ended. */
export function statusArrived(log: string): boolean {
  return /Received exit status from master|debug1: Exit status \d+|rtype exit-signal/u.test(log);
}

/** True where a session of a shared connection was closed with neither a status nor a signal, as both logs show. */
export function endedWithoutStatus(clientLog: string, masterLog: string): boolean {
  const channel = /master session id: (\d+)/u.exec(clientLog)?.[1];
  return channel !== undefined && !masterLog.includes(`channel ${channel} rtype exit-signal`);
}

/** True where a log shows a connection that never came to a login. */
export function failedBeforeLogin(log: string): boolean {
  if (/Authenticated to /u.test(log)) return false;
  return (
    hostKeyRefused.test(log) ||
    loginRefused.test(log) ||
    /connect to host|resolve hostname|kex_exchange|banner exchange/u.test(log)
  );
}

/** How far a connection had come when its time was up. */
function stageReached(log: string): UnreachableReason {
  if (/Remote protocol version/u.test(log)) return "handshake-timed-out";
  return /Connection established/u.test(log) ? "silent" : "timed-out";
}

async function mismatchIn(target: SshTarget, log: string): Promise<MachineError> {
  const presented = presentedKey(log) ?? { type: "unknown", fingerprint: "an unknown key" };
  if (/revoked/iu.test(log)) return hostKeyRevoked(target, presented, /revoked by file (.+)/u.exec(log)?.[1]?.trim());
  const pinned = (await loadPinnedKeys(target.hostKeys)).map(fingerprintOf);
  return hostKeyMismatch(target, pinned.length > 0 ? pinned : [await offendingKey(log)], presented);
}

/** The key that stands for the host where ssh found another: its file and line are in the log, a command's answer is not. */
async function offendingKey(log: string): Promise<string> {
  const [, file = "", line = ""] = /Offending \S+ key in (.+):(\d+)/u.exec(log) ?? [];
  if (file === "") return "one that ssh_config gives";
  const text = (await readFileIfExists(file).catch(() => undefined))?.toString("utf8") ?? "";
  const [entry] = parseKnownHosts(text.split("\n")[Number(line) - 1] ?? "");
  return entry === undefined ? `the one in ${file}, line ${line}` : `${fingerprintOf(entry.key)} (${file}, line ${line})`;
}

/** The key that the host showed, the last one in the log: with ProxyJump the hosts on the way come first. */
export function presentedKey(log: string): PresentedKey | undefined {
  const [, type, fingerprint] = [...log.matchAll(/Server host (?:key|certificate): (\S+) (SHA256:[^\s,]+)/gu)].at(-1) ?? [];
  return type === undefined || fingerprint === undefined ? undefined : { type, fingerprint };
}

function refusedLogin(target: SshTarget, log: string, encryptedKey: boolean): MachineError {
  const offers = [...log.matchAll(/Offering public key: (.+?) \S+ (SHA256:\S+)(.*)/gu)];
  const heldByAgent = offers.some(([, , , source = ""]) => source.includes("agent"));
  if (encryptedKey && !heldByAgent && target.identityFile !== undefined) return passphraseNeeded(target.identityFile);
  const tried = [...new Set(offers.map(([, name, print]) => `${name} (${print})`))];
  if (/Too many authentication failures/u.test(log)) return tooManyKeys(target, tried.length);
  const offered = /Authentications that can continue: (\S+)/u.exec(log)?.[1];
  return authenticationRefused(target, tried, offered);
}

/** The last line of a log that is for people: no debugging, and no row of at-signs. */
export function lastWords(log: string): string | undefined {
  return spokenLines(log).at(-1);
}

/** What the client said that was no debugging output. A full master is no trouble: ssh then connects on its own. */
export function spokenLines(log: string): string[] {
  const lines = log.split(/\r?\n/u).map((line) => line.trim());
  return lines.filter(
    (line) =>
      line !== "" &&
      !/^(?:debug\d:|@+$|OpenSSH_|Authenticated to |mux_client_|Transferred: |Warning: Permanently added )/u.test(line),
  );
}
