/**
 * An engine for tests: a TLS server that demands a client certificate and answers the questions of `EngineClient`, or
 * misbehaves as it is told. It drives no containers, but tells of those that it is told. Certificates are given by whoever starts it.
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SecureVersion, TLSSocket } from "node:tls";
import type { EngineAddress } from "./engine-address.ts";
import { formatHostPort } from "./engine-address.ts";

/** How the fake treats a request: it answers, keeps silent, hangs up, breaks off in the middle, or talks nonsense. */
export type FakeEngineManner = "answers" | "silent" | "hangs-up" | "breaks-off" | "nonsense" | "refuses";

export interface FakeEngineOptions {
  /** PEM texts of the engine's own pair. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of the CA that clients must be of. */
  readonly clientCa: string;
  readonly host?: string | undefined;
  /** A free one unless told. */
  readonly port?: number | undefined;
  /** A text, of an honest engine. */
  readonly engineVersion?: unknown;
  /** Fields of `GET /info` besides `ServerVersion`. */
  readonly info?: Readonly<Record<string, unknown>> | undefined;
  readonly manner?: FakeEngineManner | undefined;
  readonly maxTlsVersion?: SecureVersion | undefined;
}

const json = { "Content-Type": "application/json" } as const;

export class FakeEngine implements AsyncDisposable {
  /** Requests so far: `GET /_ping`. */
  readonly requests: string[] = [];
  manner: FakeEngineManner;
  /** Of `GET /containers/json`. */
  containers: readonly unknown[] = [];
  /** Of `GET /containers/ID/json`, by id; others are not there. */
  readonly inspected = new Map<string, unknown>();
  readonly #listeners = new Set<ServerResponse>();
  readonly #options: FakeEngineOptions;
  readonly #server: Server;

  private constructor(options: FakeEngineOptions) {
    this.#options = options;
    this.manner = options.manner ?? "answers";
    this.#server = createServer(
      {
        cert: options.certificate,
        key: options.key,
        ca: options.clientCa,
        requestCert: true,
        rejectUnauthorized: true,
        ...(options.maxTlsVersion === undefined ? {} : { maxVersion: options.maxTlsVersion }),
      },
      (request, response) => this.#treat(request, response),
    );
    this.#server.on("secureConnection", (socket: TLSSocket) => socket.on("error", () => {}));
  }

  /** Listens at 127.0.0.1 or the host given. */
  static async start(options: FakeEngineOptions): Promise<FakeEngine> {
    const engine = new FakeEngine(options);
    await new Promise<void>((resolve, reject) => {
      engine.#server.once("error", reject);
      engine.#server.listen(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
    });
    return engine;
  }

  get address(): EngineAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /** As a machine records it. */
  get url(): string {
    return `tcp://${formatHostPort(this.address)}`;
  }

  /** Clients that are told of events. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Has other containers from now on, and tells those who listen to events. */
  become(containers: readonly unknown[]): void {
    this.containers = containers;
    for (const response of this.#listeners) response.write(`${JSON.stringify({ Type: "container", Action: "start" })}\n`);
  }

  /** Stops at once; open connections are cut. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #treat(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(`${request.method} ${request.url}`);
    switch (this.manner) {
      case "answers":
        return this.#answer(request.url ?? "", response);
      case "silent":
        return;
      case "hangs-up":
        return void request.socket.destroy();
      case "breaks-off":
        return void response.writeHead(200, { "Content-Length": "1000" }).write("{", () => request.socket.destroy());
      case "nonsense":
        return void request.socket.end("SSH-2.0-OpenSSH_9.2\r\n\r\n");
      case "refuses":
        return this.#send(response, 403, { message: "authorization denied by plugin" });
    }
  }

  #answer(path: string, response: ServerResponse): void {
    const version = this.#options.engineVersion ?? "29.0.0";
    if (path === "/_ping") return this.#send(response, 200, "OK");
    if (path === "/version")
      return this.#send(response, 200, {
        Version: version,
        ApiVersion: "1.52",
        MinAPIVersion: "1.44",
        Os: "linux",
        Arch: "amd64",
      });
    if (path === "/containers/json") return this.#send(response, 200, this.containers);
    const inspected = this.inspected.get(/^\/containers\/(\w+)\/json$/u.exec(path)?.[1] ?? "");
    if (inspected !== undefined) return this.#send(response, 200, inspected);
    if (path.startsWith("/events?")) {
      this.#listeners.add(response);
      response.once("close", () => this.#listeners.delete(response));
      return response.writeHead(200, json).flushHeaders();
    }
    if (path === "/info") return this.#send(response, 200, { ServerVersion: version, ...this.#options.info });
    this.#send(response, 404, { message: "page not found" });
  }

  #send(response: ServerResponse, status: number, body: unknown): void {
    // A header holds no control characters; the body of an answer does.
    const { engineVersion } = this.#options;
    const inHeader = typeof engineVersion === "string" ? engineVersion.replaceAll(/[^ -~]/gu, "") : "29.0.0";
    const headers = { Server: `Docker/${inHeader} (linux)`, "Api-Version": "1.52", ...(typeof body === "string" ? {} : json) };
    response.writeHead(status, headers).end(typeof body === "string" ? body : `${JSON.stringify(body)}\n`);
  }
}
