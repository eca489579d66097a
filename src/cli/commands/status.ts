import { logTo } from "../../log/event.ts";
import type { Host } from "../../machine/host/host.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { stateOf } from "../../machine/host/wait-for-state.ts";
import { keepPublished } from "../../machine/published/keep.ts";
import type { PublishedFacts } from "../../machine/published/published-facts.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { beginningWith } from "../connection-error.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  const startedMs = machineContext.clock.monotonicMs();
  const state = await beginningWith(
    `error getting state for host ${host.name}`,
    async () => await stateOf(machineContext, host, context.signal),
  );
  const ms = Math.round(machineContext.clock.monotonicMs() - startedMs);
  logTo(context.report, "debug", `"${host.name}": the driver ${host.driver.driverName} answered in ${ms} ms`);
  const isRunning = state === "Running";
  if (isRunning) await keepPublished(machineContext, host);
  const published = isRunning ? await publishedOf(host) : undefined;
  const { Expires: expires } = host.record.extra;
  if (context.globals.output === "json") return context.printJson({ name: host.name, state, expires, published });
  context.print(state);
  if (expires !== undefined) logTo(context.report, "info", `"${host.name}" has a deadline: ${expires}`);
  // Scripts compare the whole of what is printed.
  if (!context.streams.stdout.isTerminal || context.compat) return;
  for (const line of (await import("../output/published-lines.ts")).publishedLines(published)) context.print(line);
}

async function publishedOf(host: Host): Promise<PublishedFacts | undefined> {
  if (host.driver.containerPorts === undefined) return undefined;
  return await (await import("../../machine/published/published-facts.ts")).publishedFacts(host);
}
