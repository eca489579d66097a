/** What commands say that cannot learn what they are asked for: 0.16.2's words for the command first. */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import type { CliContext } from "./cli-context.ts";

/** Gives what the work gives; a failure begins with `what`, as 0.16.2's does. */
export async function beginningWith<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMachineError(error)) throw error;
    throw new MachineError(error.code, `${what}: ${messageOf(error)}`, { cause: error, hint: error.hint });
  }
}

/** Gives what the work gives; a failure begins with `what`. Compatible output advises new certificates also where they cannot help. */
export async function connecting(
  what: string,
  { compat }: Pick<CliContext, "compat">,
  work: () => Promise<string>,
): Promise<string> {
  try {
    return await work();
  } catch (error) {
    if (!isMachineError(error)) throw error;
    const { regenerationAdvice, silences } = await import("../machine/host/engine-advice.ts");
    const advice = compat && silences.includes(error.code) ? `\n${regenerationAdvice}` : "";
    throw new MachineError(error.code, `${what}: ${messageOf(error)}${advice}`, { cause: error, hint: error.hint });
  }
}
