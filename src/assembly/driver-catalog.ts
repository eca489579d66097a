/** Which drivers there are: the built-in ones and, by name, plugins. Part of the composition root. */
import type { CreateFlag } from "../driver-kit/create-flag.ts";
import type { DriverModule } from "../driver-kit/driver.ts";
import { builtinDrivers } from "../drivers/registry.ts";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { didYouMean } from "../errors/nearest.ts";
import { reportNothing } from "../log/event.ts";
import type { Timeouts } from "../machine/timeouts.ts";
import type { PluginBounds } from "../plugin/plugin-bounds.ts";
import type { PluginLoadOptions } from "../plugin/plugin-module.ts";
import { systemClock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import { timeoutsOf } from "./timeout-variables.ts";

export const builtinDriverNames: readonly string[] = Object.keys(builtinDrivers);

/** The built-in driver of that name, if there is one. */
export async function findBuiltinDriver(name: string): Promise<DriverModule | undefined> {
  return Object.hasOwn(builtinDrivers, name) ? await builtinDrivers[name as keyof typeof builtinDrivers]() : undefined;
}

/** The driver that a command line names, by a plugin's absolute path too; a plugin's create flags are not known. */
export async function findDriver(
  name: string,
  computer: Computer,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<DriverModule> {
  const builtin = await findBuiltinDriver(name);
  if (builtin !== undefined) return builtin;
  const { findPluginModule, pluginRuntime } = await import("../plugin/plugin-module.ts");
  return await findPluginModule(name, computer, pluginRuntime(pluginBounds(timeouts), signal));
}

/** The built-in driver that wrote a stored configuration, if one did: a plugin of others may have had its name. */
export async function findWriter(name: string, storedConfig: string): Promise<DriverModule | undefined> {
  const builtin = await findBuiltinDriver(name);
  if (builtin?.ownKeys === undefined) return builtin;
  const stored = JSON.parse(storedConfig) as object;
  return builtin.ownKeys.every((key) => Object.hasOwn(stored, key)) ? builtin : undefined;
}

/** The plugin of a stored machine, by its name on PATH and never by a path: a record must not choose what is run. */
export async function findPluginOf(
  name: string,
  computer: Computer,
  timeouts: Timeouts,
  signal?: AbortSignal,
): Promise<DriverModule> {
  const { findPluginModule, missingPluginModule, pluginRuntime } = await import("../plugin/plugin-module.ts");
  if (/[/\\]/u.test(name)) return missingPluginModule(name);
  return await findPluginModule(name, computer, pluginRuntime(pluginBounds(timeouts), signal));
}

/** A driver with its create flags: a plugin is started for them. Throws `driver-not-found`, `plugin-failed`. */
export async function loadDriverWithFlags(name: string, options: PluginLoadOptions): Promise<DriverModule> {
  const builtin = await findBuiltinDriver(name);
  if (builtin !== undefined) return builtin;
  const { loadPluginModule } = await import("../plugin/plugin-module.ts");
  return await loadPluginModule(name, options).catch(async (error: unknown) => {
    throw isMachineError(error, "driver-not-found") ? await withSuggestion(error, name, options.computer) : error;
  });
}

async function withSuggestion(error: MachineError, name: string, computer: Computer): Promise<MachineError> {
  const { listPlugins } = await import("../plugin/discover.ts");
  const names = [...builtinDriverNames, ...(await listPlugins(computer)).map((plugin) => plugin.name)];
  const hint = didYouMean(name, names) ?? `Built in are ${builtinDriverNames.toSorted().join(", ")}.`;
  return new MachineError(error.code, error.message, { cause: error, hint: error.hint ?? hint });
}

/** A driver's create flags. Throws as `loadDriverWithFlags` does. */
export async function flagsOfDriver(name: string, computer: Computer): Promise<readonly CreateFlag[]> {
  return (await loadDriverWithFlags(name, await pluginOptions(computer))).flags;
}

/** The driver that has a create flag; a plugin is told by the flag's prefix alone, and not started. */
export async function ownerOfFlag(flag: string, computer: Computer): Promise<string | undefined> {
  for (const name of builtinDriverNames) {
    const module = await findBuiltinDriver(name);
    if (module?.flags.some((each) => each.name === flag) === true) return name;
  }
  const { listPlugins } = await import("../plugin/discover.ts");
  return (await listPlugins(computer)).find(({ name }) => flag.startsWith(`${name}-`))?.name;
}

/** The bounds of a plugin among those of a command. */
export function pluginBounds(timeouts: Timeouts): Partial<PluginBounds> {
  return {
    launchMs: timeouts.pluginStartMs,
    handshakeMs: timeouts.pluginConnectMs,
    questionMs: timeouts.pluginAnswerMs,
    heartbeatAnswerMs: timeouts.pluginHeartbeatMs,
    closeMs: timeouts.pluginEndMs,
  };
}

/** What it takes to start plugins, beside what a command reports. Throws `usage` for a bound in the environment that is none. */
export async function pluginOptions(computer: Computer): Promise<PluginLoadOptions> {
  const { SystemProcessRunner } = await import("../system/process.ts");
  const bounds = pluginBounds(timeoutsOf(computer.env));
  return { computer, processes: new SystemProcessRunner(computer), clock: systemClock, report: reportNothing, bounds };
}
