/** What a team's store is given of this computer. */
import { hostname } from "node:os";
import type { Report } from "../log/event.ts";
import type { Redactor } from "../log/redact.ts";
import type { SecretSource } from "../machine/secrets/secret-source.ts";
import { systemClock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import type { TeamSurroundings } from "../team/team-context.ts";
import { findBuiltinDriver } from "./driver-catalog.ts";

export interface TeamSurroundingsOptions {
  readonly root: string;
  readonly computer: Computer;
  readonly secrets: SecretSource;
  readonly report: Report;
  readonly redactor: Redactor | undefined;
}

export function teamSurroundings({ root, computer, secrets, report, redactor }: TeamSurroundingsOptions): TeamSurroundings {
  return {
    root,
    clock: systemClock,
    report,
    by: `${computer.userName}@${hostname()}`,
    resolveSecret: async (reference) => {
      const secret = await secrets.resolve(reference);
      redactor?.add(secret);
      return secret;
    },
    // Of a plugin nobody knows where its machines live.
    isOnThisComputer: async (driverName) => (await findBuiltinDriver(driverName))?.capabilities.onThisComputer === true,
  };
}
