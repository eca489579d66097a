/**
 * What the OpenSSH client, scp and sshfs are told about a target. All of it is options (`-o`), because those mean the
 * same to every program of the family and in a configuration file. Holds no secret: a key is named by its path.
 */
import { keepalive } from "./ssh-bounds.ts";
import type { SshTarget } from "./executor.ts";

/** Option names and values; a value stands as it would in ssh_config, quoted where needed. */
export type OpenSshOptions = Readonly<Record<string, string>>;

/** A dead connection is noticed after about a minute, also in the middle of a silent command. */
const liveness = {
  ServerAliveInterval: String(keepalive.intervalMs / 1000),
  ServerAliveCountMax: String(keepalive.unanswered),
};

/** Nobody is asked anything: there may be no one to answer, and a prompt would be a hang. */
const neverAsk = { BatchMode: "yes", PasswordAuthentication: "no", KbdInteractiveAuthentication: "no" } as const;

/** Only the pinned keys count; nothing is ever added to or looked up in other files. */
function pinnedHostKeyOptions(target: SshTarget): OpenSshOptions {
  return {
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: quotePath(target.hostKeys.knownHostsFile),
    GlobalKnownHostsFile: "/dev/null",
    HostKeyAlias: target.hostKeys.alias,
    CheckHostIP: "no",
    UpdateHostKeys: "no",
    VerifyHostKeyDNS: "no",
    NoHostAuthenticationForLocalhost: "no",
  };
}

/**
 * An entry of ssh_config may bring its own command, and keys from elsewhere. Clients that do not know an option yet are
 * told to pass over it.
 */
function overridingOptions(target: SshTarget): OpenSshOptions {
  if (target.configHost === undefined) return {};
  return { ...notAsked, KnownHostsCommand: "none" };
}

/** What an entry may ask of ssh beside the way to the host, and would keep input from a command, or ssh from its end. */
export const notAsked: OpenSshOptions = {
  IgnoreUnknown: "KnownHostsCommand,StdinNull,ForkAfterAuthentication",
  RemoteCommand: "none",
  PermitLocalCommand: "no",
  StdinNull: "no",
  ForkAfterAuthentication: "no",
};

function identityOptions(target: SshTarget): OpenSshOptions {
  return target.identityFile === undefined ? {} : { IdentitiesOnly: "yes", IdentityFile: quotePath(target.identityFile) };
}

/** Where to go. What is unset (empty, 0) comes from the entry of ssh_config, or is OpenSSH's default. */
function addressOptions(target: SshTarget): OpenSshOptions {
  return {
    ...(target.configHost === undefined || target.hostName === "" ? {} : { HostName: target.hostName }),
    ...(target.port === 0 ? {} : { Port: String(target.port) }),
    ...(target.userName === "" ? {} : { User: target.userName }),
  };
}

/** How to behave with a target, without saying where it is. */
function behaviourOptions(target: SshTarget): OpenSshOptions {
  return {
    ...neverAsk,
    ...liveness,
    ConnectTimeout: String(Math.max(1, Math.ceil(target.connectTimeoutMs / 1000))),
    ConnectionAttempts: "1",
    LogLevel: "ERROR",
    ControlMaster: "no",
    ControlPath: "none",
    ...identityOptions(target),
  };
}

/** Everything about a target, host keys included. */
export function opensshOptions(target: SshTarget): OpenSshOptions {
  return {
    ...overridingOptions(target),
    ...behaviourOptions(target),
    ...pinnedHostKeyOptions(target),
    ...addressOptions(target),
  };
}

/** For connections that only run commands: what the user's configuration forwards is for the user's own sessions. */
export const noForwardings: OpenSshOptions = { ClearAllForwardings: "yes" };

/** One of the same name may have been left. */
export const socketForwardOptions: OpenSshOptions = { StreamLocalBindUnlink: "yes" };

/**
 * Options for the one connection that only fetches a host key: no login is tried, and the key lands in a file of its
 * own. `HostKeyAlgorithms` is the client's own list unless given.
 */
export function hostKeyScanOptions(target: SshTarget, file: string, algorithms: readonly string[] | undefined): OpenSshOptions {
  return {
    ...opensshOptions(target),
    ...noForwardings,
    ...anyHostKeyOptions(file),
    PreferredAuthentications: "none",
    ...(algorithms === undefined ? {} : { HostKeyAlgorithms: algorithms.join(",") }),
  };
}

/** In place of the pinned keys: those of another file. */
export function knownHostsIn(file: string): OpenSshOptions {
  return { UserKnownHostsFile: quotePath(file) };
}

/** In place of the pinned keys: whichever key the host shows is trusted, and lands in a file of its own. */
export function anyHostKeyOptions(file: string): OpenSshOptions {
  return { ...knownHostsIn(file), StrictHostKeyChecking: "accept-new", HashKnownHosts: "no" };
}

/**
 * Options for the one connection that asks ssh what the user's ssh_config says of a host's key: whichever files, names
 * and commands it gives count, nothing is added to them, and no login is tried.
 */
export function hostKeyJudgementOptions(target: SshTarget): OpenSshOptions {
  return {
    ...notAsked,
    ...behaviourOptions(target),
    ...addressOptions(target),
    ...noForwardings,
    StrictHostKeyChecking: "yes",
    UpdateHostKeys: "no",
    NoHostAuthenticationForLocalhost: "no",
    PreferredAuthentications: "none",
  };
}

/** Options as arguments: `-o Name=value`, behind the `-F` that decides whether the user's configuration counts. */
export function optionArguments(target: SshTarget, options: OpenSshOptions, userConfigFile?: string): string[] {
  const list = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  return [...configurationArguments(target, userConfigFile), ...list];
}

/** The user's configuration is read for entries of it only: elsewhere it may send us to another host or key. */
function configurationArguments(target: SshTarget, userConfigFile: string | undefined): string[] {
  if (target.configHost === undefined) return ["-F", "none"];
  return userConfigFile === undefined ? [] : ["-F", userConfigFile];
}

/**
 * Arguments that take `ssh` to a target with its pinned host key, up to but without the destination. The key must be
 * pinned before, which `SshExecutor.connect` does.
 */
export function opensshArguments(target: SshTarget, userConfigFile?: string): string[] {
  return optionArguments(target, opensshOptions(target), userConfigFile);
}

/** What stands for the host on a command line of ssh. */
export function opensshDestination(target: SshTarget): string {
  return target.configHost ?? target.hostName;
}

/** `user@host:path` as scp and sshfs take it, an IPv6 address in brackets. */
export function copyLocation(target: SshTarget, remotePath: string): string {
  const host = opensshDestination(target);
  const bracketed = host.includes(":") ? `[${host}]` : host;
  return `${target.userName === "" ? "" : `${target.userName}@`}${bracketed}:${remotePath}`;
}

/** Options that sshfs does not take: some it has flags or places of its own for, of others it has never heard. */
const unknownToSshfs = new Set([
  "Port",
  "User",
  "HostName",
  "IgnoreUnknown",
  "KnownHostsCommand",
  "RemoteCommand",
  "StdinNull",
  "ForkAfterAuthentication",
]);

/** Arguments of `sshfs`. It hands options to ssh without a shell, but splits its own at commas, which it reads escaped. */
export function sshfsArguments(target: SshTarget, remotePath: string, mountPoint: string, userConfigFile?: string): string[] {
  const options = opensshOptions(target);
  const list = Object.entries(options).filter(([name]) => !unknownToSshfs.has(name));
  const { Port: port, HostName: hostName } = options;
  return [
    ...configurationArguments(target, userConfigFile),
    ...list.flatMap(([name, value]) => ["-o", `${name}=${value.replaceAll(/[\\,]/gu, "\\$&")}`]),
    ...(port === undefined ? [] : ["-p", port]),
    copyLocation(hostName === undefined ? target : { ...target, configHost: hostName }, remotePath),
    mountPoint,
  ];
}

/** A block of ssh_config that gives a target a name of its own for one command, as scp between two machines needs. */
export function configBlock(name: string, options: OpenSshOptions): string {
  const lines = Object.entries(options).map(([option, value]) => `  ${option} ${value}\n`);
  return `Host ${name}\n${lines.join("")}`;
}

/**
 * A path as ssh_config takes it: quoted for blanks, `%` doubled because OpenSSH expands tokens there. The client reads
 * backslashes only before quotes and backslashes, so those of Windows paths stay as they are.
 */
export function quotePath(file: string): string {
  const escaped = file.replaceAll("%", "%%");
  return /[\s"'#]/u.test(escaped) ? `"${escaped.replaceAll('"', '\\"')}"` : escaped;
}
