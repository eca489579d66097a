/**
 * A machine leaves its cluster: no longer a manager, drained, waited for, gone, and taken off the list. And the drain
 * alone, around work on its engine. Each step looks at what is there, so that an interrupted one is gone on with.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { poll } from "../../system/waiting.ts";
import { requireMajorityWithout } from "./majority.ts";
import type { SwarmNode } from "./swarm-api.ts";
import { isNodeOf, type SwarmEngine, type SwarmMembers } from "./swarm-members.ts";
import { untilNode } from "./until-node.ts";

/** For the tasks of a node to run elsewhere; swarm mode itself gives containers ten seconds to end. */
const drainMs = 300_000;
const paceMs = 500;

/**
 * @param others machines of the cluster by which it may be asked, managers among them; none where it is the last
 * Throws `swarm-majority` where the cluster could not be managed without it, and then nothing was changed.
 */
export async function leaveSwarm(members: SwarmMembers, name: string, others: readonly string[]): Promise<void> {
  const place = await members.at(name, async (engine) => await engine.place());
  const via = await managerAmong(members, others);
  if (via === undefined) {
    if (place.state !== "inactive") await leaveAlone(members, name);
  } else {
    await members.at(via, async (engine) => {
      const node = (await engine.nodes()).find((one) => one.id === place.nodeId || isNodeOf(name)(one));
      if (node === undefined) return;
      if (place.state !== "inactive") {
        await demote(members, name, node, engine);
        await drain(members, name, node.id, engine);
        await members.at(name, async (own) => await own.leave(false));
      }
      await untilNode(members, engine, `that "${name}" is gone`, ({ id, isReady }) => id === node.id && !isReady);
      await engine.removeNode(node.id);
    });
  }
  await members.record(name, undefined);
  members.say(name, `"${name}" has left its swarm`);
}

/**
 * Takes a machine that does not answer off its cluster's list, by the others: for one that is removed. Throws as
 * {@link leaveSwarm}; succeeds where the others know nothing of it.
 */
export async function dropMember(members: SwarmMembers, name: string, others: readonly string[]): Promise<void> {
  const via = await managerAmong(members, others);
  if (via === undefined) return;
  await members.at(via, async (engine) => {
    const node = (await engine.nodes()).find(isNodeOf(name));
    if (node === undefined) return;
    requireMajorityWithout(node, await engine.nodes(), name);
    if (node.spec.Role === "manager") await engine.updateNode(node.id, (spec) => ({ ...spec, Role: "worker" }));
    await engine.removeNode(node.id);
  });
  members.say(name, `"${name}" does not answer, and was taken off the list of its swarm`);
}

/** Its tasks have ended by the time this returns, and run elsewhere where there is room; {@link activateMember} takes it back. */
export async function drainMember(members: SwarmMembers, name: string, via: string): Promise<void> {
  await withNode(members, name, via, async (node, engine) => await drain(members, name, node.id, engine));
}

/** Waits until the machine is a whole member again. */
export async function activateMember(members: SwarmMembers, name: string, via: string): Promise<void> {
  await withNode(members, name, via, async ({ id }, engine) => {
    const isThere = (node: SwarmNode): boolean =>
      node.id === id && node.isReady && (node.spec.Role === "worker" || node.isReachable);
    await untilNode(members, engine, `"${name}" again`, isThere);
    await engine.updateNode(id, (spec) => ({ ...spec, Availability: "active" }));
  });
}

/** The first that answers as one. */
export async function managerAmong(members: SwarmMembers, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    try {
      const { state, isManager } = await members.at(name, async (engine) => await engine.place());
      if (state === "active" && isManager) return name;
    } catch {
      members.signal.throwIfAborted();
    }
  }
  return undefined;
}

async function withNode(
  members: SwarmMembers,
  name: string,
  via: string,
  work: (node: SwarmNode, engine: SwarmEngine) => Promise<void>,
): Promise<void> {
  await members.at(via, async (engine) => {
    const node = (await engine.nodes()).find(isNodeOf(name));
    if (node === undefined) throw new MachineError("swarm-conflict", `The swarm of "${via}" has no node "${name}"`);
    await work(node, engine);
  });
}

async function demote(members: SwarmMembers, name: string, node: SwarmNode, engine: SwarmEngine): Promise<void> {
  if (node.spec.Role !== "manager") return;
  requireMajorityWithout(node, await engine.nodes(), name);
  await engine.updateNode(node.id, (spec) => ({ ...spec, Role: "worker" }));
  const { clock, signal } = members;
  const isWorker = async (): Promise<true | undefined> =>
    (await members.at(name, async (own) => await own.place())).isManager ? undefined : true;
  await poll({ ms: drainMs, clock, signal }, paceMs, isWorker, `"${name}" did not cease to be a manager`);
}

async function drain({ clock, signal }: SwarmMembers, name: string, id: string, engine: SwarmEngine): Promise<void> {
  await engine.updateNode(id, (spec) => ({ ...spec, Availability: "drain" }));
  const isEmpty = async (): Promise<true | undefined> => ((await engine.tasksOn(id)) === 0 ? true : undefined);
  await poll({ ms: drainMs, clock, signal }, paceMs, isEmpty, `The tasks of "${name}" did not end`);
}

/** The last takes the cluster with it; one whose managers do not answer must not be taken for that. */
async function leaveAlone(members: SwarmMembers, name: string): Promise<void> {
  await members.at(name, async (engine) => {
    const nodes = (await engine.place()).isManager ? await engine.nodes() : [];
    if (nodes.length === 1) return await engine.leave(true);
    throw new MachineError("swarm-majority", `No other manager of the swarm of "${name}" answers`, {
      hint: "Start the others first. To give the swarm up: docker swarm leave --force, on the machine.",
    });
  });
}
