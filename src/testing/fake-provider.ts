/**
 * A provider in this process, over real HTTP on a port of its own, with the vices of real ones: it is slow, loses answers,
 * hears requests twice, shows what is new only later, has enough of requests, fails and has done it all the same, has no
 * room, lends addresses for a while. What it offers is an API: the plain one, or that of a real provider, written by its
 * driver's tests.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Resource } from "../driver-kit/driver.ts";
import { systemClock, type Clock } from "../system/clock.ts";
import type { FakeAccount, FakeAnswer, FakeApi, FakeRequest } from "./fake-api.ts";
import { FakeResources, type FakeResource } from "./fake-resources.ts";
import { plainApi } from "./plain-api.ts";
import { matches, troubleByChance, virtuous, type RequestMatch, type Trouble, type Vices } from "./vices.ts";

export interface FakeProviderOptions {
  /** The plain one unless told. */
  readonly api?: FakeApi | undefined;
  /** By which it is slow, and hides what is new. */
  readonly clock?: Clock | undefined;
  /** From 0 to 1, exclusive; where chance is to be repeated. */
  readonly random?: (() => number) | undefined;
  /** Spoken to over https, with this certificate for 127.0.0.1 and its key, both PEM; http unless told. */
  readonly identity?: { readonly certificate: string; readonly key: string } | undefined;
  /** Called before and after each request that changes something: the `step` of a crash suite. */
  readonly step?: ((what: string) => Promise<void>) | undefined;
}

/** As the fixtures of the contract suite and of the crash suite have it. */
export interface ProviderFixture extends AsyncDisposable {
  resources(): readonly Resource[];
  address(): string;
  loseInstance(): void;
}

interface Planned {
  readonly on: RequestMatch;
  readonly trouble: Trouble;
  left: number;
}

interface Held {
  readonly on: RequestMatch;
  readonly released: Promise<void>;
}

export class FakeProvider implements FakeAccount, AsyncDisposable {
  readonly resources: FakeResources;
  vices: Vices = virtuous;
  token: string | undefined;
  /** `METHOD /path?query` of all that were received, in their order. */
  readonly requests: string[] = [];
  /** Called when one is received. */
  onRequest: (method: string, path: string) => void = () => {};
  readonly #api: FakeApi;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #step: (what: string) => Promise<void>;
  readonly #server: Server;
  readonly #scheme: "http" | "https";
  readonly #foreign = new Set<string>();
  #planned: Planned[] = [];
  #held: Held[] = [];
  #pending = 0;
  #idle = Promise.withResolvers<void>();

  private constructor({ api, clock, identity, random, step }: FakeProviderOptions, server: Server) {
    this.#api = api ?? plainApi;
    this.#clock = clock ?? systemClock;
    this.#random = random ?? Math.random;
    this.#step = step ?? (async () => {});
    this.#server = server;
    this.#scheme = identity === undefined ? "http" : "https";
    this.resources = new FakeResources(this.#clock, () => this.vices);
  }

  static async start(options: FakeProviderOptions = {}): Promise<FakeProvider> {
    const { identity } = options;
    const server =
      identity === undefined ? createServer() : createSecureServer({ cert: identity.certificate, key: identity.key });
    const provider = new FakeProvider(options, server);
    server.on("request", (request, response) => void provider.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return provider;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All there is, of everyone: what a driver's `findResources` is held against. */
  list(): Resource[] {
    return [...this.resources.all.values()].map(({ kind, id }) => ({ kind, id }));
  }

  /** Something that somebody else has in the same account; gives its identifier. */
  addForeign(kind = "instance", name = "foreign", mark = ""): string {
    const { id } = this.resources.make({ kind, name, mark });
    this.#foreign.add(id);
    return id;
  }

  /** What is there and was not made by {@link addForeign}. */
  ours(): readonly FakeResource[] {
    return [...this.resources.all.values()].filter(({ id }) => !this.#foreign.has(id));
  }

  /** What the suites want to know of the world of one machine: to be spread into their fixtures. Closes the provider. */
  fixture(): ProviderFixture {
    const instance = (): FakeResource | undefined => this.ours().find(({ kind }) => kind === "instance");
    return {
      resources: () => this.list(),
      address: () => instance()?.address ?? "",
      loseInstance: () => void this.resources.all.delete(instance()?.id ?? ""),
      [Symbol.asyncDispose]: async () => await this[Symbol.asyncDispose](),
    };
  }

  /** The next requests that match meet with trouble, the one planned first before the one planned later. */
  next(on: RequestMatch, trouble: Trouble, times = 1): void {
    this.#planned.push({ on, trouble, left: times });
  }

  /** Requests that match are carried out only when the function that this gives is called. */
  hold(on: RequestMatch): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = { on, released: promise };
    this.#held.push(held);
    return () => {
      this.#held = this.#held.filter((other) => other !== held);
      resolve();
    };
  }

  /** How many requests that match were received. */
  count(on: RequestMatch): number {
    return this.requests.filter((line) => matches(on, ...(line.split(" ") as [string, string]))).length;
  }

  /** Resolves when nothing is being carried out any more, also of what a client asked for that is gone, and lists show everything. */
  async settled(): Promise<void> {
    if (this.#pending > 0) await this.#idle.promise;
    const hiddenMs = Math.ceil(this.resources.hiddenForMs());
    if (hiddenMs > 0) await this.#clock.sleep(hiddenMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#pending += 1;
    // A client may be killed while it speaks; what it has said whole is carried out.
    const request = await readRequest(incoming, this.url).catch(() => undefined);
    const answer = request === undefined ? undefined : await this.#meet(request);
    this.#pending -= 1;
    if (this.#pending === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    }
    if (answer === undefined) incoming.socket.destroy();
    else send(response, answer);
  }

  /** The answer, or undefined where there is to be none. */
  async #meet(request: FakeRequest): Promise<FakeAnswer | undefined> {
    const { method, path } = request;
    this.requests.push(`${method} ${path}${request.query.size === 0 ? "" : `?${request.query.toString()}`}`);
    if (this.vices.latencyMs > 0) await this.#clock.sleep(this.#random() * this.vices.latencyMs);
    this.onRequest(method, path);
    await Promise.all(this.#held.filter(({ on }) => matches(on, method, path)).map(async ({ released }) => await released));
    const trouble = this.#plannedFor(method, path) ?? troubleByChance(this.vices, this.#random);
    if (trouble?.kind === "unheard") return undefined;
    if (trouble?.kind === "refused") {
      const { status, code = "refused", message = `The fake provider answers ${status}`, headers } = trouble;
      return { ...this.#api.refuse(status, code, message), ...(headers === undefined ? {} : { headers }) };
    }
    const answer = await this.#carryOut(request);
    if (trouble?.kind === "doubled") await this.#carryOut(request);
    if (trouble?.kind === "failed-after") return this.#api.refuse(trouble.status, "failed", "The fake provider failed");
    return trouble?.kind === "lost" ? undefined : answer;
  }

  async #carryOut(request: FakeRequest): Promise<FakeAnswer> {
    const changes = request.method !== "GET" && request.method !== "HEAD";
    if (changes) await this.#step(`before ${request.method} ${request.path}`);
    const answer = await this.#api.answer(request, this);
    if (changes) await this.#step(`after ${request.method} ${request.path}`);
    return answer;
  }

  #plannedFor(method: string, path: string): Trouble | undefined {
    const planned = this.#planned.find(({ on }) => matches(on, method, path));
    if (planned === undefined) return undefined;
    planned.left -= 1;
    if (planned.left === 0) this.#planned = this.#planned.filter((other) => other !== planned);
    return planned.trouble;
  }
}

async function readRequest(incoming: IncomingMessage, base: string): Promise<FakeRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const { pathname: path, searchParams: query } = new URL(incoming.url ?? "/", base);
  return {
    method: incoming.method ?? "GET",
    path,
    query,
    headers: incoming.headers,
    text: Buffer.concat(chunks).toString("utf8"),
  };
}

function send(response: ServerResponse, { status, body, headers }: FakeAnswer): void {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(text);
}
