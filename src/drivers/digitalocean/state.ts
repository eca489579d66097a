/** What DigitalOcean tells of a droplet: its state, and where it is. */
import type { MachineState } from "../../driver-kit/state.ts";
import type { Droplet } from "./api.ts";
import { hasCreateFailed } from "./creation.ts";
import { requireDroplet } from "./power.ts";
import { recordedDroplet, type Workplace } from "./workplace.ts";

const states: Readonly<Record<Droplet["status"], MachineState>> = {
  new: "Starting",
  active: "Running",
  off: "Stopped",
  archive: "Stopped",
};

/** "" where there is none. */
export async function stateOf(place: Workplace, signal: AbortSignal): Promise<MachineState> {
  const droplet = await recordedDroplet(place, signal);
  if (droplet === undefined) return "";
  if (droplet.status === "new" && (await hasCreateFailed(place, signal))) return "Error";
  return states[droplet.status] ?? "";
}

/** Addresses stay while a droplet exists, but for those that its owner changes. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const { v4, v6 } = (await requireDroplet(place, signal)).networks;
  const of = (type: "public" | "private"): string => v4.find((network) => network.type === type)?.ip_address ?? "";
  config.PrivateIPAddress = of("private");
  config.IPv6Address = v6.find(({ type }) => type === "public")?.ip_address ?? "";
  config.IPAddress = config.UsePrivateAddress || config.PrivateAddressOnly ? config.PrivateIPAddress : of("public");
}
