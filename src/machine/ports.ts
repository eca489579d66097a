/** `port`: ports of this computer that lead to one of a machine. */
import type { PublishedPort } from "../driver-kit/driver.ts";
import { MachineError } from "../errors/machine-error.ts";
import { within } from "../system/waiting.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { requireCreated } from "./interruption/interrupted.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";

/** What is to change; a port is closed by its number here. */
export interface PortChange {
  readonly open: readonly PublishedPort[];
  readonly close: readonly number[];
}

/** What is open; undefined where the driver opens none, so that SSH has to carry them. */
export async function listPorts(context: MachineContext, name: string): Promise<readonly PublishedPort[] | undefined> {
  await using host = await openHost(context, name);
  return await host.driver.publishedPorts?.();
}

/**
 * Opens and closes, for as long as the machine exists, and gives what is open then. Undefined where the driver cannot.
 * Throws `port-taken`, `driver-options`, and `machine-state` for a port that is not open.
 */
export async function changePorts(
  context: MachineContext,
  name: string,
  change: PortChange,
  signal: AbortSignal,
): Promise<readonly PublishedPort[] | undefined> {
  await using lock = await lockMachine(context, name, "port", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  if (host.driver.publish === undefined || host.driver.publishedPorts === undefined) return undefined;
  const before = await host.driver.publishedPorts();
  const missing = change.close.find((port) => !before.some(({ hostPort }) => hostPort === port));
  if (missing !== undefined)
    throw new MachineError("machine-state", `Port ${missing} does not lead to "${name}"`, { hint: hintOf(before) });
  const isNew = ({ hostPort, protocol }: PublishedPort): boolean =>
    !before.some((port) => port.hostPort === hostPort && port.protocol === protocol);
  const wanted = [...before.filter(({ hostPort }) => !change.close.includes(hostPort)), ...change.open.filter(isNew)];
  const replaced = change.open.find((port) => !isNew(port) && !isAmong(port, before));
  if (replaced !== undefined)
    throw new MachineError("port-taken", `Port ${replaced.hostPort} leads to another port of "${name}"`, {
      hint: `Close it first: docker-machine port ${name} --close ${replaced.hostPort}`,
    });
  return await publish(context, host, wanted, lock.signal);
}

async function publish(
  context: MachineContext,
  host: Host,
  wanted: readonly PublishedPort[],
  signal: AbortSignal,
): Promise<readonly PublishedPort[]> {
  const patience = { ms: context.timeouts.driverMs, clock: context.clock, signal };
  const otherwise = `The driver of "${host.name}" did not open its ports`;
  const open = await within(patience, async (bound) => (await host.driver.publish?.(wanted, bound)) ?? [], otherwise);
  await host.save();
  return open;
}

function isAmong(wanted: PublishedPort, ports: readonly PublishedPort[]): boolean {
  return ports.some((port) => (Object.keys(port) as (keyof PublishedPort)[]).every((key) => port[key] === wanted[key]));
}

function hintOf(open: readonly PublishedPort[]): string {
  return open.length === 0 ? "None does." : `Open are ${open.map(({ hostPort }) => hostPort).join(", ")}.`;
}
