/** What state a machine is in: whether it is among those that run, and what its folder tells. */
import type { StateAndProblem } from "../../driver-kit/defined-driver.ts";
import { factsOf } from "../../system/disk-files.ts";
import { fileOf, gone, isOwn, lookUp, type Sight, type Workplace } from "./workplace.ts";

export async function stateOf(place: Workplace, signal: AbortSignal): Promise<StateAndProblem> {
  return await stateSeen(place, await lookUp(place, signal));
}

export async function stateSeen(place: Workplace, sight: Sight): Promise<StateAndProblem> {
  const { description, isRunning } = sight;
  if (description === undefined) return { state: isRunning ? "Error" : "", problem: gone(place).message };
  if (!isOwn(place, description))
    return { state: "", problem: `In the place of "${place.context.machineName}" is another's virtual machine` };
  if (isRunning) return { state: "Running", problem: undefined };
  return { state: (await isSaved(place, sight)) ? "Saved" : "Stopped", problem: undefined };
}

/** Its memory lies in a file that the description names; 0.16.2 went by the file of the machine's name. */
export async function isSaved(place: Workplace, { description }: Sight): Promise<boolean> {
  if ((description?.get("checkpoint.vmstate") ?? "") !== "") return true;
  return (await factsOf(fileOf(place, "vmx").replace(/\.vmx$/u, ".vmss"))) !== undefined;
}
