/**
 * Driver plugins in the shape of built-in drivers. Knows how to find, ask and open them; the machine they serve, the
 * store and the command line are unknown here.
 */
import type { DriverCapabilities, DriverModule } from "../driver-kit/driver.ts";
import type { CreateFlag } from "../driver-kit/create-flag.ts";
import { newBaseConfig } from "../driver-kit/base-config.ts";
import type { Report } from "../log/event.ts";
import type { Computer } from "../system/computer.ts";
import { defaultBounds, placePatienceMs, type PluginBounds } from "./plugin-bounds.ts";
import { findPlugin, type PluginLocation } from "./discover.ts";
import { createFlagOf } from "./plugin-flags.ts";
import { driverNotFound, missingDriver } from "./missing-driver.ts";
import type { PluginHost, PluginLog } from "./plugin-process.ts";
import { PluginSession } from "./plugin-session.ts";
import { ProcessSlots } from "./process-slots.ts";
import { RemoteDriver, type PluginRuntime } from "./remote-driver.ts";

/** What the protocol lets us assume of any plugin. */
const capabilities: DriverCapabilities = {
  provisionable: true,
  adopted: false,
  lifecycle: { start: true, stop: true, kill: true, restart: true },
  parallelCreate: true,
  perNameFlags: [],
  injectsHostKeys: false,
  opaque: true,
};

/** A plugin is some tens of MiB, and starts in tens of milliseconds. */
const maxProcesses = 8;
const sharedSlots = new ProcessSlots(maxProcesses, placePatienceMs);

/** All runtimes of this process share its places. @param signal ends questions that are given none of their own */
export function pluginRuntime(bounds: Partial<PluginBounds> = {}, signal?: AbortSignal): PluginRuntime {
  return { bounds: { ...defaultBounds, ...bounds }, slots: sharedSlots, signal };
}

/**
 * The module of a stored machine's driver, for opening it. Starts nothing, so it knows no create flags. Where the plugin
 * is not installed, its drivers are stand-ins: the machine is shown, and its actions fail with `driver-not-found`.
 */
export async function findPluginModule(name: string, computer: Computer, runtime = pluginRuntime()): Promise<DriverModule> {
  const location = await findPlugin(name, computer);
  return location === undefined ? missingPluginModule(name) : moduleOf(location, [], runtime);
}

/** What stands in for a plugin that is not there. */
export function missingPluginModule(name: string): DriverModule {
  return {
    ...facts(name, "not installed", []),
    open: (context, config) =>
      missingDriver(name, config ?? JSON.stringify(newBaseConfig(context.machineName, context.storePath))),
  };
}

export interface PluginLoadOptions extends Omit<PluginHost, "bounds"> {
  readonly report: Report;
  readonly signal?: AbortSignal | undefined;
  /** Changes to the defaults. */
  readonly bounds?: Partial<PluginBounds> | undefined;
}

/**
 * The module of a driver with its create flags, for `create` and its help: the plugin is started once to tell them.
 * Throws `driver-not-found`, `plugin-failed`, `driver-failed`, or the signal's reason.
 */
export async function loadPluginModule(
  name: string,
  options: PluginLoadOptions,
  runtime = pluginRuntime(options.bounds),
): Promise<DriverModule> {
  const location = await findPlugin(name, options.computer);
  if (location === undefined) throw driverNotFound(name);
  return await inspectPlugin(location, options, runtime);
}

function moduleOf(location: PluginLocation, flags: readonly CreateFlag[], runtime: PluginRuntime): DriverModule {
  return {
    ...facts(location.name, `plugin ${location.program}`, flags),
    open: (context, config) => new RemoteDriver(location, context, config, runtime),
  };
}

function facts(name: string, summary: string, flags: readonly CreateFlag[]): Omit<DriverModule, "open"> {
  return { name, summary, flags, capabilities };
}

/** Tries a plugin: whether it starts and speaks our version of the protocol, and its create flags. Throws as `loadPluginModule`. */
export async function inspectPlugin(
  location: PluginLocation,
  options: PluginLoadOptions,
  runtime = pluginRuntime(options.bounds),
): Promise<DriverModule> {
  return moduleOf(location, await fetchFlags(location, options, runtime), runtime);
}

/** Asks as 0.16.2 does: in the name of a machine that is none. */
async function fetchFlags(location: PluginLocation, options: PluginLoadOptions, runtime: PluginRuntime): Promise<CreateFlag[]> {
  const { report, signal, computer, processes, clock } = options;
  const { bounds, slots } = runtime;
  const log: PluginLog = (level, text) => report({ type: "log", level, text, machine: lookupName });
  const giveBack = await slots.take(clock, signal);
  try {
    const config = JSON.stringify(newBaseConfig(lookupName, ""));
    const session = await PluginSession.open(location, { computer, processes, clock, bounds }, config, log, signal);
    try {
      return (await session.call("GetCreateFlags", {}, { signal, timeoutMs: bounds.questionMs })).flatMap(createFlagOf);
    } finally {
      await session.close();
    }
  } finally {
    giveBack();
  }
}

const lookupName = "flag-lookup";
