/** A machine's state, spelled and numbered as 0.16.2 does (its number travels in the plugin protocol). */
export const machineStates = ["", "Running", "Paused", "Saved", "Stopped", "Stopping", "Starting", "Error", "Timeout"] as const;

export type MachineState = (typeof machineStates)[number];

/** The protocol's number of a state. */
export function stateNumber(state: MachineState): number {
  return machineStates.indexOf(state);
}

/** The state of a protocol number; unknown numbers are "". */
export function stateOfNumber(number: number): MachineState {
  return machineStates[number] ?? "";
}
