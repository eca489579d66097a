/** `port`: ports of this computer that lead to one of a machine. */
import type { PublishedPort } from "../driver-kit/driver.ts";
import { MachineError } from "../errors/machine-error.ts";
import { within } from "../system/waiting.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { requireCreated } from "./interruption/interrupted.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { keepPublished } from "./published/keep.ts";
import { publishedFacts, type PublishedFacts } from "./published/published-facts.ts";

/** What is to change; a port is closed by its number here. */
export interface PortChange {
  readonly open: readonly PublishedPort[];
  readonly close: readonly number[];
}

export interface OpenPorts {
  readonly ports: readonly PublishedPort[];
  /** Of containers, which come and go with them; undefined where they do not come here, or the machine does not run. */
  readonly published?: PublishedFacts | undefined;
}

/** What is open; undefined where the driver opens none, so that SSH has to carry them. */
export async function listPorts(context: MachineContext, name: string): Promise<OpenPorts | undefined> {
  await using host = await openHost(context, name);
  const ports = await host.driver.publishedPorts?.();
  return ports && { ports, published: await publishedNow(context, host) };
}

async function publishedNow(context: MachineContext, host: Host): Promise<PublishedFacts | undefined> {
  if ((await host.driver.containerPorts?.run()) === undefined) return undefined;
  await keepPublished(context, host);
  return await publishedFacts(host);
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
): Promise<OpenPorts | undefined> {
  await using lock = await lockMachine(context, name, "port", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  if (host.driver.publish === undefined || host.driver.publishedPorts === undefined) return undefined;
  const before = await host.driver.publishedPorts();
  const missing = change.close.find((port) => !before.some(({ hostPort }) => hostPort === port));
  if (missing !== undefined) throw await notOpen(host, missing, before);
  const isNew = ({ hostPort, protocol }: PublishedPort): boolean =>
    !before.some((port) => port.hostPort === hostPort && port.protocol === protocol);
  const wanted = [...before.filter(({ hostPort }) => !change.close.includes(hostPort)), ...change.open.filter(isNew)];
  const replaced = change.open.find((port) => !isNew(port) && !isAmong(port, before));
  if (replaced !== undefined)
    throw new MachineError("port-taken", `Port ${replaced.hostPort} leads to another port of "${name}"`, {
      hint: `Close it first: docker-machine port ${name} --close ${replaced.hostPort}`,
    });
  return { ports: await publish(context, host, wanted, lock.signal), published: await publishedNow(context, host) };
}

async function notOpen(host: Host, port: number, open: readonly PublishedPort[]): Promise<MachineError> {
  const ofContainer = (await publishedFacts(host))?.ports.find((each) => each.port === port && each.outcome === "open");
  if (ofContainer === undefined)
    return new MachineError("machine-state", `Port ${port} does not lead to "${host.name}"`, { hint: hintOf(open) });
  const containers = ofContainer.containers.join(", ");
  return new MachineError(
    "machine-state",
    `Port ${port} leads to "${host.name}" for as long as a container publishes it: ${containers}`,
    {
      hint: "It is closed with the container; a machine of --qemu-publish off has none of them come here.",
    },
  );
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
