/** What EC2 tells of an instance: its state, and where it is. */
import type { MachineState } from "../../driver-kit/state.ts";
import { requireAlive } from "./power.ts";
import { requireInstance, type Workplace } from "./workplace.ts";

const states: Readonly<Record<string, MachineState>> = {
  pending: "Starting",
  running: "Running",
  stopping: "Stopping",
  "shutting-down": "Stopping",
  stopped: "Stopped",
  terminated: "Error",
};

/** "" while none is recorded. Throws `provider-not-found` for one that AWS does not know any more. */
export async function stateOf(place: Workplace, signal: AbortSignal): Promise<MachineState> {
  if (place.config.InstanceId === "") return "";
  const { State } = await requireInstance(place, signal);
  return states[State?.Name ?? ""] ?? "";
}

/** The public address is another after each start, unless it is one of the owner's own. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const instance = await requireInstance(place, signal);
  requireAlive(place, instance);
  const { Ipv6Address, NetworkInterfaces = [], PrivateIpAddress = "", PublicIpAddress = "" } = instance;
  config.PrivateIPAddress = PrivateIpAddress;
  config.IPv6Address = Ipv6Address ?? NetworkInterfaces[0]?.Ipv6Addresses?.[0]?.Ipv6Address ?? "";
  if (config.PrivateIPOnly || config.UsePrivateIP) config.IPAddress = PrivateIpAddress;
  else config.IPAddress = config.Ipv6AddressOnly ? config.IPv6Address : PublicIpAddress;
}
