/** Clusters of swarm mode in memory: what engines would answer, for tests of the use cases. It keeps the engine's rules, quorum among them. */
import { FakeClock } from "../system/fake-clock.ts";
import type { NodeSpec, SwarmNode, SwarmPlace } from "../machine/swarm/swarm-api.ts";
import type { Membership, SwarmEngine, SwarmMembers } from "../machine/swarm/swarm-members.ts";

interface FakeNode {
  readonly id: string;
  readonly machine: string;
  spec: NodeSpec;
  version: number;
  tasks: number;
  isGone: boolean;
}

export class FakeSwarm {
  /** What was asked that changes something, in order: `a init`, `b join manager`. */
  readonly did: string[] = [];
  readonly records = new Map<string, Membership>();
  readonly secrets = new Set<string>();
  readonly down = new Set<string>();
  readonly liveRestore = new Set<string>();
  /** Those that have it from their unit, where nobody changes it. */
  readonly inUnit = new Set<string>();
  readonly prepared: string[] = [];
  /** Called before each change; what it throws ends it, as a kill would. */
  before: (what: string) => void = () => {};
  leader = "";
  tokens = 1;
  readonly #nodes: FakeNode[] = [];
  readonly #places = new Map<string, string>();
  readonly #foreign = new Map<string, "manager" | "worker">();
  #count = 0;

  readonly members: SwarmMembers = {
    clock: new InstantClock(),
    signal: new AbortController().signal,
    at: async (name, work) => {
      if (this.down.has(name)) throw new Error(`${name} does not answer`);
      return await work(this.#engine(name));
    },
    addressOf: async (name) => `10.0.0.${name.charCodeAt(0) - 96}`,
    prepare: async (name, membership) => {
      this.prepared.push(name);
      this.records.set(name, membership);
      if (!this.inUnit.has(name)) this.liveRestore.delete(name);
    },
    record: async (name, membership) => {
      if (membership === undefined) this.records.delete(name);
      else this.records.set(name, membership);
    },
    secret: (value) => void this.secrets.add(value),
    say: () => {},
  };

  /** `a=manager b=worker`, of those that are there. */
  get shown(): string {
    const nodes = this.#nodes.map(({ machine, spec, isGone }) =>
      [machine, isGone ? "gone" : spec.Role, ...(spec.Availability === "active" ? [] : [spec.Availability])].join("="),
    );
    return nodes.toSorted().join(" ");
  }

  /** Gives a machine tasks, which end once it is drained. */
  work(name: string, tasks: number): void {
    this.#of(name).tasks = tasks;
  }

  /** Makes a machine a member of a swarm that is none of ours. */
  strayInto(name: string, role: "manager" | "worker"): void {
    this.#foreign.set(name, role);
  }

  /** As by `docker swarm leave --force`, on the machine. */
  leaveByHand(name: string): void {
    this.#of(name).isGone = true;
    this.#places.delete(name);
  }

  #of(name: string): FakeNode {
    const node = this.#nodes.find(({ id }) => id === this.#places.get(name));
    if (node === undefined) throw new Error(`${name} is no member`);
    return node;
  }

  #byId(id: string): FakeNode {
    return this.#nodes.find((one) => one.id === id) as FakeNode;
  }

  #do(what: string): void {
    this.before(what);
    this.did.push(what);
  }

  #requireQuorum(): void {
    const managers = this.#nodes.filter(({ spec }) => spec.Role === "manager");
    const answering = managers.filter((node) => this.#answers(node));
    if (answering.length <= managers.length / 2) throw new Error("The swarm does not have a leader");
  }

  #answers({ machine, isGone }: FakeNode): boolean {
    return !isGone && !this.down.has(machine);
  }

  #engine(name: string): SwarmEngine {
    return {
      place: async () => this.#place(name),
      init: async (address) => {
        this.#do(`${name} init ${address}`);
        this.leader = name;
        this.#add(name, "manager");
      },
      join: async (_, manager, token) => {
        const [, role = "", epoch = ""] = token.split("-");
        if (Number(epoch) !== this.tokens) throw new Error("invalid join token");
        this.#requireQuorum();
        this.#do(`${name} join ${role} at ${manager}`);
        this.#add(name, role as NodeSpec["Role"]);
      },
      token: async (role) => `SWMTKN-${role}-${this.tokens}`,
      rotateTokens: async () => {
        this.#do("rotate");
        this.tokens += 1;
      },
      nodes: async () => {
        this.#requireQuorum();
        return this.#nodes.map((node) => this.#show(node));
      },
      updateNode: async (id, change) => {
        this.#requireQuorum();
        const node = this.#byId(id);
        const spec = change(node.spec);
        this.#do(`${node.machine} ${describe(node.spec, spec)}`);
        node.spec = spec;
        node.version += 1;
        if (spec.Availability === "drain") node.tasks = Math.max(0, node.tasks - 1);
      },
      removeNode: async (id) => {
        const node = this.#byId(id);
        this.#do(`${node.machine} removed`);
        this.#nodes.splice(this.#nodes.indexOf(node), 1);
      },
      tasksOn: async (id) => {
        const node = this.#byId(id);
        const { tasks } = node;
        node.tasks = Math.max(0, tasks - 1);
        return tasks;
      },
      leave: async (force) => {
        const node = this.#of(name);
        if (node.spec.Role === "manager" && !force) throw new Error("You are attempting to leave the swarm on a manager");
        this.#do(`${name} leave`);
        node.isGone = true;
        this.#places.delete(name);
      },
    };
  }

  #place(name: string): SwarmPlace {
    const node = this.#nodes.find(({ id }) => id === this.#places.get(name));
    const foreign = this.#foreign.get(name);
    const isManager = foreign === undefined ? node?.spec.Role === "manager" : foreign === "manager";
    return {
      state: node === undefined && foreign === undefined ? "inactive" : "active",
      nodeId: node?.id ?? "",
      isManager,
      clusterId: isManager ? (foreign === undefined ? "ours" : `of ${name}`) : undefined,
      error: "",
      liveRestore: this.liveRestore.has(name),
    };
  }

  #show(node: FakeNode): SwarmNode {
    const isManager = node.spec.Role === "manager";
    return {
      id: node.id,
      version: node.version,
      spec: node.spec,
      isReady: this.#answers(node),
      isLeader: isManager && node.machine === this.leader,
      isReachable: isManager && this.#answers(node),
      address: isManager ? `10.0.0.${node.machine.charCodeAt(0) - 96}:2377` : "",
    };
  }

  #add(name: string, role: NodeSpec["Role"]): void {
    this.#count += 1;
    const node = { id: `n${this.#count}`, machine: name, version: 1, tasks: 0, isGone: false };
    this.#nodes.push({ ...node, spec: { Role: role, Availability: "active" } });
    this.#places.set(name, node.id);
  }
}

/** What is polled is there at the next look. */
class InstantClock extends FakeClock {
  override async sleep(ms: number): Promise<void> {
    await this.advance(ms);
  }
}

function describe(before: NodeSpec, after: NodeSpec): string {
  if (before.Role !== after.Role) return after.Role;
  return before.Availability === after.Availability ? "labelled" : after.Availability;
}
