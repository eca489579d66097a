/**
 * A small DigitalOcean over HTTP: droplets, keys, tags, firewalls and actions with their states, and the faults of a real
 * one. Each request and each answer is held against the vendor's description; what does not fit fails the test that uses
 * it. Droplets are entries in a list unless they are given hardware.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { FakeAccount, type Hardware } from "./account.ts";
import { isLost, PlannedFaults, type Fault } from "../planned-faults.ts";
import { refusal, type Answer } from "./forms.ts";
import { misfitsOfAnswer, misfitsOfRequest, type Exchange } from "./vendor-schema.ts";

/** How it is refused, in DigitalOcean's words. */
export interface RefusedAnswer {
  readonly status: number;
  readonly id: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const fakeToken = "dop_v1_0123456789abcdef0123456789abcdef";

export class FakeDigitalOcean extends FakeAccount implements AsyncDisposable {
  readonly #planned = new PlannedFaults<RefusedAnswer>();
  readonly requests = this.#planned.requests;
  readonly fault = this.#planned.fault.bind(this.#planned);
  readonly hold = this.#planned.hold.bind(this.#planned);
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
    const fault = await this.#planned.meet(`${exchange.method} ${exchange.url.pathname}`);
    if (fault?.kind === "unheard") return void request.socket.destroy();
    const answer = await this.#answer(exchange, request.headers.authorization, fault);
    if (isLost(fault)) return void request.socket.destroy();
    const text = answer.body === undefined ? "" : JSON.stringify(answer.body);
    response.writeHead(answer.status, { "content-type": "application/json", "x-request-id": randomUUID(), ...answer.headers });
    response.end(text);
  }

  async #answer(exchange: Exchange, authorization: string | undefined, fault: Fault<RefusedAnswer> | undefined): Promise<Answer> {
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
