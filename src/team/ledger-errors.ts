/** What goes wrong with a team's database, in words that are the same whichever it is. */
import { MachineError } from "../errors/machine-error.ts";

/** @param at hosts, as a person reads them */
export function storeUnreachable(at: string, why: string, hint: string): MachineError {
  return new MachineError("store-unreachable", `The team's store at ${at} cannot be reached: ${why}`, { hint });
}

/** @param said by the database */
export function storeRefused(said: string, cause: unknown, hint?: string): MachineError {
  return new MachineError("store-refused", `The team's store refused: ${said}`, { cause, hint });
}
