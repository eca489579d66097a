import type { DriverCapabilities, DriverModule } from "../../driver-kit/driver.ts";
import { defaultValue } from "../../driver-kit/create-flag.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { loadDriverWithFlags, pluginOptions } from "../../assembly/driver-catalog.ts";
import { alignRows } from "../help/align.ts";
import { flagRows } from "../help/flag-rows.ts";
import { terminalFlags } from "../help/terminal-help.ts";

/** A driver's create flags and what it can do. */
export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const options = { ...(await pluginOptions(context.computer)), report: context.report, signal: context.signal };
  const driver = await loadDriverWithFlags(args[0] ?? "", options);
  if (context.globals.output === "json") return context.printJson(asJson(driver));
  context.print(`${driver.name}: ${driver.summary}`);
  for (const fact of facts(driver.capabilities)) context.print(`   ${fact}`);
  context.print("");
  context.print("Options:");
  for (const row of flagLines(driver, context)) context.print(row);
}

function flagLines({ flags }: DriverModule, { compat, streams: { stdout } }: CliContext): string[] {
  if (stdout.isTerminal && !compat) return terminalFlags(flags, stdout.columns);
  return alignRows(flagRows(flags)).map((row) => `   ${row}`);
}

function asJson({ name, summary, capabilities, flags }: DriverModule): object {
  const described = flags.map((flag) => ({
    name: flag.name,
    kind: flag.kind,
    usage: flag.usage,
    default: defaultValue(flag),
    ...(flag.envVar === undefined ? {} : { envVar: flag.envVar }),
    ...(flag.secret === undefined ? {} : { secret: flag.secret }),
  }));
  return { name, summary, capabilities, flags: described };
}

function facts({ provisionable, adopted, lifecycle, parallelCreate, injectsHostKeys }: DriverCapabilities): string[] {
  const able = Object.entries(lifecycle).flatMap(([verb, can]) => (can ? [verb] : []));
  return [
    adopted ? "adopts hosts that exist already" : "makes its hosts",
    provisionable ? "has a Docker Engine installed over SSH" : "installs nothing",
    able.length === 0 ? "leaves hosts running as they are" : `can ${able.join(", ")}`,
    ...(parallelCreate ? ["creates several machines at the same time"] : []),
    ...(injectsHostKeys ? ["gives new hosts their SSH host keys"] : []),
  ];
}
