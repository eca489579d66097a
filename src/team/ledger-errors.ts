/** What goes wrong with a team's database, in words that are the same whichever it is. */
import { MachineError } from "../errors/machine-error.ts";

/** @param at hosts, as a person reads them @param isMidway whether it has answered this command before */
export function storeUnreachable(at: string, why: string, isMidway: boolean): MachineError {
  return new MachineError("store-unreachable", `The team's store at ${at} cannot be reached: ${why}`, {
    hint: isMidway
      ? "It was there a moment ago. Once it answers, docker-machine ls tells how far this came; run the command again then."
      : "Nothing was changed. Once it answers, run the command again.",
  });
}

/** @param said by the database */
export function storeRefused(said: string, cause: unknown, hint?: string): MachineError {
  return new MachineError("store-refused", `The team's store refused: ${said}`, { cause, hint });
}
