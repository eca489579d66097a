/**
 * A forward proxy in process, as companies have them: CONNECT for https, whole addresses for http, a password if wished.
 * Every name stands for this computer, so that tests can use names that nobody else knows.
 */
import { once } from "node:events";
import { createServer, request as openRequest, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";

export interface ForwardProxyOptions {
  /** `name:password` that is asked for. */
  readonly credentials?: string | undefined;
  /** The proxy speaks https with this pair. */
  readonly pair?: { readonly certificate: string; readonly key: string } | undefined;
}

export class ForwardProxy implements AsyncDisposable {
  /** `CONNECT host:port` and `GET http://host:port/path`, as they came. */
  readonly requests: string[] = [];
  /** What every request is answered with from now on, in place of being forwarded; "silence" for nothing at all. */
  refusal: number | "silence" | undefined;
  readonly #server: Server;
  readonly #options: ForwardProxyOptions;
  readonly #sockets = new Set<Socket | Duplex>();

  private constructor(options: ForwardProxyOptions) {
    this.#options = options;
    const { pair } = options;
    this.#server = pair === undefined ? createServer() : createSecureServer({ cert: pair.certificate, key: pair.key });
    this.#server.on("request", (request, response) => this.#forward(request, response));
    this.#server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => this.#tunnel(request, client, head));
    this.#server.on("connection", (socket: Socket) => this.#sockets.add(socket.on("error", () => {})));
  }

  static async start(options: ForwardProxyOptions = {}): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(options);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  /** `127.0.0.1:PORT`. */
  get place(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once that many requests have come. */
  async reached(count: number): Promise<void> {
    while (this.requests.length < count) await once(this.#server, "asked");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #refusalOf(request: IncomingMessage): number | "silence" | undefined {
    this.requests.push(`${request.method} ${request.url}`);
    this.#server.emit("asked");
    const { credentials } = this.#options;
    const wanted = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
    return this.refusal ?? (wanted === undefined || request.headers["proxy-authorization"] === wanted ? undefined : 407);
  }

  #tunnel(request: IncomingMessage, client: Duplex, head: Buffer): void {
    this.#sockets.add(client.on("error", () => {}));
    const refusal = this.#refusalOf(request);
    if (refusal === "silence") return;
    if (refusal !== undefined) return void client.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
    const server = connect(Number(/:(\d+)$/u.exec(request.url ?? "")?.[1]), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      server.write(head);
      server.pipe(client).pipe(server);
    });
    this.#sockets.add(server.on("error", () => client.destroy()));
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusalOf(request);
    if (refusal === "silence") return;
    if (refusal !== undefined) return void response.writeHead(refusal).end();
    const { port, pathname, search } = new URL(request.url ?? "");
    const { "proxy-authorization": _hidden, ...headers } = request.headers;
    const sent = openRequest({ host: "127.0.0.1", port, path: pathname + search, method: request.method, headers });
    sent.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    sent.on("error", () => response.writeHead(502).end());
    request.pipe(sent);
  }
}
