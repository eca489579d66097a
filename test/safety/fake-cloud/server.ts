/**
 * A small cloud over HTTP with the vices of real ones: it is slow, it shows what it made only later, it makes an instance
 * although the reply got lost, it gets a request twice, and one that was sent before its client died is carried out after
 * that.
 */
import { randomInt, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface CloudInstance {
  readonly id: string;
  /** What the client marked it with; "" for instances of others. */
  readonly mark: string;
  address: string;
  running: boolean;
}

export interface Vices {
  /** Most milliseconds between a request and what it does. */
  readonly latencyMs: number;
  /** Share of requests whose reply is lost after the work was done, 0 to 1. */
  readonly lostReplies: number;
  /** Share of requests that are carried out twice, 0 to 1. */
  readonly duplicates: number;
  /** Milliseconds until a new instance is shown in lists. */
  readonly hiddenMs: number;
}

export const virtuous: Vices = { latencyMs: 0, lostReplies: 0, duplicates: 0, hiddenMs: 0 };

export class FakeCloud implements AsyncDisposable {
  readonly instances = new Map<string, CloudInstance>();
  vices = virtuous;
  /** Undefined = any will do. */
  token: string | undefined;
  /** Requests that are being carried out, also ones whose client is gone. */
  pending = 0;
  /** Requests for instances that were received. */
  creates = 0;
  /** Called when one is received. */
  onCreate: () => void = () => {};
  /** Called when a list is asked for. */
  onList: () => void = () => {};
  #addresses = 0;
  readonly #held = new Map<string, Promise<void>>();
  #idle = Promise.withResolvers<void>();
  readonly #server: Server;
  readonly #visibleFrom = new Map<string, number>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<FakeCloud> {
    const server = createServer();
    const cloud = new FakeCloud(server);
    server.on("request", (request, response) => void cloud.#serve(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cloud;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** An instance that somebody else runs in the same account. */
  addForeign(): string {
    return this.#add("").id;
  }

  /** Requests for instances, or lists of them, are carried out only when the function that this gives is called. */
  hold(what: "POST" | "GET"): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(what, promise);
    return resolve;
  }

  /** Resolves when nothing is being carried out any more and everything is visible. */
  async settled(): Promise<void> {
    if (this.pending > 0) await this.#idle.promise;
    const hidden = Math.max(0, ...[...this.#visibleFrom.values()].map((from) => from - performance.now()));
    await delay(Math.ceil(hidden));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { latencyMs, lostReplies, duplicates } = this.vices;
    this.pending += 1;
    await delay(randomInt(latencyMs + 1));
    if (request.method === "POST") {
      this.creates += 1;
      this.onCreate();
    }
    if (request.method === "GET") this.onList();
    await this.#held.get(request.method ?? "");
    const [status, answer] = this.#answer(request);
    if (Math.random() < duplicates) this.#answer(request);
    this.pending -= 1;
    if (this.pending === 0) {
      this.#idle.resolve();
      this.#idle = Promise.withResolvers();
    }
    if (Math.random() < lostReplies) request.socket.destroy();
    else response.writeHead(status).end(JSON.stringify(answer));
  }

  #answer({ method = "", url = "", headers }: IncomingMessage): [status: number, answer: unknown] {
    if (this.token !== undefined && headers.authorization !== this.token) return [401, {}];
    const answer = this.#carryOut(method, new URL(url, this.url));
    return answer === undefined ? [404, {}] : [200, answer];
  }

  #carryOut(method: string, url: URL): unknown {
    const id = url.pathname.split("/")[2] ?? "";
    const mark = url.searchParams.get("mark") ?? "";
    if (method === "POST" && id === "") return this.#add(mark);
    if (method === "GET" && id === "") return this.#visible().filter((instance) => instance.mark === mark);
    const instance = this.instances.get(id);
    if (instance === undefined) return undefined;
    if (method === "DELETE") this.instances.delete(id);
    if (method === "PUT") {
      instance.running = url.searchParams.get("running") === "true";
      instance.address = this.#nextAddress();
    }
    return instance;
  }

  /** A second request with the same mark is the same request again: what clouds call a client token. */
  #add(mark: string): CloudInstance {
    const same = mark === "" ? undefined : [...this.instances.values()].find((instance) => instance.mark === mark);
    if (same !== undefined) return same;
    const instance: CloudInstance = { id: `i-${randomUUID().slice(0, 8)}`, mark, address: this.#nextAddress(), running: true };
    this.instances.set(instance.id, instance);
    this.#visibleFrom.set(instance.id, performance.now() + this.vices.hiddenMs);
    return instance;
  }

  /** Never the one before: what has changed is to be seen. */
  #nextAddress(): string {
    this.#addresses += 1;
    return `192.0.2.${(this.#addresses % 254) + 1}`;
  }

  #visible(): CloudInstance[] {
    return [...this.instances.values()].filter(({ id }) => (this.#visibleFrom.get(id) ?? 0) <= performance.now());
  }
}

async function delay(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
