/**
 * Swarm mode over the Engine API: the requests that form, grow and shrink a cluster. Answers are reduced to what is used.
 * Docker Engine API, sections Swarm, Node, Task.
 */
import { ApiError, isApiError, type EngineApi } from "../../engine/engine-api.ts";

export type NodeRole = "manager" | "worker";
export type Availability = "active" | "drain" | "pause";

/** What an engine says of its own place. */
export interface SwarmPlace {
  /** `locked`: its keys are, and `error` holds why else it is no whole member. */
  readonly state: "inactive" | "pending" | "active" | "error" | "locked";
  readonly nodeId: string;
  readonly isManager: boolean;
  /** Of managers alone. */
  readonly clusterId: string | undefined;
  readonly error: string;
  readonly liveRestore: boolean;
}

export interface SwarmNode {
  readonly id: string;
  /** Of the object: an update names the one it changes. */
  readonly version: number;
  readonly spec: NodeSpec;
  readonly isReady: boolean;
  readonly isLeader: boolean;
  /** Of managers alone. */
  readonly isReachable: boolean;
  /** `10.0.0.7:2377`, of managers alone. */
  readonly address: string;
}

export interface NodeSpec {
  readonly Role: NodeRole;
  readonly Availability: Availability;
  readonly Name?: string;
  readonly Labels?: Readonly<Record<string, string>>;
}

interface RawInfo {
  readonly LiveRestoreEnabled?: boolean;
  readonly Swarm?: {
    readonly NodeID?: string;
    readonly LocalNodeState?: SwarmPlace["state"];
    readonly ControlAvailable?: boolean;
    readonly Error?: string;
    readonly Cluster?: { readonly ID?: string } | null;
  };
}

interface RawNode {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: NodeSpec;
  readonly Status?: { readonly State?: string };
  readonly ManagerStatus?: { readonly Leader?: boolean; readonly Reachability?: string; readonly Addr?: string } | null;
}

interface RawSwarm {
  readonly Version: { readonly Index: number };
  readonly Spec: unknown;
  readonly JoinTokens: { readonly Worker: string; readonly Manager: string };
}

/** Joining waits for others; leaving ends tasks. */
const slowMs = 120_000;

export class SwarmApi {
  readonly #api: EngineApi;
  readonly #signal: AbortSignal;

  constructor(api: EngineApi, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  async place(): Promise<SwarmPlace> {
    const { Swarm: swarm = {}, LiveRestoreEnabled = false } = (await this.#get("/info")) as RawInfo;
    return {
      state: swarm.LocalNodeState ?? "inactive",
      nodeId: swarm.NodeID ?? "",
      isManager: swarm.ControlAvailable === true,
      clusterId: swarm.Cluster?.ID ?? undefined,
      error: swarm.Error ?? "",
      liveRestore: LiveRestoreEnabled,
    };
  }

  /** @param dataPathPort undefined = the engine's own choice, 4789 */
  async init(address: string, dataPathPort: number | undefined): Promise<void> {
    const port = dataPathPort === undefined ? {} : { DataPathPort: dataPathPort };
    await this.#post("/swarm/init", { ListenAddr: listenAddress, AdvertiseAddr: address, ...port, Spec: {} });
  }

  /** @param token secret: it is read for each join, and kept nowhere */
  async join(address: string, manager: string, token: string): Promise<void> {
    const body = { ListenAddr: listenAddress, AdvertiseAddr: address, RemoteAddrs: [manager], JoinToken: token };
    await this.#post("/swarm/join", body);
  }

  async token(role: NodeRole): Promise<string> {
    const { JoinTokens } = (await this.#get("/swarm")) as RawSwarm;
    return role === "manager" ? JoinTokens.Manager : JoinTokens.Worker;
  }

  /** Tokens that were read until now let nobody in any more. */
  async rotateTokens(): Promise<void> {
    await inSequence(async () => {
      const { Version, Spec } = (await this.#get("/swarm")) as RawSwarm;
      const query = { version: String(Version.Index), rotateWorkerToken: "true", rotateManagerToken: "true" };
      await this.#post("/swarm/update", Spec, query);
    });
  }

  async nodes(): Promise<SwarmNode[]> {
    return ((await this.#get("/nodes")) as RawNode[]).map(nodeOf);
  }

  /** A node's state as it is now is changed; after another change that came between, as it is then. */
  async updateNode(id: string, change: (spec: NodeSpec) => NodeSpec): Promise<void> {
    await inSequence(async () => {
      const node = nodeOf((await this.#get(`/nodes/${id}`)) as RawNode);
      await this.#post(`/nodes/${id}/update`, change(node.spec), { version: String(node.version) });
    });
  }

  /** Nothing where it is gone. */
  async removeNode(id: string): Promise<void> {
    try {
      await this.#api.send("DELETE", `/nodes/${id}`, { query: { force: "true" }, signal: this.#signal, timeoutMs: slowMs });
    } catch (error) {
      if (!isApiError(error, 404)) throw error;
    }
  }

  /** How many tasks of services still run on a node. */
  async tasksOn(id: string): Promise<number> {
    const filters = JSON.stringify({ node: [id] });
    const tasks = (await this.#get("/tasks", { filters })) as { readonly Status?: { readonly State?: string } }[];
    return tasks.filter(({ Status }) => Status?.State === "running").length;
  }

  /** @param force also where it is a manager: the last one takes the cluster with it */
  async leave(force: boolean): Promise<void> {
    await this.#post("/swarm/leave", undefined, { force: String(force) });
  }

  async #get(path: string, query?: Readonly<Record<string, string>>): Promise<unknown> {
    return await this.#api.send("GET", path, { query, signal: this.#signal });
  }

  async #post(path: string, body: unknown, query?: Readonly<Record<string, string>>): Promise<void> {
    await this.#api.send("POST", path, { query, body, signal: this.#signal, timeoutMs: slowMs });
  }
}

export const managementPort = 2377;
const listenAddress = `0.0.0.0:${managementPort}`;

const attempts = 10;

/** Managers change objects by themselves, too: a change of one that is not the newest any more is refused. */
async function inSequence(change: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change();
    } catch (error) {
      if (attempt === attempts || !(error instanceof ApiError) || !error.message.includes("update out of sequence")) throw error;
    }
  }
}

function nodeOf({ ID, Version, Spec, Status, ManagerStatus }: RawNode): SwarmNode {
  return {
    id: ID,
    version: Version.Index,
    spec: Spec,
    isReady: Status?.State === "ready",
    isLeader: ManagerStatus?.Leader === true,
    isReachable: ManagerStatus?.Reachability === "reachable",
    address: ManagerStatus?.Addr ?? "",
  };
}
