/** What OpenStack tells of a server: its state, what is wrong with it, and where it is. */
import type { StateAndProblem } from "../../driver-kit/defined-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { gone } from "./creation.ts";
import { ownFloatingIp } from "./floating-ip.ts";
import { recordedServer, taskOf, type Server, type ServerAddress, type Workplace } from "./workplace.ts";

/** 0.16.2 knew BUILDING, which no Nova ever said. */
const states: Readonly<Record<string, MachineState>> = {
  ...{ ACTIVE: "Running", PASSWORD: "Running", MIGRATING: "Running", RESIZE: "Running", VERIFY_RESIZE: "Running" },
  ...{ REVERT_RESIZE: "Running", RESCUE: "Running", REBOOT: "Running", HARD_REBOOT: "Running" },
  ...{ BUILD: "Starting", REBUILD: "Starting" },
  ...{ PAUSED: "Paused", SUSPENDED: "Saved" },
  ...{ SHUTOFF: "Stopped", SHELVED: "Stopped", SHELVED_OFFLOADED: "Stopped" },
  ERROR: "Error",
};

/** While Nova is at it, the status is still the former. */
const changing: Readonly<Record<string, MachineState>> = {
  ...{ "powering-on": "Starting", unshelving: "Starting", resuming: "Starting", unpausing: "Starting" },
  ...{ "powering-off": "Stopping", shelving: "Stopping", deleting: "Stopping" },
};

export async function stateOf(place: Workplace, signal: AbortSignal): Promise<StateAndProblem> {
  const server = await recordedServer(place, signal);
  return { state: stateAt(server), problem: problemOf(place, server) };
}

/** "" where there is none. */
export function stateAt(server: Server | undefined): MachineState {
  if (server === undefined) return "";
  return changing[taskOf(server)] ?? states[server.status] ?? "";
}

/** What is wrong with a server, in one sentence. */
function problemOf({ config }: Workplace, server: Server | undefined): string | undefined {
  if (server === undefined)
    return config.MachineId === "" ? undefined : `The instance ${config.MachineId} is gone from OpenStack`;
  return server.status === "ERROR" ? (server.fault?.message ?? "OpenStack says that the instance is in ERROR state") : undefined;
}

/** Where it is: its floating address where it has a pool, else what the network gave it. */
export async function locate(place: Workplace, signal: AbortSignal): Promise<void> {
  place.config.IPAddress = await addressOf(place, signal);
}

/** "" while it has none. */
async function addressOf(place: Workplace, signal: AbortSignal): Promise<string> {
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
