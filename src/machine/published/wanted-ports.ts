/** From what the containers of a machine publish to what is to come to this computer. No I/O. */
import type { ContainerPort } from "../../driver-kit/driver.ts";
import type { PublishedByContainer } from "../../engine/container-ports.ts";

/** So many ports of this computer a machine gets: an engine that was taken over must not get all. */
export const mostPorts = 512;

export interface WantedPort extends ContainerPort {
  readonly containers: readonly string[];
  /** It is published at addresses of IPv4 that lead to the machine from outside. */
  readonly isReachable: boolean;
}

/** Each port once, in order, as far as it is wanted. */
export function wantedPorts(
  published: readonly PublishedByContainer[],
  wants: (port: ContainerPort) => boolean,
): readonly WantedPort[] {
  const groups = Map.groupBy(published, ({ protocol, port }) => `${port}/${protocol}`);
  const ports = [...groups.values()].map(together);
  return ports.filter(wants).toSorted(byNumber).slice(0, mostPorts);
}

function together(same: readonly PublishedByContainer[]): WantedPort {
  const [{ protocol, port }] = same as [PublishedByContainer];
  const containers = [...new Set(same.map(({ container }) => container))].toSorted();
  return { protocol, port, containers, isReachable: same.some(({ address }) => isReachable(address)) };
}

/** The machine's own loopback is not this computer's; what listens at IPv6 alone is not asked over IPv4. */
function isReachable(address: string): boolean {
  return !address.startsWith("127.") && !address.includes(":");
}

function byNumber(a: ContainerPort, b: ContainerPort): number {
  return a.port - b.port || a.protocol.localeCompare(b.protocol);
}
