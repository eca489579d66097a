/** The address by which machines of a cluster reach each other. */
import { execOnMachine } from "../exec.ts";
import { openHost } from "../host/open-host.ts";
import type { MachineContext } from "../machine-context.ts";

/** RFC 1918, and what carriers use (RFC 6598). */
const privateRanges = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/u;
/** Of engines: nobody else is there. */
const enginesOwn = /^(?:docker|br-|veth|lo$|cni|flannel|virbr)/u;

/** A private one where the machine has one, else the one that is recorded. */
export async function privateAddressOf(context: MachineContext, name: string, signal: AbortSignal): Promise<string> {
  const request = { command: "ip -4 -o addr show scope global", timeoutMs: context.timeouts.probeMs };
  const { stdout } = await execOnMachine(context, name, request, signal);
  return privateAddressIn(stdout) ?? (await recordedAddress(context, name));
}

/** `2: eth0    inet 10.0.0.7/24 brd … scope global eth0` a line. */
export function privateAddressIn(output: string): string | undefined {
  const found = [...output.matchAll(/^\d+: (\S+)\s+inet ([\d.]+)\//gmu)]
    .filter(([, device = ""]) => !enginesOwn.test(device))
    .map(([, , address = ""]) => address);
  return found.find((address) => privateRanges.test(address));
}

async function recordedAddress(context: MachineContext, name: string): Promise<string> {
  await using host = await openHost(context, name);
  return await host.driver.getIp();
}
