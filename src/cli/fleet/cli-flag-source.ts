/** The create flags as a fleet's file has them: the tables of this program and of its drivers, and this environment. */
import { overlayOptions, type DriverOptions } from "../../driver-kit/create-flag.ts";
import type { FileFlag, FlagSource } from "../../fleet/file/flag-source.ts";
import type { Computer } from "../../system/computer.ts";
import { mergeCreateFlags, sharedCreateFlags } from "../create/shared-flags.ts";
import { parseFlags } from "../flags/parse-flags.ts";

export function cliFlagSource(computer: Computer): FlagSource {
  const flags = new Map<string, Promise<readonly FileFlag[]>>();
  const options = new Map<string, Promise<DriverOptions>>();
  const flagsOf = async (driverName: string): Promise<readonly FileFlag[]> =>
    await kept(flags, driverName, async () => {
      const { flagsOfDriver } = await import("../../assembly/driver-catalog.ts");
      return mergeCreateFlags(sharedCreateFlags, await flagsOfDriver(driverName, computer));
    });
  return {
    env: computer.env,
    flagsOf,
    ownerOf: async (flag) => await (await import("../../assembly/driver-catalog.ts")).ownerOfFlag(flag, computer),
    driverNames: async () => {
      const { builtinDriverNames } = await import("../../assembly/driver-catalog.ts");
      const { listPlugins } = await import("../../plugin/discover.ts");
      return [...builtinDriverNames, ...(await listPlugins(computer)).map(({ name }) => name)].toSorted();
    },
    optionsFor: async (driverName, values) => {
      const given = await kept(options, driverName, async () => parseFlags([], await flagsOf(driverName), computer.env).options);
      return overlayOptions(given, values);
    },
  };
}

async function kept<Value>(known: Map<string, Promise<Value>>, key: string, make: () => Promise<Value>): Promise<Value> {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return await value;
}
