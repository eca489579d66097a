/** What state a machine is in. */
import type { StateAndProblem } from "../../driver-kit/defined-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { findOwn, gone, type Workplace } from "./workplace.ts";

/** As .NET spells them. Those that end in `Critical` have lost their storage. */
const states: Readonly<Record<string, MachineState>> = {
  Running: "Running",
  Paused: "Paused",
  Pausing: "Paused",
  Saved: "Saved",
  Saving: "Saved",
  FastSaved: "Saved",
  FastSaving: "Saved",
  Off: "Stopped",
  Starting: "Starting",
  Resuming: "Starting",
  Reset: "Starting",
  Stopping: "Stopping",
};

/** Ours for Hyper-V's word; `Error` for one that is no state of a machine in order. */
export function machineState(word: string): MachineState {
  return states[word] ?? "Error";
}

export async function stateOf(place: Workplace, signal: AbortSignal): Promise<StateAndProblem> {
  const [vm] = await findOwn(place, signal);
  if (vm === undefined) return { state: "", problem: gone(place).message };
  const state = machineState(vm.state);
  if (state !== "Error") return { state, problem: undefined };
  return { state: "Error", problem: `Hyper-V says that the virtual machine is in the state ${vm.state}` };
}
