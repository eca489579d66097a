/**
 * A small DigitalOcean over HTTP: droplets, keys, tags, firewalls and actions with their states, and the faults of a real
 * one. Each request and each answer is held against the vendor's description; what does not fit fails the test that uses
 * it. Droplets are entries in a list unless they are given hardware.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FakeAccount, type Hardware } from "./account.ts";
import { refusal, type Answer } from "./forms.ts";
import { misfitsOfAnswer, misfitsOfRequest, type Exchange } from "./vendor-schema.ts";

/** What becomes of one request. */
export type Fault =
  /** It is carried out and its answer is lost. */
  | { readonly kind: "lost" }
  /** The connection ends before it is carried out. */
  | { readonly kind: "unheard" }
  /** It is carried out twice; the second answer is given. */
  | { readonly kind: "doubled" }
  /** It is carried out; lists do not show what it made until they were asked for so many times. */
  | { readonly kind: "hidden"; readonly lists: number; readonly lost?: true }
  /** It is answered like this, and carried out only where that is said. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly id: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly done?: true;
    };

interface Hold {
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
}

export const fakeToken = "dop_v1_0123456789abcdef0123456789abcdef";

export class FakeDigitalOcean extends FakeAccount implements AsyncDisposable {
  /** `METHOD /path` of each that was heard, in order. */
  readonly requests: string[] = [];
  readonly #faults: { readonly request: RegExp; readonly fault: Fault }[] = [];
  readonly #holds: { readonly request: RegExp; readonly hold: Hold }[] = [];
  #misfits: string[] = [];
  readonly #server: Server;

  private constructor(server: Server, hardware: Hardware | undefined) {
    super(hardware);
    this.#server = server;
  }

  static async start(hardware?: Hardware): Promise<FakeDigitalOcean> {
    const server = createServer();
    const cloud = new FakeDigitalOcean(server, hardware);
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

  /** The next request that this fits meets with it; several are met in turn. */
  fault(request: RegExp, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.push({ request, fault });
  }

  /** The next request that this fits is carried out, and answered, only once it is released. */
  hold(request: RegExp): { readonly reached: Promise<void>; release(): void } {
    const hold = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    this.#holds.push({ request, hold });
    return { reached: hold.reached.promise, release: () => hold.released.resolve() };
  }

  /** What did not fit the vendor's description so far, which then is forgiven. */
  takeMisfits(): readonly string[] {
    const found = [...this.#misfits, ...this.complaints.splice(0)];
    this.#misfits = [];
    return found;
  }

  /** Throws what did not fit the vendor's description. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    const misfits = this.takeMisfits();
    if (misfits.length > 0) throw new Error(`Not as DigitalOcean describes it:\n${misfits.join("\n")}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = await exchangeOf(request, this.url);
    const name = `${exchange.method} ${exchange.url.pathname}`;
    this.requests.push(name);
    await this.#waitWhileHeld(name);
    const fault = take(this.#faults, name)?.fault;
    if (fault?.kind === "unheard") return void request.socket.destroy();
    const answer = await this.#answer(exchange, request.headers.authorization, fault);
    if (fault?.kind === "lost" || (fault?.kind === "hidden" && fault.lost === true)) return void request.socket.destroy();
    const text = answer.body === undefined ? "" : JSON.stringify(answer.body);
    response.writeHead(answer.status, { "content-type": "application/json", "x-request-id": randomUUID(), ...answer.headers });
    response.end(text);
  }

  async #waitWhileHeld(name: string): Promise<void> {
    const held = take(this.#holds, name);
    if (held === undefined) return;
    held.hold.reached.resolve();
    await held.hold.released.promise;
  }

  async #answer(exchange: Exchange, authorization: string | undefined, fault: Fault | undefined): Promise<Answer> {
    if (authorization !== `Bearer ${fakeToken}`) return refusal(401, "unauthorized", "Unable to authenticate you");
    const misfits = misfitsOfRequest(exchange);
    this.#misfits.push(...misfits);
    if (misfits.length > 0) return refusal(422, "unprocessable_entity", misfits.join("; "));
    if (fault?.kind === "refused") {
      if (fault.done === true) await this.carryOut(exchange);
      return { ...refusal(fault.status, fault.id, fault.message), headers: fault.headers ?? {} };
    }
    if (fault?.kind === "doubled") await this.carryOut(exchange);
    const answer = await this.carryOut(exchange, fault?.kind === "hidden" ? fault : undefined);
    this.#misfits.push(...misfitsOfAnswer(exchange, answer.status, answer.body));
    return answer;
  }
}

function take<Entry extends { readonly request: RegExp }>(entries: Entry[], name: string): Entry | undefined {
  const at = entries.findIndex(({ request }) => request.test(name));
  return at === -1 ? undefined : entries.splice(at, 1)[0];
}

async function exchangeOf(request: IncomingMessage, base: string): Promise<Exchange> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return {
    method: request.method ?? "",
    url: new URL(request.url ?? "/", base),
    body: text === "" ? undefined : JSON.parse(text),
  };
}
