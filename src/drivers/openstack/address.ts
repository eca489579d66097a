/** Where a machine is: its floating address where it has a pool, else what the network gave it. */
import { gone } from "./creation.ts";
import { ownFloatingIp } from "./floating-ip.ts";
import { recordedServer, type Server, type ServerAddress, type Workplace } from "./workplace.ts";

/** "" while it has none. */
export async function addressOf(place: Workplace, signal: AbortSignal): Promise<string> {
  const server = await recordedServer(place, signal);
  if (server === undefined) throw gone(place);
  const wanted = place.config.FloatingIpPool === "" ? "fixed" : "floating";
  // What Nova tells of floating addresses is late; Neutron knows its own.
  const own = wanted === "floating" ? await ownFloatingIp(place, signal) : undefined;
  if (own !== undefined && own.port_id !== null) return own.floating_ip_address;
  const version = place.config.IpVersion === 6 ? 6 : 4;
  return addressesOf(place, server).find((one) => one.version === version && typeOf(one) === wanted)?.addr ?? "";
}

/** Of several networks the recorded one's first. */
function addressesOf({ config }: Workplace, { addresses = {} }: Server): readonly ServerAddress[] {
  const own = addresses[config.NetworkName] ?? [];
  return [...own, ...Object.values(addresses).flat()];
}

function typeOf(address: ServerAddress): string {
  return address["OS-EXT-IPS:type"] ?? "fixed";
}
