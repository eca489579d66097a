import type { HostRecord } from "../../store/host-record.ts";

/** All of a record that may hold marks in the place of secrets: the driver's configuration and the engine's environment. */
export function markedTextOf({ driverConfigText, hostOptions }: HostRecord): string {
  return [driverConfigText, ...(hostOptions.EngineOptions.Env ?? [])].join("\n");
}
