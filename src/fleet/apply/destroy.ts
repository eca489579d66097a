/** `destroy`: removes all machines that bear a fleet's mark, whatever its file says. */
import { MachineError } from "../../errors/machine-error.ts";
import { fleetMarkOf } from "../../machine/fleet-mark.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { recordedMachines } from "../../machine/list-records.ts";

export interface FleetMachines {
  readonly names: readonly string[];
  /** Machines whose records cannot be read: whether they are of the fleet, nobody knows. */
  readonly unreadable: readonly string[];
}

/** Throws `machine-protected` where one is, and `nothing-selected` where there is no such fleet. */
export async function machinesOfFleet(context: MachineContext, fleet: string): Promise<FleetMachines> {
  const { readable, unreadable } = await recordedMachines(context);
  const own = readable.filter(({ extra }) => fleetMarkOf(extra)?.Name === fleet);
  if (own.length === 0) {
    const fleets = [...new Set(readable.flatMap(({ extra }) => fleetMarkOf(extra)?.Name ?? []))];
    const hint =
      fleets.length === 0 ? "No machine here is of a fleet." : `There are machines of ${fleets.toSorted().join(", ")}.`;
    throw new MachineError("nothing-selected", `No machine is of the fleet "${fleet}"`, { hint });
  }
  const kept = own.filter(({ extra }) => extra.Protected === true).map(({ name }) => name);
  if (kept.length > 0) {
    throw new MachineError("machine-protected", `Machines of the fleet "${fleet}" are protected: ${kept.join(", ")}`, {
      hint: `To allow it: docker-machine unprotect ${kept.join(" ")}`,
    });
  }
  return { names: own.map(({ name }) => name), unreadable: unreadable.map(({ name }) => name) };
}
