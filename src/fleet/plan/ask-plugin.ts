/**
 * What a plugin says to the flags of machines that are to be made: it is started once for all of them, which takes tens of
 * milliseconds, and asked about each set of flags. What `apply` would be told is known before that.
 */
import { isMachineError, type MachineError } from "../../errors/machine-error.ts";
import { reportNothing } from "../../log/event.ts";
import { Redactor } from "../../log/redact.ts";
import type { Host } from "../../machine/host/host.ts";
import { newHost } from "../../machine/host/open-host.ts";
import { newRecord } from "../../machine/host/new-record.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { FlagSource } from "../file/flag-source.ts";
import type { MachineSpec } from "../file/fleet-file.ts";
import { isUnfetched, unfetchedOptions } from "../file/resolved-options.ts";

export interface PluginRefusal {
  /** One of those that have these flags: the first. */
  readonly spec: MachineSpec;
  readonly error: MachineError;
  /** False where it may be that a secret was not fetched. */
  readonly isSure: boolean;
}

/** @param specs machines of one driver. */
export async function askPlugin(
  context: MachineContext,
  specs: readonly MachineSpec[],
  source: FlagSource,
): Promise<PluginRefusal[]> {
  const looking = { ...context, redactor: new Redactor(), reportFor: () => reportNothing };
  const refusals: PluginRefusal[] = [];
  let shared: Host | undefined;
  try {
    for (const [spec] of Map.groupBy(specs, ({ flags }) => JSON.stringify(flags)).values()) {
      if (spec === undefined) continue;
      const options = await unfetchedOptions(spec, source);
      const hostOf = async (): Promise<Host> =>
        newHost(looking, newRecord(looking, spec.name, spec.driverName, options), await context.findDriver(spec.driverName));
      const first = await refusalOf(async () => await (shared ??= await hostOf()).configure(options));
      // It may have had in mind what it was asked before.
      const error = first && (await refusalOf(async () => await configured(await hostOf(), options)));
      if (error !== undefined) refusals.push({ spec, error, isSure: !isUnfetched(options) });
    }
  } finally {
    await shared?.[Symbol.asyncDispose]();
  }
  return refusals;
}

async function configured(opened: Host, options: Parameters<Host["configure"]>[0]): Promise<void> {
  await using host = opened;
  await host.configure(options);
}

async function refusalOf(work: () => Promise<void>): Promise<MachineError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isMachineError(error)) return error;
    throw error;
  }
}
