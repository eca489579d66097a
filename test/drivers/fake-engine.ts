/**
 * A Docker Engine that remembers: images, networks, containers with their states and the files put into them. Listens
 * on a Unix socket. Refuses what a test tells it to refuse, in the words of the real one.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { randomBytes } from "node:crypto";

export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly body: ContainerBody;
  status: "created" | "running" | "exited" | "paused" | "dead";
  /** It was taken out of its network by others. */
  isDisconnected?: boolean;
  /** Archives that were put into it. */
  readonly archives: Buffer[];
}

interface ContainerBody {
  readonly Image: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: {
    /** Bytes; 0 = no bound. */
    readonly Memory?: number;
    readonly MemorySwap?: number;
    readonly NanoCpus?: number;
    readonly CapAdd: readonly string[];
    readonly NetworkMode: string;
    readonly PortBindings: Readonly<Record<string, readonly { HostPort: string }[]>>;
  };
  readonly NetworkingConfig: { readonly EndpointsConfig: Readonly<Record<string, { IPAMConfig?: { IPv4Address: string } }>> };
}

interface FakeNetwork {
  readonly Id: string;
  readonly Name: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly IPAM: { readonly Config: readonly { Subnet: string }[] };
}

type Reply = readonly [status: number, body?: unknown];

export class FakeEngine implements AsyncDisposable {
  readonly images = new Set<string>();
  readonly networks: FakeNetwork[] = [];
  readonly containers = new Map<string, FakeContainer>();
  /** Capabilities that containers cannot be started with. */
  missingCapabilities: readonly string[] = [];
  /** Capabilities whose lack is noticed when the container is made, as since Docker 26. */
  refusedCapabilities: readonly string[] = [];
  /** Addresses that somebody else has. */
  readonly foreignAddresses = new Set<string>();
  /** Files that images lack. */
  readonly missingFiles = new Set<string>();
  /** Host ports that somebody else has. */
  readonly foreignPorts = new Set<string>();
  cpus = 4;
  /** Queries with which containers were removed. */
  readonly removals: string[] = [];
  /** Sets of capabilities that starting was tried with. */
  readonly startsTried: (readonly string[])[] = [];
  /** Called before and after whatever changes something. */
  step: (what: string) => Promise<void> = async () => {};
  os = "linux";
  apiVersion = "1.43";
  readonly #server: Server;
  #nextSubnet = 18;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** A container that somebody else runs; gives its id. */
  addForeign(name: string): string {
    const id = randomBytes(16).toString("hex");
    const body = { Image: "", Labels: {}, HostConfig: { CapAdd: [], NetworkMode: "bridge", PortBindings: {} } };
    this.containers.set(id, {
      id,
      name,
      body: { ...body, NetworkingConfig: { EndpointsConfig: {} } },
      status: "running",
      archives: [],
    });
    return id;
  }

  static async listen(socket: string): Promise<FakeEngine> {
    const engine = new FakeEngine();
    await new Promise<void>((resolve) => engine.#server.listen(socket, resolve));
    return engine;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? "/", "http://docker");
    const { method = "GET" } = request;
    const what = `${method} ${url.pathname.replaceAll(/[0-9a-f]{32}/gu, "ID")}`;
    if (method !== "GET") await this.step(`before ${what}`);
    const [status, body] = this.#route(method, url, Buffer.concat(chunks));
    if (method !== "GET") await this.step(`after ${what}`);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? undefined : JSON.stringify(status >= 400 ? { message: body } : body));
  }

  #route(method: string, url: URL, body: Buffer): Reply {
    const path = url.pathname;
    if (path === "/version") return [200, { ApiVersion: this.apiVersion, Os: this.os, Version: "24.0.0" }];
    if (path === "/info") return [200, { NCPU: this.cpus }];
    if (path === "/images/create") return this.#createImage(url);
    const image = /^\/images\/(.+)\/json$/u.exec(path)?.[1];
    if (image !== undefined) return this.images.has(image) ? [200, { Id: image }] : [404, `No such image: ${image}`];
    if (path.startsWith("/networks")) return this.#network(method, path, body);
    if (path === "/containers/json") return [200, this.#list(url)];
    if (path === "/containers/create") return this.#create(url, body);
    return this.#container(method, url, body);
  }

  #createImage(url: URL): Reply {
    const pulled = url.searchParams.get("fromImage");
    if (pulled !== null) return [404, `pull access denied for ${pulled}`];
    this.images.add(`${url.searchParams.get("repo")}:${url.searchParams.get("tag")}`);
    return [200, { status: "sha256:1" }];
  }

  #network(method: string, path: string, body: Buffer): Reply {
    if (path === "/networks/create")
      return this.#createNetwork(JSON.parse(body.toString("utf8")) as { Name: string; IPAM?: FakeNetwork["IPAM"] });
    const id = decodeURIComponent(path.slice("/networks/".length));
    const network = this.networks.find((candidate) => candidate.Id === id || candidate.Name === id);
    if (network === undefined) return [404, `network ${id} not found`];
    if (method === "GET") return [200, network];
    if ([...this.containers.values()].some(({ body: { HostConfig } }) => HostConfig.NetworkMode === network.Name))
      return [403, `network ${id} has active endpoints`];
    this.networks.splice(this.networks.indexOf(network), 1);
    return [204];
  }

  #createNetwork(wish: { Name: string; IPAM?: FakeNetwork["IPAM"] }): Reply {
    const network = {
      Id: randomBytes(8).toString("hex"),
      Name: wish.Name,
      IPAM: wish.IPAM ?? { Config: [{ Subnet: `172.${this.#nextSubnet++}.0.0/16` }] },
    };
    this.networks.push(network);
    return [201, { Id: network.Id }];
  }

  #list(url: URL): unknown[] {
    const { label = [], id: ids } = JSON.parse(url.searchParams.get("filters") ?? "{}") as Partial<
      Record<"label" | "id", readonly string[]>
    >;
    const matches = ({ id, body }: FakeContainer): boolean =>
      (ids === undefined || ids.some((wanted) => id.startsWith(wanted))) &&
      label.every((wanted) => {
        const [key = "", value] = wanted.split("=");
        return Object.hasOwn(body.Labels, key) && (value === undefined || body.Labels[key] === value);
      });
    return [...this.containers.values()]
      .filter(matches)
      .map(({ id, name, body }) => ({ Id: id, Names: [`/${name}`], Labels: body.Labels }));
  }

  #create(url: URL, body: Buffer): Reply {
    const name = url.searchParams.get("name") ?? "";
    if ([...this.containers.values()].some((container) => container.name === name))
      return [409, `Conflict. The container name "/${name}" is already in use`];
    const wish = JSON.parse(body.toString("utf8")) as ContainerBody;
    const refused = this.refusedCapabilities.find((capability) => wish.HostConfig.CapAdd.includes(capability));
    if (refused !== undefined) {
      const reason = "capability not supported by your kernel or not available in the current environment";
      return [400, `invalid CapAdd: ${reason}: "CAP_${refused}"`];
    }
    const id = randomBytes(16).toString("hex");
    this.containers.set(id, {
      id,
      name,
      body: wish,
      status: "created",
      archives: [],
    });
    return [201, { Id: id }];
  }

  #container(method: string, url: URL, body: Buffer): Reply {
    const [, , id = "", verb] = url.pathname.split("/");
    const container = this.containers.get(id);
    if (container === undefined) return [404, `No such container: ${id}`];
    if (method === "DELETE") {
      this.removals.push(url.search);
      this.containers.delete(id);
      return [204];
    }
    switch (verb) {
      case "json":
        return [200, this.#inspect(container)];
      case "archive":
        return this.#archive(method, container, body);
      case "start":
        return this.#start(container);
      case "update":
        return this.#update(container, JSON.parse(body.toString("utf8")) as Partial<ContainerBody["HostConfig"]>);
      case "unpause":
        container.status = "running";
        return [204];
      case "kill":
        if (container.status !== "running") return [409, `Container ${id} is not running`];
        container.status = "exited";
        return [204];
      case "stop":
        // What is paused is not ended by a signal.
        if (container.status === "paused") return [500, `tried to kill container, but did not receive an exit event`];
        container.status = "exited";
        return [204];
      default:
        // One that was never started stays so.
        if (container.status !== "running" && container.status !== "paused") return [304];
        container.status = "exited";
        return [204];
    }
  }

  #archive(method: string, container: FakeContainer, body: Buffer): Reply {
    if (method === "PUT") container.archives.push(body);
    else if (this.missingFiles.size > 0) return [404, "Could not find the file"];
    return [200, {}];
  }

  #start(container: FakeContainer): Reply {
    const { CapAdd } = container.body.HostConfig;
    this.startsTried.push(CapAdd);
    if (this.missingCapabilities.some((name) => CapAdd.includes(name))) {
      return [
        500,
        "OCI runtime create failed: unable to start container process: unable to apply caps: operation not permitted: unknown",
      ];
    }
    if (this.foreignAddresses.has(addressOf(container))) return [500, "Address already in use"];
    const port = Object.values(container.body.HostConfig.PortBindings)
      .flat()
      .find(({ HostPort }) => this.foreignPorts.has(HostPort));
    if (port !== undefined) {
      const reason = `Bind for 127.0.0.1:${port.HostPort} failed: port is already allocated`;
      return [500, `driver failed programming external connectivity on endpoint ${container.name} (f00): ${reason}`];
    }
    container.status = "running";
    return [204];
  }

  #update({ body: { HostConfig: host } }: FakeContainer, change: Partial<ContainerBody["HostConfig"]>): Reply {
    // With a bound on memory there is one on memory and swap, of twice as much unless another was given.
    const swap = change.MemorySwap ?? host.MemorySwap ?? 2 * (host.Memory ?? 0);
    if (swap > 0 && (change.Memory ?? 0) > swap) {
      const advice = "update the memoryswap at the same time";
      return [409, `Cannot update container: Memory limit should be smaller than already set memoryswap limit, ${advice}`];
    }
    Object.assign(host, change);
    return [200, { Warnings: [] }];
  }

  #inspect(container: FakeContainer): unknown {
    const network = container.body.HostConfig.NetworkMode;
    const IPAddress = container.status === "running" ? addressOf(container) : "";
    const Networks = container.isDisconnected === true ? {} : { [network]: { IPAddress } };
    return {
      Id: container.id,
      State: { Status: container.status, ExitCode: 0, Error: "" },
      NetworkSettings: { Networks },
    };
  }
}

function addressOf({ body, id }: FakeContainer): string {
  const given = Object.values(body.NetworkingConfig.EndpointsConfig)[0]?.IPAMConfig?.IPv4Address;
  return given ?? `192.0.2.${(Number.parseInt(id.slice(0, 2), 16) % 250) + 1}`;
}
