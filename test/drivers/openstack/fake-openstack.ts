/**
 * A small OpenStack over HTTP: Keystone, Nova, Neutron, Glance and Cinder with one project, and the faults of a real one.
 * Each request is held against the API reference; what does not fit fails the test that uses it. Servers are entries in a
 * list unless they are given hardware.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isLost, PlannedFaults, type Fault } from "../planned-faults.ts";
import { fieldsOf, refusedByKeystone, refusedByNeutron, refusedByNova, textOf, type Answer, type Exchange } from "./answers.ts";
import { misfitsOf } from "./api-reference.ts";
import { projectId } from "./catalogue.ts";
import { FakeCinder } from "./fake-cinder.ts";
import { FakeGlance } from "./fake-glance.ts";
import { FakeKeystone } from "./fake-keystone.ts";
import { FakeNeutron } from "./fake-neutron.ts";
import { FakeNova, type Hardware } from "./fake-nova.ts";
import { Shelf } from "./shelf.ts";

/** How it is refused. */
export interface RefusedAnswer {
  readonly answer: Answer;
}

export function refused(answer: Answer): Fault<RefusedAnswer> {
  return { kind: "refused", answer };
}

export interface FakeOptions {
  readonly hardware?: Hardware | undefined;
  /** What the fake takes for the time, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
}

/** Where each service is, as the catalog says, and what lies behind. */
const places = [
  ["identity", "/identity/v3"],
  ["compute", "/compute/v2.1"],
  ["network", "/network/v2.0"],
  ["image", "/image/v2"],
  ["volume", `/volume/v3/${projectId}`],
] as const;

type ServiceName = (typeof places)[number][0];

export class FakeOpenStack implements AsyncDisposable {
  readonly shelf = new Shelf();
  readonly keystone: FakeKeystone;
  readonly neutron = new FakeNeutron(this.shelf);
  readonly cinder = new FakeCinder(this.shelf);
  readonly glance = new FakeGlance(this.shelf);
  readonly nova: FakeNova;
  /** Of requests by `METHOD service/path`. */
  readonly #planned = new PlannedFaults<RefusedAnswer>();
  readonly requests = this.#planned.requests;
  readonly fault = this.#planned.fault.bind(this.#planned);
  readonly hold = this.#planned.hold.bind(this.#planned);
  #misfits: string[] = [];
  readonly #server: Server;

  private constructor(server: Server, { hardware, now = Date.now }: FakeOptions) {
    this.#server = server;
    this.keystone = new FakeKeystone(() => this.url, now);
    this.nova = new FakeNova({ neutron: this.neutron, cinder: this.cinder, shelf: this.shelf, hardware });
  }

  static async start(options: FakeOptions = {}): Promise<FakeOpenStack> {
    const server = createServer();
    const cloud = new FakeOpenStack(server, options);
    server.on("request", (request, response) => {
      cloud.#serve(request, response).catch((error: unknown) => {
        cloud.#misfits.push(`the fake failed: ${String(error)}`);
        request.socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cloud;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Keystone's, as users give it. */
  get authUrl(): string {
    return `${this.url}/identity`;
  }

  /** All that somebody would have to pay for or tidy up, in words. */
  get resources(): readonly string[] {
    return [
      ...[...this.nova.servers.values()].map(({ name }) => `server ${name}`),
      ...[...this.nova.keyPairs.keys()].map((name) => `key pair ${name}`),
      ...[...this.neutron.floatingIps.values()].map((each) => `floating IP ${each.floating_ip_address}`),
      ...[...this.neutron.groups.values()].flatMap(({ name }) => (name === "default" ? [] : [`security group ${name}`])),
      ...[...this.neutron.ports.values()].map(({ device_id: device }) => `port of ${device}`),
      ...[...this.cinder.volumes.values()].map(({ name }) => `volume ${name}`),
    ];
  }

  /** What did not fit the API reference so far, which then is forgiven. */
  takeMisfits(): readonly string[] {
    const found = [...this.#misfits, ...this.nova.complaints.splice(0)];
    this.#misfits = [];
    return found;
  }

  /** Throws what did not fit the API reference. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    const misfits = this.takeMisfits();
    if (misfits.length > 0) throw new Error(`Not as OpenStack's API reference has it:\n${misfits.join("\n")}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const [service, prefix] = places.find(([, beginning]) => `${url.pathname}/`.startsWith(`${beginning}/`)) ?? [undefined, ""];
    if (service === undefined) return send(response, { status: 404, body: "<html><body>Not Found</body></html>" });
    const exchange = await exchangeOf(request, url, prefix);
    const fault = await this.#planned.meet(`${exchange.method} ${service}${exchange.path}`);
    if (fault?.kind === "unheard") return void request.socket.destroy();
    const answer = await this.#answer(service, exchange, textOf(request.headers["x-auth-token"]), fault);
    if (isLost(fault)) return void request.socket.destroy();
    send(response, answer);
  }

  async #answer(
    service: ServiceName,
    exchange: Exchange,
    token: string,
    fault: Fault<RefusedAnswer> | undefined,
  ): Promise<Answer> {
    const denied = service === "identity" ? undefined : this.keystone.check(token);
    if (denied !== undefined) return denied;
    const misfits = misfitsOf(service, exchange);
    this.#misfits.push(...misfits);
    if (misfits.length > 0) return refusedBy(service, 400, misfits.join("; "));
    if (fault?.kind === "refused") {
      if (fault.done === true) await this.#carryOut(service, exchange);
      return fault.answer;
    }
    if (fault?.kind === "doubled") await this.#carryOut(service, exchange);
    const answer = await this.#carryOut(service, exchange);
    if (fault?.kind === "hidden") this.shelf.hide(textOf(fieldsOf(fieldsOf(answer.body)["server"])["id"]), fault.lists);
    return answer;
  }

  async #carryOut(service: ServiceName, exchange: Exchange): Promise<Answer> {
    const services = {
      identity: this.keystone,
      compute: this.nova,
      network: this.neutron,
      image: this.glance,
      volume: this.cinder,
    };
    return (await services[service].answer(exchange)) ?? refusedBy(service, 404, "The resource could not be found.");
  }
}

function refusedBy(service: ServiceName, status: 400 | 404, message: string): Answer {
  if (service === "network") return refusedByNeutron(status, status === 400 ? "HTTPBadRequest" : "HTTPNotFound", message);
  if (service === "identity") return refusedByKeystone(status, status === 400 ? "Bad Request" : "Not Found", message);
  return refusedByNova(status, message);
}

function send(response: ServerResponse, { status, body, headers }: Answer): void {
  const isText = typeof body === "string";
  const type = isText ? "text/html; charset=UTF-8" : "application/json";
  response.writeHead(status, { "content-type": type, "x-openstack-request-id": `req-${randomUUID()}`, ...headers });
  response.end(body === undefined ? "" : isText ? body : JSON.stringify(body));
}

async function exchangeOf(request: IncomingMessage, url: URL, prefix: string): Promise<Exchange> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return {
    method: request.method ?? "",
    path: url.pathname.slice(prefix.length) || "/",
    query: url.searchParams,
    body: text === "" ? undefined : JSON.parse(text),
    version: Number(/^compute 2\.(\d+)$/u.exec(textOf(request.headers["openstack-api-version"]))?.[1] ?? 1),
  };
}
