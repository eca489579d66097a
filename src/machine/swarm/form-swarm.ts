/**
 * A cluster of swarm mode brought to what is wanted: formed where there is none, grown, roles changed. What is there is
 * asked of the engines each time, so that whatever was interrupted is gone on with. Members that are wanted no more leave
 * by `leaveSwarm`.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { requireMajorityWithout } from "./majority.ts";
import { managementPort, type NodeRole, type SwarmPlace } from "./swarm-api.ts";
import { isNodeOf, nameLabel, type Membership, type SwarmMembers } from "./swarm-members.ts";
import { untilNode } from "./until-node.ts";

/** One manager at least; a machine is a member once. */
export interface SwarmWish {
  readonly name: string;
  readonly managers: readonly string[];
  readonly workers: readonly string[];
  /** UDP port of overlay networks; undefined = the engine's own choice, 4789. Counts when the cluster is formed. */
  readonly dataPathPort?: number | undefined;
}

/**
 * Throws `swarm-conflict` for members of another cluster, and for engines that swarm mode cannot run on; `swarm-majority`
 * where a change of roles would leave too few managers; what engines refuse.
 */
export async function formSwarm(members: SwarmMembers, wish: SwarmWish): Promise<void> {
  const names = [...wish.managers, ...wish.workers];
  const places = new Map<string, SwarmPlace>();
  for (const name of names) places.set(name, await members.at(name, async (engine) => await engine.place()));
  refuseUnfit(wish, places);
  for (const name of names) {
    if (places.get(name)?.state !== "inactive") continue;
    await members.prepare(name, membershipOf(wish, name));
    // Where the unit of its engine says so, that is its owner's to change.
    if ((await members.at(name, async (engine) => await engine.place())).liveRestore) throw livelyEngine(name);
  }
  const seed = await seedOf(members, wish, places);
  let hasJoined = false;
  // One manager at a time: two that come at once could leave a cluster without a leader.
  for (const name of names) {
    const role = wish.managers.includes(name) ? "manager" : "worker";
    // Who is asked while managers come may be one that is to be none; later there are those that stay.
    const via = role === "manager" ? seed : (wish.managers[0] ?? seed);
    const isOutside = name !== via && places.get(name)?.state === "inactive";
    if (isOutside) await join(members, { name, role, via });
    else if (name !== via) await requireKnown(members, wish, name, via);
    hasJoined ||= isOutside;
    await settle(members, { name, role, via });
    await forgetFormer(members, { name, role, via });
    await members.record(name, membershipOf(wish, name));
  }
  if (hasJoined) await members.at(wish.managers[0] ?? seed, async (engine) => await engine.rotateTokens());
}

function refuseUnfit(wish: SwarmWish, places: ReadonlyMap<string, SwarmPlace>): void {
  for (const [name, { state, error }] of places) {
    if (state === "error" || state === "locked")
      throw conflict(`"${name}" is not a whole member of its swarm: ${error || state}`, `See docker-machine doctor ${name}.`);
  }
  const clusters = new Set([...places.values()].flatMap(({ clusterId }) => clusterId ?? []));
  if (clusters.size > 1)
    throw conflict(
      `The machines of the swarm ${wish.name} are managers of different swarms`,
      "Have those leave that do not belong there.",
    );
  const strayed = [...places].find(([, { state }]) => clusters.size === 0 && state !== "inactive");
  if (strayed !== undefined)
    throw conflict(`"${strayed[0]}" is a worker of another swarm`, "Have it leave first, or give a manager of that swarm too.");
}

function livelyEngine(name: string): MachineError {
  return conflict(
    `The engine of "${name}" has live-restore on, which swarm mode excludes`,
    "Take --live-restore out of its unit on the machine. Containers then stop with the engine.",
  );
}

function membershipOf(wish: SwarmWish, name: string): Membership {
  const { dataPathPort } = wish;
  const role = wish.managers.includes(name) ? "manager" : "worker";
  return { cluster: wish.name, role, ...(dataPathPort === undefined ? {} : { dataPathPort }) };
}

function conflict(sentence: string, hint: string): MachineError {
  return new MachineError("swarm-conflict", sentence, { hint });
}

/** A manager by which the cluster is asked; where there is none, the first of those wanted forms it. */
async function seedOf(members: SwarmMembers, wish: SwarmWish, places: ReadonlyMap<string, SwarmPlace>): Promise<string> {
  const present = [...places].find(([, place]) => place.state === "active" && place.isManager)?.[0];
  if (present !== undefined) return present;
  const [first = ""] = wish.managers;
  const address = await members.addressOf(first);
  await members.at(first, async (engine) => await engine.init(address, wish.dataPathPort));
  members.say(
    first,
    `"${first}" has formed the swarm ${wish.name} at ${address}; live-restore stays off: containers stop with their engine`,
  );
  return first;
}

interface Joining {
  readonly name: string;
  readonly role: NodeRole;
  /** A manager. */
  readonly via: string;
}

async function join(members: SwarmMembers, { name, role, via }: Joining): Promise<void> {
  const address = await members.addressOf(name);
  const { token, manager } = await members.at(via, async (engine) => {
    const token = await engine.token(role);
    members.secret(token);
    return { token, manager: (await engine.nodes()).find(({ isLeader }) => isLeader)?.address };
  });
  const place = manager ?? `${await members.addressOf(via)}:${managementPort}`;
  await members.at(name, async (engine) => await engine.join(address, place, token));
  members.say(name, `"${name}" has joined as a ${role}`);
}

async function requireKnown(members: SwarmMembers, wish: SwarmWish, name: string, via: string): Promise<void> {
  const { nodeId } = await members.at(name, async (engine) => await engine.place());
  const nodes = await members.at(via, async (engine) => await engine.nodes());
  if (!nodes.some(({ id }) => id === nodeId))
    throw conflict(`"${name}" is a member of another swarm than ${wish.name}`, "Have it leave first.");
}

/** Nodes that the machine was before it left by hand: they never come back, and count among the managers until then. */
async function forgetFormer(members: SwarmMembers, { name, via }: Joining): Promise<void> {
  const { nodeId } = await members.at(name, async (engine) => await engine.place());
  await members.at(via, async (engine) => {
    for (const node of (await engine.nodes()).filter(isNodeOf(name))) {
      if (node.id === nodeId) continue;
      if (node.spec.Role === "manager") {
        requireMajorityWithout(node, await engine.nodes(), name);
        await engine.updateNode(node.id, (spec) => ({ ...spec, Role: "worker" }));
      }
      await engine.removeNode(node.id);
    }
  });
}

/** Until the cluster shows the machine as what it should be, under its name. */
async function settle(members: SwarmMembers, { name, role, via }: Joining): Promise<void> {
  const { nodeId } = await members.at(name, async (engine) => await engine.place());
  await members.at(via, async (engine) => {
    const node = await untilNode(members, engine, `"${name}" to be ready`, ({ id, isReady }) => id === nodeId && isReady);
    if (node.spec.Role === "manager" && role === "worker") requireMajorityWithout(node, await engine.nodes(), name);
    if (node.spec.Role !== role || !isNodeOf(name)(node))
      await engine.updateNode(nodeId, (spec) => ({ ...spec, Role: role, Labels: { ...spec.Labels, [nameLabel]: name } }));
    if (role === "manager")
      await untilNode(
        members,
        engine,
        `"${name}" as a manager that answers`,
        ({ id, isReachable }) => id === nodeId && isReachable,
      );
  });
}
