/** Waiting for a machine as the core does: until it is in a state, and until its driver knows where it is. */
import type { Driver } from "../driver-kit/driver.ts";
import type { MachineState } from "../driver-kit/state.ts";
import { poll, type Patience } from "../system/waiting.ts";

const pollMs = 100;

export async function untilState(driver: Driver, state: MachineState, patience: Patience & { readonly signal: AbortSignal }) {
  const isThere = async (): Promise<true | undefined> => (await driver.getState(patience.signal)) === state || undefined;
  await poll(patience, pollMs, isThere, `The instance was not ${state}`);
}

/** Running, and at an address that its driver knows. */
export async function untilUp(driver: Driver, patience: Patience & { readonly signal: AbortSignal }): Promise<void> {
  await untilState(driver, "Running", patience);
  if (driver.locate === undefined) return;
  const isKnown = async (): Promise<true | undefined> => {
    await driver.locate?.(patience.signal);
    return (await driver.getIp()) !== "" || undefined;
  };
  await poll(patience, pollMs, isKnown, "The instance had no address");
}
