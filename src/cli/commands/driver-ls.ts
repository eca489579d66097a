import type { DriverModule } from "../../driver-kit/driver.ts";
import { messageOf } from "../../errors/machine-error.ts";
import { oneLine } from "../../log/plain-text.ts";
import { listPlugins, type PluginLocation } from "../../plugin/discover.ts";
import { inspectPlugin, type PluginLoadOptions } from "../../plugin/plugin-module.ts";
import { protocolVersion } from "../../plugin/protocol.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { builtinDriverNames, findBuiltinDriver, pluginOptions } from "../../assembly/driver-catalog.ts";
import { columns } from "../output/columns.ts";
import { widthFor } from "../output/wrap.ts";
import { version } from "../version.ts";

interface ListedDriver {
  readonly name: string;
  readonly kind: "built-in" | "plugin";
  /** Ours, or the plugin's version of the protocol; "" while that is not known. */
  readonly version: string;
  readonly summary: string;
  readonly path?: string;
  /** Why a plugin cannot be used. */
  readonly problem?: string;
}

/** The built-in drivers, then the plugins on PATH, each of which is tried. */
export async function run(_invocation: Invocation, context: CliContext): Promise<void> {
  const options = { ...(await pluginOptions(context.computer)), report: context.report, signal: context.signal };
  const plugins = (await listPlugins(context.computer)).map(async (location) => await describePlugin(location, options));
  const drivers = [...(await describeBuiltins()), ...(await Promise.all(plugins))];
  if (context.globals.output === "json") return context.printJson(drivers);
  const header = ["NAME", "KIND", "VERSION", "DESCRIPTION"];
  for (const line of columns([header, ...drivers.map(cells)], widthFor(context.streams.stdout))) context.print(line);
}

async function describeBuiltins(): Promise<ListedDriver[]> {
  const modules = await Promise.all(builtinDriverNames.toSorted().map(findBuiltinDriver));
  return modules.flatMap((module) =>
    module === undefined ? [] : [{ name: module.name, kind: "built-in", version, summary: module.summary } as const],
  );
}

async function describePlugin(location: PluginLocation, options: PluginLoadOptions): Promise<ListedDriver> {
  const { name, program } = location;
  const plugin = { name, kind: "plugin", summary: "", path: program } as const;
  const builtin = await findBuiltinDriver(name);
  if (builtin !== undefined) return { ...plugin, version: "", problem: shadowed(builtin) };
  try {
    await inspectPlugin(location, options);
    return { ...plugin, version: `API ${protocolVersion}` };
  } catch (error) {
    options.signal?.throwIfAborted();
    return { ...plugin, version: "", problem: messageOf(error) };
  }
}

function shadowed({ ownKeys }: DriverModule): string {
  return ownKeys === undefined
    ? "not used: the built-in driver has this name"
    : "used only for machines that it made: the built-in driver has this name";
}

function cells({ name, kind, version: shown, summary, path, problem }: ListedDriver): string[] {
  const firstLine = problem?.split("\n")[0];
  return [
    name,
    kind,
    shown === "" ? "-" : shown,
    [path ?? summary, firstLine].filter((part) => part !== undefined).join(": "),
  ].map(oneLine);
}
