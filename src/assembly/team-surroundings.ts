/** What a team's store is given of this computer. */
import type { MachineContext } from "../machine/machine-context.ts";
import { systemClock } from "../system/clock.ts";
import { userHere } from "../system/process-identity.ts";
import type { TeamSurroundings } from "../team/team-context.ts";
import { findBuiltinDriver } from "./driver-catalog.ts";

/** @param root the store's folder */
export function teamSurroundings(
  root: string,
  { computer, secrets, redactor, reportFor }: Pick<MachineContext, "computer" | "secrets" | "redactor" | "reportFor">,
): TeamSurroundings {
  return {
    root,
    clock: systemClock,
    report: reportFor(undefined),
    by: userHere(computer),
    resolveSecret: async (reference) => {
      const secret = await secrets.resolve(reference);
      redactor.add(secret);
      return secret;
    },
    reachOf: async (driverName) => {
      const module = await findBuiltinDriver(driverName);
      // A plugin does not tell where its machines live, or what of the folder it needs.
      if (module === undefined) return "unknown";
      return module.capabilities.onThisComputer === true ? "here" : "everybody";
    },
  };
}
