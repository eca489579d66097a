/** How a program learns that it was started as a plugin, and as which. Imports nothing: every start of ours asks. */
import type { Computer } from "../system/computer.ts";

type Environment = Pick<Computer, "os" | "env">;

/** Prefix of the programs that are drivers. */
export const pluginPrefix = "docker-machine-driver-";

/** A plugin refuses to start without the token: it is not meant to be run by hand. */
export const tokenVariable = "MACHINE_PLUGIN_TOKEN";
export const token = "42";
/** The driver wanted; some tools that were given a path put the program's file name there. */
export const driverNameVariable = "MACHINE_PLUGIN_DRIVER_NAME";

/** Whether this process was started as a plugin. */
export function isPluginEnvironment({ env }: Pick<Environment, "env">): boolean {
  return env[tokenVariable] === token;
}

/** The same computer, as what a plugin starts in turn should see it: the token is meant for the plugin alone. */
export function withoutPluginVariables(computer: Computer): Computer {
  return { ...computer, env: { ...computer.env, [tokenVariable]: undefined, [driverNameVariable]: undefined } };
}

/**
 * The driver this process is to serve, if it is a plugin: it bears a plugin's name, or was started as one. Go tools run
 * the main program itself, for the drivers that 0.16.2 had built in. Only `driver serve NAME`, the words of a launcher's
 * script, says itself what is served.
 */
export function servedDriverName(programPath: string, args: readonly string[], computer: Environment): string | undefined {
  const own = nameOfProgram(lastPart(programPath), computer);
  if (own !== undefined || !isPluginEnvironment(computer)) return own;
  if (args[0] === "driver" && args[1] === "serve") return undefined;
  const wanted = computer.env[driverNameVariable] ?? "";
  return nameOfProgram(wanted, computer) ?? (wanted === "" ? undefined : wanted);
}

/** The driver that a program's file name stands for, if it is a plugin's. */
export function nameOfProgram(file: string, computer: Environment): string | undefined {
  const folded = computer.os === "windows" ? file.toLowerCase() : file;
  const ending = programEndings(computer).find((one) => folded.endsWith(one.toLowerCase()));
  if (!folded.startsWith(pluginPrefix) || ending === undefined) return undefined;
  const name = file.slice(pluginPrefix.length, file.length - ending.length);
  return name === "" ? undefined : name;
}

/** What programs' names may end in; on Windows only those are run. */
export function programEndings({ os, env }: Environment): string[] {
  if (os !== "windows") return [""];
  return (env["PATHEXT"] ?? ".COM;.EXE;.BAT;.CMD").split(";").filter((ending) => ending !== "");
}

/** The name of a program by its path, whichever way its slashes lean. */
export function lastPart(programPath: string): string {
  return programPath.slice(Math.max(programPath.lastIndexOf("/"), programPath.lastIndexOf("\\")) + 1);
}
