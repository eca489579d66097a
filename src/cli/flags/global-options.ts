/** The global options out of flags, those before the command and those behind it, and the computer. */
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { quote } from "../../gocompat/quote.ts";
import { absolutePath } from "../../system/absolute-path.ts";
import type { Computer } from "../../system/computer.ts";
import { readTimeText } from "../../system/time-text.ts";
import type { GlobalOptions } from "../cli-context.ts";
import type { CliFlag } from "./flag.ts";
import { readBool } from "../../driver-kit/flag-text.ts";
import { FlagError, UsageError } from "../usage-error.ts";

/** @param sources option sets of decreasing weight: the command's, then the program's. */
export function globalOptions(sources: readonly DriverOptions[], computer: Computer): GlobalOptions {
  const sourceOf = (name: string): DriverOptions | undefined => sources.find((source) => source.isSet(name)) ?? sources.at(-1);
  const text = (name: string): string => sourceOf(name)?.string(name) ?? "";
  const optional = (name: string): string | undefined => (text(name) === "" ? undefined : text(name));
  const flag = (name: string): boolean => sourceOf(name)?.bool(name) ?? false;
  const storagePath = text("storage-path");
  return {
    debug: debugOf(flag("debug"), computer.env["MACHINE_DEBUG"]),
    get storagePath() {
      const wanted = storagePath === "" ? requireDefaultStoragePath(computer) : storagePath;
      return absolutePath(computer.cwd, wanted);
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
export function defaultStoragePath({ homeDir, cwd }: Computer): string | undefined {
  return homeDir === undefined ? undefined : absolutePath(cwd, `${homeDir}/.docker/machine`);
}

function requireDefaultStoragePath(computer: Computer): string {
  const found = defaultStoragePath(computer);
  if (found !== undefined) return found;
  throw new MachineError("store-unusable", "No home directory is known, so there is no place for the store", {
    hint: `Set ${computer.os === "windows" ? "USERPROFILE" : "HOME"}, or name a folder with --storage-path or MACHINE_STORAGE_PATH.`,
  });
}

/** The value of `--timeout`. Throws {@link FlagError}. */
export function parseTimeout(text: string): number {
  const total = readTimeText(text);
  if (total !== undefined) return total;
  throw new FlagError(`invalid value ${quote(text)} for flag -timeout: expected a time such as 90s or 10m`);
}
