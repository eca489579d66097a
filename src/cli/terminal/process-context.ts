/** What this process gives to `main`. Part of the composition root. */
import { systemClock } from "../../system/clock.ts";
import { messageOf } from "../../errors/machine-error.ts";
import type { CommandSource } from "../command.ts";
import { exitCodes } from "../exit-code.ts";
import type { MainContext } from "../main-context.ts";
import { ownProgram } from "./program-path.ts";
import type { ProcessStreams } from "./process-streams.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export function processContext(commands: CommandSource): MainContext {
  const bun = process.versions["bun"];
  return {
    commands,
    ownProgram: ownProgram(process),
    clock: systemClock,
    runtime: bun === undefined ? `Node ${process.versions.node}` : `Bun ${bun}`,
    driverFlags: async (name, computer) => await (await import("../../assembly/driver-catalog.ts")).flagsOfDriver(name, computer),
    ownerOfFlag: async (flag, computer) => await (await import("../../assembly/driver-catalog.ts")).ownerOfFlag(flag, computer),
    onInterrupt(listener) {
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
    onUnexpected(listener) {
      process.on("uncaughtException", listener);
      process.on("unhandledRejection", listener);
    },
    exitNow: (code) => process.exit(code),
  };
}

/** How long handles that a command forgot to close may keep the finished program alive. */
const lingerMs = 2_000;

/** Ends the process when its output is written. Results that could not be written are a failure. */
export function endWith(code: number, { stdout, stderr }: ProcessStreams): void {
  const { failure } = stdout;
  if (failure !== undefined) stderr.write(`Cannot write to standard output: ${messageOf(failure)}\n`);
  process.exitCode = code === exitCodes.ok && failure !== undefined ? exitCodes.failure : code;
  if (stdout.isWritten && stderr.isWritten) process.exit();
  setTimeout(() => process.exit(), lingerMs).unref();
}
