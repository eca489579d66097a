/**
 * Ports that containers publish, brought to 127.0.0.1 of this computer by forwards of the running QEMU. Which of its
 * forwards are such is told by themselves: those of 127.0.0.1 that keep their number and that no record knows.
 */
import type { BringOutcome, ContainerPort, ContainerPorts, PublishedPort } from "../../driver-kit/driver.ts";
import { identifyProcess } from "../../system/process-identity.ts";
import { tryPort } from "../../system/loopback-port.ts";
import { closeForward, forwardOf, listForwards, loopback, meet, openForward, placeOf, type Forward } from "./forwards.ts";
import type { Instance } from "./instance.ts";
import type { QmpClient } from "./qmp.ts";

interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** What `--qemu-publish` stands for: the ports that are to come here; none for `off`. Undefined for what is neither. */
export function readPublish(text: string): readonly PortRange[] | undefined {
  if (text === "auto") return [{ from: 1, to: 65_535 }];
  if (text === "off") return [];
  const ranges = text.split(",").map(readRange);
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

function readRange(text: string): PortRange | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/u.exec(text.trim()) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= 1 && from <= to && to <= 65_535 ? { from, to } : undefined;
}

/** Undefined where none are wanted, and before there is an instance. */
export function containerPorts(publish: string, instance: Instance): ContainerPorts | undefined {
  const ranges = readPublish(publish) ?? [];
  if (ranges.length === 0 || instance.instanceId === "") return undefined;
  return {
    wants: ({ port }) => ranges.some(({ from, to }) => from <= port && port <= to),
    run: async () => await runOf(instance),
    bring: async (ports, recorded, signal) => {
      await using monitor = await instance.monitor(signal);
      return await bringPorts(monitor, ports, recorded);
    },
  };
}

async function runOf(instance: Instance): Promise<string | undefined> {
  const pid = await instance.findPid();
  const process = pid === undefined ? undefined : await identifyProcess(pid);
  return process === undefined ? undefined : `${process.pid}@${process.startTicks ?? ""}`;
}

async function bringPorts(
  monitor: QmpClient,
  ports: readonly ContainerPort[],
  recorded: () => Promise<readonly PublishedPort[]>,
): Promise<BringOutcome[]> {
  // QEMU serves one at a time, and who opens ports for good records them before giving the monitor back.
  const open = await listForwards(monitor);
  const kept = (await recorded()).map(forwardOf);
  const wanted = ports.map(broughtForward);
  const stays = (forward: Forward): boolean => [...kept, ...wanted].some((other) => placeOf(other) === placeOf(forward));
  for (const forward of open.values()) if (isBrought(forward) && !stays(forward)) await closeForward(monitor, forward);
  const outcomes: BringOutcome[] = [];
  for (const forward of wanted) outcomes.push(await bringOne(monitor, forward, open, kept));
  return outcomes;
}

async function bringOne(
  monitor: QmpClient,
  forward: Forward,
  open: ReadonlyMap<string, Forward>,
  kept: readonly Forward[],
): Promise<BringOutcome> {
  const given = kept.find((other) => meet(other, forward));
  if (given !== undefined) return given.guestPort === forward.guestPort ? "open" : "given-away";
  if (open.get(placeOf(forward))?.guestPort === forward.guestPort) return "open";
  const verdict = await tryPort({ ...forward, port: forward.hostPort });
  if (verdict === "not-allowed") return verdict;
  return verdict === "free" && (await openForward(monitor, forward)) ? "open" : "in-use";
}

function broughtForward({ protocol, port }: ContainerPort): Forward {
  return { protocol, address: loopback, hostPort: port, guestPort: port };
}

function isBrought({ address, hostPort, guestPort }: Forward): boolean {
  return address === loopback && hostPort === guestPort;
}
