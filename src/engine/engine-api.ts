/**
 * A thin client of the Docker Engine API for whoever works on an engine rather than asks it for a sign of life: JSON
 * requests, uploads and progress streams, over a socket of this computer or over TCP. Knows HTTP and the API's way to
 * tell errors; nothing of machines.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import type { RequestOptions as SecureOptions } from "node:https";
import type { Readable } from "node:stream";
import type { checkServerIdentity } from "node:tls";
import { MachineError, messageOf, systemCodeOf } from "../errors/machine-error.ts";
import { bears } from "./machine-identity.ts";
import { LineSplitter } from "../system/line-splitter.ts";

export type ApiEndpoint =
  /** Path of a Unix socket, or of a named pipe on Windows. */
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly tls?: ApiTls | undefined };

/** PEM texts. */
export interface ApiTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** A name that the engine's certificate may have in place of the host's. */
  readonly machineName?: string | undefined;
}

export interface ApiRequest {
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Sent as JSON; a Buffer or a stream, which must be a tar archive, as it is. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Bound on silence; 30 s unless told, 0 for none. */
  readonly timeoutMs?: number | undefined;
}

export type ApiMessage = Readonly<Record<string, unknown>>;

/** The engine's own answer to a request that it did not fulfil. */
export class ApiError extends MachineError {
  readonly status: number;

  constructor(status: number, message: string) {
    super("provider-error", message);
    this.status = status;
  }
}

export function isApiError(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}

const defaultTimeoutMs = 30_000;

export class EngineApi {
  readonly #endpoint: ApiEndpoint;

  constructor(endpoint: ApiEndpoint) {
    this.#endpoint = endpoint;
  }

  /** Sends a request and reads the JSON answer; undefined when there is none. Throws `ApiError`, `engine-unreachable`, or the signal's reason. */
  async send(method: "GET" | "POST" | "PUT" | "DELETE", path: string, request: ApiRequest): Promise<unknown> {
    const response = await this.#open(method, path, request);
    const text = await this.#received(request, async () => await readText(response));
    return text === "" || !isJson(response) ? undefined : (JSON.parse(text) as unknown);
  }

  /** Sends a POST that is answered by a stream of JSON messages, one a line. A message with an `error` ends it. */
  async follow(path: string, request: ApiRequest, onMessage: (message: ApiMessage) => void): Promise<void> {
    await this.#read(await this.#open("POST", path, request), request, onMessage);
  }

  /**
   * Sends a GET that is answered by such a stream, once something is to be told. Resolves when it has begun, so that from
   * then on nothing is missed; the reader that it gives resolves when the engine ends the stream.
   */
  async subscribe(path: string, request: ApiRequest): Promise<(onMessage: (message: ApiMessage) => void) => Promise<void>> {
    const response = await this.#open("GET", path, request);
    return async (onMessage) => await this.#read(response, request, onMessage);
  }

  async #read(response: IncomingMessage, request: ApiRequest, onMessage: (message: ApiMessage) => void): Promise<void> {
    await this.#received(request, async () => {
      const lines = new LineSplitter((line, isWhole) => {
        if (!isWhole) throw new Error("a message has no end");
        takeMessage(line, onMessage);
      });
      for await (const chunk of response) lines.push(chunk as Buffer);
      lines.end();
    });
  }

  async #open(method: string, path: string, request: ApiRequest): Promise<IncomingMessage> {
    return await this.#received(request, async () => {
      const response = await this.#request(method, path, request);
      if ((response.statusCode ?? 0) >= 400) throw await errorOf(response);
      return response;
    });
  }

  async #received<T>(request: ApiRequest, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      request.signal.throwIfAborted();
      throw explain(error, this.#endpoint);
    }
  }

  async #request(method: string, path: string, request: ApiRequest): Promise<IncomingMessage> {
    const tls = this.#endpoint.kind === "tcp" ? this.#endpoint.tls : undefined;
    const secure = tls !== undefined;
    const { request: open } = secure ? await import("node:https") : await import("node:http");
    const { headers, write } = payload(request.body);
    const timeoutMs = request.timeoutMs ?? defaultTimeoutMs;
    const options: SecureOptions = {
      ...target(this.#endpoint),
      ...(tls?.machineName === undefined ? {} : { checkServerIdentity: await identityCheck(tls.machineName) }),
      method,
      path: path + queryText(request.query),
      headers: { ...nameOf(this.#endpoint), ...headers },
      signal: request.signal,
      timeout: timeoutMs,
      agent: false,
    };
    return await new Promise((resolve, reject) => {
      const sent = open(options, resolve);
      sent.on("timeout", () => sent.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      sent.on("error", reject);
      write(sent);
    });
  }
}

/** A socket has no name of its own. Anything else names itself: the name in this header is what TLS looks for in the certificate. */
function nameOf(endpoint: ApiEndpoint): { readonly host?: string } {
  return endpoint.kind === "socket" ? { host: "docker" } : {};
}

function target(endpoint: ApiEndpoint): RequestOptions & { ca?: string; cert?: string; key?: string } {
  if (endpoint.kind === "socket") return { socketPath: endpoint.path };
  const { host, port, tls } = endpoint;
  return { host, port, ...(tls === undefined ? {} : { ca: tls.ca, cert: tls.certificate, key: tls.key }) };
}

async function identityCheck(machineName: string): Promise<typeof checkServerIdentity> {
  const { checkServerIdentity } = await import("node:tls");
  return (host, certificate) => (bears(certificate, machineName) ? undefined : checkServerIdentity(host, certificate));
}

function queryText(query: ApiRequest["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    for (const one of typeof value === "string" ? [value] : value) parameters.append(name, one);
  }
  return parameters.size === 0 ? "" : `?${parameters.toString()}`;
}

interface Payload {
  readonly headers: Readonly<Record<string, string | number>>;
  write(request: ClientRequest): void;
}

const tarType = "application/x-tar";

function payload(body: unknown): Payload {
  if (body === undefined) return { headers: { "content-length": 0 }, write: (request) => void request.end() };
  if (isReadable(body)) return { headers: { "content-type": tarType }, write: (request) => pipe(body, request) };
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const headers = { "content-type": Buffer.isBuffer(body) ? tarType : "application/json", "content-length": bytes.length };
  return { headers, write: (request) => void request.end(bytes) };
}

function pipe(body: Readable, request: ClientRequest): void {
  body.on("error", (error) => request.destroy(error));
  request.on("close", () => body.destroy());
  body.pipe(request);
}

function isReadable(value: unknown): value is Readable {
  return typeof value === "object" && value !== null && "pipe" in value;
}

function isJson(response: IncomingMessage): boolean {
  return response.headers["content-type"]?.startsWith("application/json") ?? false;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function errorOf(response: IncomingMessage): Promise<ApiError> {
  const text = await readText(response);
  return new ApiError(response.statusCode ?? 0, messageIn(text) ?? text.trim());
}

/** Some proxies answer in plain text. */
function messageIn(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}

function takeMessage(line: string, onMessage: (message: ApiMessage) => void): void {
  if (line.trim() === "") return;
  const message = JSON.parse(line) as ApiMessage;
  if (typeof message["error"] === "string") throw new MachineError("provider-error", message["error"]);
  onMessage(message);
}

function explain(error: unknown, endpoint: ApiEndpoint): unknown {
  if (error instanceof MachineError) return error;
  const place = endpoint.kind === "socket" ? endpoint.path : `${endpoint.host}:${endpoint.port}`;
  if (systemCodeOf(error) === "EACCES") {
    return new MachineError("engine-unreachable", `The Docker Engine at ${place} may not be used: permission denied`, {
      cause: error,
      hint: "Run the command as root, or add yourself to the group docker: sudo usermod -aG docker $USER",
    });
  }
  return new MachineError("engine-unreachable", `The Docker Engine at ${place} does not answer: ${messageOf(error)}`, {
    cause: error,
  });
}
