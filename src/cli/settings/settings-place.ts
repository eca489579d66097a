/** Where a person's settings are. */
import * as path from "node:path";
import type { Computer } from "../../system/computer.ts";

/**
 * `config.yml` in the configuration folder: of XDG (`$XDG_CONFIG_HOME`, else `~/.config`), on Windows `%APPDATA%`.
 * Undefined where no home is known.
 */
export function settingsFileOf({ os, env, homeDir }: Pick<Computer, "os" | "env" | "homeDir">): string | undefined {
  const given = os === "windows" ? env["APPDATA"] : env["XDG_CONFIG_HOME"];
  // What is not absolute is to be taken for absent (XDG Base Directory Specification).
  const folder = given !== undefined && path.isAbsolute(given) ? given : homeDir && path.join(homeDir, ".config");
  return folder === undefined || folder === "" ? undefined : path.join(folder, "docker-machine", "config.yml");
}
