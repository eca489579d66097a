/**
 * A proxy that answers for the hosts it is asked to connect to, with certificates of an authority of its own: services
 * whose addresses are fixed in libraries are had on this computer so. What it has no answer for it refuses to connect to.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { TestAuthority } from "../../src/tls/testing/pki.ts";

export class InterceptingProxy implements AsyncDisposable {
  /** Names of hosts that were asked for. */
  readonly asked: string[] = [];
  readonly #hosts: ReadonlyMap<string, Server>;
  readonly #server: Server;

  private constructor(hosts: ReadonlyMap<string, Server>) {
    this.#hosts = hosts;
    this.#server = createServer((_request, response) => void response.writeHead(403).end());
    this.#server.on("connect", (request: IncomingMessage, socket: Socket) => this.#connect(request, socket));
  }

  /** @param hosts what is answered in the name of each */
  static async start(authority: TestAuthority, hosts: Readonly<Record<string, RequestListener>>): Promise<InterceptingProxy> {
    const servers = new Map<string, Server>();
    for (const [name, listener] of Object.entries(hosts)) {
      const { certificate, key } = await authority.issueServer(name);
      servers.set(name, createSecureServer({ cert: certificate, key }, listener));
    }
    const proxy = new InterceptingProxy(servers);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#hosts.values()) server.closeAllConnections();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect({ url = "" }: IncomingMessage, socket: Socket): void {
    const name = url.replace(/:443$/u, "");
    this.asked.push(name);
    const host = this.#hosts.get(name);
    socket.on("error", () => {});
    if (host === undefined) return void socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    host.emit("connection", socket);
  }
}
