/**
 * The sentences for what can go wrong between here and a host. Both back ends end up here, so a cause reads the same
 * whichever of them met it.
 */
import { MachineError } from "../errors/machine-error.ts";
import { formatBound } from "../system/time-text.ts";
import type { SshTarget } from "./executor.ts";
import { fingerprintOf, type PublicKey } from "./public-key.ts";

/** Why no SSH server could be talked to. */
export type UnreachableReason =
  | "refused"
  | "timed-out"
  | "no-route"
  | "unknown-host"
  | "silent"
  | "not-ssh"
  | "hung-up"
  | "refused-for-now"
  | "handshake-timed-out"
  | "no-common-algorithm"
  | "other";

interface Explanation {
  readonly sentence: (where: string, seconds: string) => string;
  readonly hint: string;
}

const checkAddress = "Check the address, and that the machine is running and on the network.";

const explanations: Readonly<Record<UnreachableReason, Explanation>> = {
  refused: {
    sentence: (where) => `Nothing listens for SSH at ${where}: the connection was refused`,
    hint: "Check the port, and that sshd is running on the machine.",
  },
  "timed-out": {
    sentence: (where, seconds) => `No answer from ${where} within ${seconds}`,
    hint: "Check the address, and whether a firewall between here and the machine drops packets to that port.",
  },
  "no-route": { sentence: (where) => `There is no route to ${where}`, hint: checkAddress },
  "unknown-host": {
    sentence: (where) => `The host name of ${where} cannot be resolved`,
    hint: "Check the spelling of the name, and the name servers of this computer.",
  },
  silent: {
    sentence: (where, seconds) => `${where} takes connections, but sent no SSH greeting within ${seconds}`,
    hint: "The machine may be overloaded, or something other than sshd listens on that port.",
  },
  "not-ssh": {
    sentence: (where) => `What listens at ${where} does not speak SSH`,
    hint: "Check the port: it belongs to another service.",
  },
  "hung-up": {
    sentence: (where) => `${where} closed the connection before the login`,
    hint: "The server may be starting, at its limit of connections, or may have banned this computer's address.",
  },
  "refused-for-now": {
    sentence: (where) => `The SSH server at ${where} takes no connection from here for the moment`,
    hint: "It has counted too many of them, or too many that failed (MaxStartups, PerSourcePenalties): wait a minute, then try again.",
  },
  "handshake-timed-out": {
    sentence: (where, seconds) => `The SSH login at ${where} did not complete within ${seconds}`,
    hint: "The machine may be overloaded; try again.",
  },
  "no-common-algorithm": {
    sentence: (where) => `The SSH server at ${where} offers no algorithm that this client accepts`,
    hint: "Update the SSH server of the machine.",
  },
  other: { sentence: (where) => `SSH could not connect to ${where}`, hint: checkAddress },
};

/** `detail` is a client's own explanation, added where our sentence alone does not say enough. */
export function unreachable(
  target: SshTarget,
  reason: UnreachableReason,
  options: { readonly detail?: string | undefined; readonly cause?: unknown } = {},
): MachineError {
  const { sentence, hint } = explanations[reason];
  const message = sentence(describeAddress(target), formatBound(target.connectTimeoutMs));
  const detail = options.detail === undefined ? "" : `: ${options.detail}`;
  return new SshUnreachableError(reason, message + detail, { hint, cause: options.cause });
}

/** `ssh-unreachable` with what was in the way: some of it passes with time, some of it means that the machine is off. */
export class SshUnreachableError extends MachineError {
  readonly reason: UnreachableReason;

  constructor(reason: UnreachableReason, message: string, options: ConstructorParameters<typeof MachineError>[2]) {
    super("ssh-unreachable", message, options);
    this.reason = reason;
  }
}

/** What keeps SSH from being spoken and means that nothing is there. Any other failure comes from a machine that runs. */
const nobodyThere: ReadonlySet<UnreachableReason> = new Set(["refused", "timed-out", "no-route", "unknown-host"]);

/** True of an error of connecting where no machine that runs was met. */
export function saysNobodyIsThere(error: unknown): boolean {
  return error instanceof SshUnreachableError && nobodyThere.has(error.reason);
}

/** The host let nobody in: names the user and every key that was tried. */
export function authenticationRefused(target: SshTarget, tried: readonly string[], offered: string | undefined): MachineError {
  const user = target.userName === "" ? "The user" : `User "${target.userName}"`;
  const keys = tried.length === 0 ? "no key was found to try" : `tried ${tried.join(", ")}`;
  const passwordOnly = offered !== undefined && !offered.includes("publickey");
  return new MachineError("ssh-authentication", `${user} was refused by ${describeAddress(target)}: ${keys}`, {
    hint: passwordOnly
      ? `The server takes no keys, only: ${offered}. Allow public keys there.`
      : tried.length === 0
        ? "Name a key, with --generic-ssh-key when the machine is created (the same create goes on with one that was cut off), or add one to the ssh agent."
        : "Check the user name, and that the public key stands in ~/.ssh/authorized_keys on the machine.",
  });
}

/** The server gave up before the right key had its turn: agents may hold more keys than it takes attempts. */
export function tooManyKeys(target: SshTarget, offered: number): MachineError {
  const user = target.userName === "" ? "The user" : `User "${target.userName}"`;
  return new MachineError(
    "ssh-authentication",
    `${user} was refused by ${describeAddress(target)}: too many authentication failures, after ${offered} keys were offered`,
    {
      hint: "The server takes no more attempts (its MaxAuthTries). Name the one key, with --generic-ssh-key when the machine is created, or take the others out of the ssh agent (ssh-add -d).",
    },
  );
}

/** The connection was there and is gone; `reason` is a clause without a full stop. */
export function connectionClosed(target: SshTarget, reason: string | undefined, cause?: unknown): MachineError {
  const detail = reason === undefined ? "" : ` (${reason})`;
  return new MachineError(
    "ssh-closed",
    `The SSH connection to ${describeAddress(target)} broke while a command was running${detail}`,
    {
      hint: "Check that the machine is still up, then run the command again.",
      cause,
    },
  );
}

/** The connection is fine, but the server ended a command and did not say how. */
export function statusMissing(target: SshTarget): MachineError {
  return new MachineError("ssh-closed", `${describeAddress(target)} ended a command without telling its exit status`, {
    hint: "Look on the machine whether the command has done its work, then run it again.",
  });
}

export function hostKeyMismatch(
  target: SshTarget,
  expected: readonly string[],
  presented: PublicKey | PresentedKey,
): MachineError {
  const shown = shownKey(presented);
  return new MachineError(
    "host-key-mismatch",
    `The host key of ${describeMachine(target)} is not the expected one: expected ${expected.join(" or ")}, ` +
      `presented ${shown.fingerprint} (${shown.type}). Nothing was sent`,
    {
      hint:
        "Somebody may be between you and the machine. If its key was really changed, say so: " +
        acceptCommand(target, shown.fingerprint),
    },
  );
}

/** @param machine another one of the store, which stands at the same place and is known by other keys */
export function hostKeyOfOther(
  target: SshTarget,
  machine: string,
  expected: readonly string[],
  presented: PublicKey,
): MachineError {
  const { fingerprint, type } = shownKey(presented);
  return new MachineError(
    "host-key-mismatch",
    `The host key of ${describeMachine(target)} is not the one of "${machine}", which is the same box: ` +
      `expected ${expected.join(" or ")}, presented ${fingerprint} (${type}). Nothing was sent`,
    {
      hint:
        `Somebody may be between you and the machine. If its key was really changed, say so first: docker-machine ssh-host-key ${machine} --accept ${fingerprint}; ` +
        `if it is another box now: docker-machine rm ${machine}`,
    },
  );
}

/** What a client reported of a key without handing over the key. */
export interface PresentedKey {
  readonly type: string;
  readonly fingerprint: string;
}

/** `why` is a clause behind "is not known", where there is more to say. */
export function hostKeyUnknown(target: SshTarget, presented: PublicKey | PresentedKey, why = ""): MachineError {
  const { type, fingerprint } = shownKey(presented);
  return new MachineError(
    "host-key-mismatch",
    `The host key of ${describeMachine(target)} is not known${why}: it presented ${fingerprint} (${type}). Nothing was sent`,
    {
      hint: `Compare it with the machine's own. If they are equal, create it with --ssh-host-key ${fingerprint}, or: ${acceptCommand(target, fingerprint)}`,
    },
  );
}

function shownKey(presented: PublicKey | PresentedKey): PresentedKey {
  return "blob" in presented ? { type: presented.type, fingerprint: fingerprintOf(presented) } : presented;
}

function acceptCommand(target: SshTarget, fingerprint: string): string {
  return `docker-machine ssh-host-key ${target.hostKeys.alias} --accept ${fingerprint}`;
}

/** `where` it is marked: known_hosts, or the file that ssh_config names. */
export function hostKeyRevoked(target: SshTarget, presented: PublicKey | PresentedKey, where = "known_hosts"): MachineError {
  const { type, fingerprint } = shownKey(presented);
  return new MachineError(
    "host-key-mismatch",
    `The host key of ${describeMachine(target)}, ${fingerprint} (${type}), is marked as revoked in ${where}. Nothing was sent`,
    { hint: "Give the machine a new host key: ssh-keygen -A, then restart sshd." },
  );
}

export function commandTimedOut(target: SshTarget, timeoutMs: number): MachineError {
  return new MachineError("timeout", `A command on ${describeAddress(target)} did not end within ${formatBound(timeoutMs)}`);
}

export function executorClosed(target: SshTarget): MachineError {
  return new MachineError("ssh-closed", `The SSH connection to ${describeAddress(target)} was closed by this program`);
}

/** `203.0.113.7:22`, `[2001:db8::7]:22`, or the entry of ssh_config. */
export function describeAddress(target: SshTarget): string {
  if (target.hostName === "") return target.configHost ?? "the machine";
  const host = target.hostName.includes(":") ? `[${target.hostName}]` : target.hostName;
  return target.port === 0 ? host : `${host}:${target.port}`;
}

function describeMachine(target: SshTarget): string {
  return `"${target.hostKeys.alias}" (${describeAddress(target)})`;
}
