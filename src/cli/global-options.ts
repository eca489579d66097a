/** The global options out of flags, those before the command and those behind it, and the platform. */
import * as path from "node:path";
import type { DriverOptions } from "../driver-kit/flags.ts";
import { MachineError } from "../errors/machine-error.ts";
import { quote } from "../gocompat/quote.ts";
import type { HostPlatform } from "../system/host-platform.ts";
import type { GlobalOptions } from "./context.ts";
import type { CliFlag } from "./flags/flag.ts";
import { readBool } from "./flags/flag-text.ts";
import { FlagError, UsageError } from "./usage-error.ts";

/** @param sources option sets of decreasing weight: the command's, then the program's. */
export function globalOptions(sources: readonly DriverOptions[], platform: HostPlatform): GlobalOptions {
  const sourceOf = (name: string): DriverOptions | undefined => sources.find((source) => source.isSet(name)) ?? sources.at(-1);
  const text = (name: string): string => sourceOf(name)?.string(name) ?? "";
  const optional = (name: string): string | undefined => (text(name) === "" ? undefined : text(name));
  const flag = (name: string): boolean => sourceOf(name)?.bool(name) ?? false;
  const storagePath = text("storage-path");
  return {
    debug: debugOf(flag("debug"), platform.env["MACHINE_DEBUG"]),
    get storagePath() {
      return path.resolve(platform.cwd, storagePath === "" ? requireDefaultStoragePath(platform) : storagePath);
    },
    tlsCaCert: optional("tls-ca-cert"),
    tlsCaKey: optional("tls-ca-key"),
    tlsClientCert: optional("tls-client-cert"),
    tlsClientKey: optional("tls-client-key"),
    githubApiToken: optional("github-api-token"),
    nativeSsh: flag("native-ssh"),
    output: text("output") === "json" ? "json" : "text",
    timeoutMs: optional("timeout") === undefined ? undefined : parseTimeout(text("timeout")),
  };
}

/** A command's options as a source of global ones: its own flags of the same name do not count. */
export function inheritedOptions<Options extends DriverOptions>(options: Options, own: readonly CliFlag[]): Options {
  const ownNames = new Set(own.map((flag) => flag.name));
  return { ...options, isSet: (name) => !ownNames.has(name) && options.isSet(name) };
}

/** MACHINE_DEBUG, where it is set, decides against the flag too, as in 0.16.2. */
function debugOf(flag: boolean, variable: string | undefined): boolean {
  if (variable === undefined || variable === "") return flag;
  const parsed = readBool(variable);
  if (!parsed.ok) throw new UsageError(`Error parsing boolean value from MACHINE_DEBUG: ${parsed.reason}`);
  return parsed.value;
}

/** `~/.docker/machine`; undefined when no home directory is known. */
export function defaultStoragePath(platform: HostPlatform): string | undefined {
  return platform.homeDir === undefined ? undefined : path.join(platform.homeDir, ".docker", "machine");
}

function requireDefaultStoragePath(platform: HostPlatform): string {
  const found = defaultStoragePath(platform);
  if (found !== undefined) return found;
  throw new MachineError("store-unusable", "No home directory is known, so there is no place for the store", {
    hint: `Set ${platform.os === "windows" ? "USERPROFILE" : "HOME"}, or name a folder with --storage-path or MACHINE_STORAGE_PATH.`,
  });
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The value of `--timeout`. Throws {@link FlagError}. */
export function parseTimeout(text: string): number {
  const total = readTime(text);
  if (total !== undefined) return total;
  throw new FlagError(`invalid value ${quote(text)} for flag -timeout: expected a time such as 90s or 10m`);
}

/** A bound out of an environment variable. Throws `usage`. */
export function parseTime(text: string, variable: string): number {
  const total = readTime(text);
  if (total !== undefined) return total;
  throw new UsageError(`invalid value ${quote(text)} for ${variable}: expected a time such as 90s or 10m`);
}

/** `90` (seconds), `90s`, `10m`, `1h30m` in milliseconds; undefined for what is no time. */
function readTime(text: string): number | undefined {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/gu)];
  const whole = parts.map((part) => part[0]).join("");
  const total = /^\d+$/u.test(text)
    ? Number(text) * 1_000
    : parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitsMs[unit as string] as number), 0);
  return total > 0 && Number.isFinite(total) && (parts.length === 0 || whole === text) ? total : undefined;
}
