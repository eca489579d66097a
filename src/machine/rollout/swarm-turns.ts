/**
 * Members of swarms in a roll-out: managers go last and one at a time, their leader last of all, and each is drained before
 * its engine is changed and taken back once it is as it should be.
 */
import { activateMember, drainMember, managerAmong } from "../swarm/leave-swarm.ts";
import { isNodeOf, type Membership, type SwarmMembers } from "../swarm/swarm-members.ts";

export interface SwarmTurns {
  /** Workers, and machines of no swarm, as they were given. */
  readonly many: readonly string[];
  /** One at a time, in this order. */
  readonly managers: readonly string[];
  /** Has the machine be of no swarm's use while the work is done. What fails stays drained. */
  around(name: string, work: () => Promise<void>): Promise<void>;
}

/** @param recorded what machines are members of, also those that are not rolled out to */
export async function swarmTurns(
  members: SwarmMembers,
  recorded: ReadonlyMap<string, Membership>,
  names: readonly string[],
): Promise<SwarmTurns> {
  const isManager = (name: string): boolean => recorded.get(name)?.role === "manager";
  return {
    many: names.filter((name) => !isManager(name)),
    managers: await leadersLast(members, names.filter(isManager)),
    around: async (name, work) => {
      const membership = recorded.get(name);
      const via = membership && (await managerAmong(members, otherManagers(recorded, name, membership)));
      if (via === undefined) return await work();
      members.say(name, `Draining "${name}"...`);
      await drainMember(members, name, via);
      await work();
      await activateMember(members, name, via);
    },
  };
}

function otherManagers(recorded: ReadonlyMap<string, Membership>, name: string, { cluster }: Membership): string[] {
  return [...recorded].flatMap(([other, { cluster: of, role }]) =>
    other !== name && of === cluster && role === "manager" ? [other] : [],
  );
}

async function leadersLast(members: SwarmMembers, managers: readonly string[]): Promise<string[]> {
  const leaders: string[] = [];
  for (const name of managers) {
    const via = await managerAmong(members, [name]);
    const nodes = via === undefined ? [] : await members.at(via, async (engine) => await engine.nodes());
    if (nodes.some((node) => node.isLeader && isNodeOf(name)(node))) leaders.push(name);
  }
  return [...managers.filter((name) => !leaders.includes(name)), ...leaders];
}
