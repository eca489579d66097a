/** The machines that a cluster is made of, as the use cases of swarm mode see them: their engines, addresses and records. */
import { logTo } from "../../log/event.ts";
import type { Clock } from "../../system/clock.ts";
import { openHost } from "../host/open-host.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import { recordedMachines } from "../list-records.ts";
import type { MachineContext } from "../machine-context.ts";
import { provisionSwarmMode } from "../../provision/provision.ts";
import { workOnHost } from "../host/work-on-host.ts";
import { bareRequest } from "../host/provision-request.ts";
import { provisionContext } from "../host/provision-context.ts";
import { atEngine } from "../host/engine-way.ts";
import { privateAddressOf } from "./private-address.ts";
import { SwarmApi, type NodeRole, type SwarmNode } from "./swarm-api.ts";

/** What is asked of one engine. */
export type SwarmEngine = Pick<SwarmApi, keyof SwarmApi>;

export interface Membership {
  readonly cluster: string;
  readonly role: NodeRole;
  /** UDP port of overlay networks; absent = the engine's own choice. */
  readonly dataPathPort?: number;
}

export interface SwarmMembers {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Work at a machine's engine. Throws what connecting throws. */
  at<T>(name: string, work: (engine: SwarmEngine) => Promise<T>): Promise<T>;
  /** Where other machines of the cluster reach it. */
  addressOf(name: string): Promise<string>;
  /** Notes what a machine is a member of; undefined = of nothing any more. */
  record(name: string, membership: Membership | undefined): Promise<void>;
  /** Notes what it is to be a member of, and makes its host fit for that: ports are opened, live-restore goes off. */
  prepare(name: string, membership: Membership): Promise<void>;
  /** Never to be printed. */
  secret(value: string): void;
  say(name: string, text: string): void;
}

export function swarmMembersOf(context: MachineContext, signal: AbortSignal): SwarmMembers {
  return {
    clock: context.clock,
    signal,
    at: async (name, work) => await atEngine(context, name, signal, async (api) => await work(new SwarmApi(api, signal))),
    addressOf: async (name) => await privateAddressOf(context, name, signal),
    record: async (name, membership) => await recordMembership(context, name, membership, signal),
    prepare: async (name, membership) => {
      await recordMembership(context, name, membership, signal);
      await prepareHost(context, name, signal);
    },
    secret: (value) => context.redactor.add(value),
    say: (name, text) => logTo(context.reportFor(name), "info", text),
  };
}

async function recordMembership(
  context: MachineContext,
  name: string,
  membership: Membership | undefined,
  signal: AbortSignal,
): Promise<void> {
  await using _lock = await lockMachine(context, name, "swarm", signal);
  await using host = await openHost(context, name);
  const { extra } = host.record;
  if (JSON.stringify(extra.SwarmMember) === JSON.stringify(membership)) return;
  if (membership === undefined) delete extra.SwarmMember;
  else extra.SwarmMember = membership;
  await host.save();
}

async function prepareHost(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using lock = await lockMachine(context, name, "swarm", signal);
  await using host = await openHost(context, name);
  const work = { command: "provision", step: "provision" } as const;
  await workOnHost(context, host, work, lock.signal, async (ssh) => {
    await provisionSwarmMode(await bareRequest(context, host), provisionContext(context, host, ssh, lock.signal));
  });
}

/** By name, as they are recorded. */
export async function recordedMemberships(context: MachineContext): Promise<ReadonlyMap<string, Membership>> {
  const { readable } = await recordedMachines(context);
  return new Map(
    readable.flatMap(({ name, extra }) => (extra.SwarmMember === undefined ? [] : [[name, extra.SwarmMember] as const])),
  );
}

/** The label by which a node is known again once its machine has left. */
export const nameLabel = "docker-machine.name";

export function isNodeOf(name: string): (node: Pick<SwarmNode, "spec">) => boolean {
  return ({ spec }) => spec.Labels?.[nameLabel] === name;
}
