/** The flags before the command: 0.16.2's, in its order and words, and ours. */
import { helpFlag, type CliFlag } from "./flag.ts";

export const versionFlag: CliFlag = { kind: "bool", name: "version", aliases: ["v"], usage: "print the version" };

/** Flags that every command accepts too, behind its name, unless it has its own of that name. */
const sharedGlobalFlags: readonly CliFlag[] = [
  { kind: "bool", name: "debug", aliases: ["D"], usage: "Enable debug mode" },
  {
    kind: "string",
    name: "storage-path",
    aliases: ["s"],
    usage: "Configures storage path",
    envVar: "MACHINE_STORAGE_PATH",
  },
  { kind: "string", name: "tls-ca-cert", usage: "CA to verify remotes against", envVar: "MACHINE_TLS_CA_CERT" },
  { kind: "string", name: "tls-ca-key", usage: "Private key to generate certificates", envVar: "MACHINE_TLS_CA_KEY" },
  { kind: "string", name: "tls-client-cert", usage: "Client cert to use for TLS", envVar: "MACHINE_TLS_CLIENT_CERT" },
  {
    kind: "string",
    name: "tls-client-key",
    usage: "Private key used in client TLS auth",
    envVar: "MACHINE_TLS_CLIENT_KEY",
  },
  {
    kind: "string",
    name: "github-api-token",
    usage: "Token to use for requests to the Github API",
    envVar: "MACHINE_GITHUB_API_TOKEN",
    secret: true,
  },
  {
    kind: "bool",
    name: "native-ssh",
    usage: "Use the built-in SSH implementation instead of the ssh program.",
    envVar: "MACHINE_NATIVE_SSH",
  },
  {
    kind: "string",
    name: "bugsnag-api-token",
    usage: "Accepted for compatibility; nothing is ever sent",
    envVar: "MACHINE_BUGSNAG_API_TOKEN",
  },
  {
    kind: "string",
    name: "output",
    usage: "Print facts and progress as text or as JSON (text, json)",
    envVar: "MACHINE_OUTPUT",
    value: "text",
    choices: ["text", "json"],
  },
  {
    kind: "string",
    name: "timeout",
    usage: "Bound on the whole command, such as 90s or 10m (default: none)",
    envVar: "MACHINE_TIMEOUT",
  },
];

export const globalFlags: readonly CliFlag[] = [...sharedGlobalFlags, helpFlag, versionFlag];

/**
 * A command's flags with the global ones behind them; its own names win. The environment is asked for them once,
 * before the command: there it must not weigh more than a flag.
 */
export function withGlobalFlags(own: readonly CliFlag[]): readonly CliFlag[] {
  const taken = new Set([...own, helpFlag].flatMap((flag) => [flag.name, ...(flag.aliases ?? [])]));
  const inherited = sharedGlobalFlags
    .filter((flag) => !taken.has(flag.name))
    .map((flag) => ({ ...flag, envVar: undefined, aliases: flag.aliases?.filter((alias) => !taken.has(alias)) }));
  return [...own, ...inherited, helpFlag];
}
