/**
 * One request over HTTP and its answer: through the proxies of this computer's environment, trusting its roots and what
 * the caller adds, bounded in time and size. Knows nothing of what is asked; never asks twice; a redirect is an answer.
 * `node:http` is loaded on the first request.
 */
import type { Agent as PlainAgent, ClientRequest, IncomingMessage } from "node:http";
import type { Agent as SecureAgent } from "node:https";
import type { Clock } from "./clock.ts";
import type { HttpTrust } from "./http-dial.ts";
import { explainHttpFailure, HttpFailure } from "./http-failure.ts";
import { bareHost, isLoopbackHost, portOf, proxyCredentials, proxyFor, type Environment } from "./proxy-choice.ts";
import { formatBound } from "./time-text.ts";
import { within } from "./waiting.ts";

/** A body that is not held in memory. */
export interface StreamedBody {
  readonly sizeBytes: number;
  /** Called once for each time the request is sent. What it throws ends the request. */
  open(): AsyncIterable<Uint8Array>;
}

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Absolute, https; http where {@link HttpTrust.plainHttp} or the loopback address allow it. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: string | Uint8Array | StreamedBody | undefined;
  /** Bound on everything from connecting to the last byte; the client's unless told. */
  readonly boundMs?: number | undefined;
  /** The longest answer that is read; the client's unless told. */
  readonly mostBytes?: number | undefined;
  /** Whatever its method, it may reach the other side twice: the caller asks again where a kept connection was closed. */
  readonly repeatable?: boolean | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; of several with one name the values are joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly text: string;
}

export interface HttpClientOptions {
  readonly env: Environment;
  readonly clock: Clock;
  readonly boundMs?: number | undefined;
  readonly mostBytes?: number | undefined;
  readonly trust?: HttpTrust | undefined;
}

const defaultBoundMs = 60_000;
/** For a connection to stand: shorter, so that what cannot have been sent is told from what may have been. */
export const connectBoundMs = 20_000;
/** No page of a provider comes near that size. */
const defaultMostBytes = 32 * 1024 * 1024;

/** One object, because what is made of a trust is kept by it. */
const noFurtherTrust: HttpTrust = {};

export class HttpClient {
  readonly #options: HttpClientOptions;
  #agents: Promise<Agents> | undefined;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** Throws `HttpFailure` (`provider-unreachable`, `provider-untrusted`, `provider-error`) or the signal's reason. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const boundMs = request.boundMs ?? this.#options.boundMs ?? defaultBoundMs;
    const mostBytes = request.mostBytes ?? this.#options.mostBytes ?? defaultMostBytes;
    return await this.#within(boundMs, request, signal, async (ended) => {
      const answer = await this.#open(request, ended, undefined);
      return { status: answer.statusCode ?? 0, headers: flat(answer), text: await readText(answer, mostBytes, request.url) };
    });
  }

  /**
   * The answer with its body still to be read by the caller, who gives a bound on silence in place of one on the whole.
   * Throws as {@link send} does; what fails while the body is read is the stream's own error.
   */
  async open(request: HttpRequest, idleMs: number, signal: AbortSignal): Promise<IncomingMessage> {
    try {
      return await this.#open(request, signal, idleMs);
    } catch (error) {
      signal.throwIfAborted();
      throw explainHttpFailure(error, request.url);
    }
  }

  /** The same computer and environment, another trust. */
  trusting(trust: HttpTrust): HttpClient {
    return new HttpClient({ ...this.#options, trust });
  }

  /** The SHA-256 fingerprint (hex) of the certificate that an https address shows, whoever signed it. Throws as {@link send} does. */
  async fingerprint(url: string, signal: AbortSignal): Promise<string> {
    const { fingerprintAt } = await import("./http-dial.ts");
    const request: HttpRequest = { method: "GET", url };
    return await this.#within(connectBoundMs, request, signal, async (ended) => {
      return await fingerprintAt(this.#allowed(url), { ...this.#options, trust: {}, connectTimeoutMs: connectBoundMs }, ended);
    });
  }

  /** For SDKs that speak HTTP themselves: honours proxies and trust; the bound is on connecting alone. */
  async agent(): Promise<SecureAgent> {
    return (await this.#loadAgents()).kept.secure;
  }

  async #within<T>(ms: number, { url }: HttpRequest, signal: AbortSignal, work: (ended: AbortSignal) => Promise<T>): Promise<T> {
    const explained = async (ended: AbortSignal): Promise<T> => {
      try {
        return await work(ended);
      } catch (error) {
        throw explainHttpFailure(error, url);
      }
    };
    const late = (): HttpFailure => new HttpFailure("late", url, `did not answer within ${formatBound(ms)}`);
    return await within({ ms, clock: this.#options.clock, signal }, explained, late);
  }

  async #open(request: HttpRequest, ended: AbortSignal, idleMs: number | undefined): Promise<IncomingMessage> {
    const url = this.#allowed(request.url);
    const [agents, { request: openPlain }, { request: openSecure }] = await Promise.all([
      this.#loadAgents(),
      import("node:http"),
      import("node:https"),
    ]);
    ended.throwIfAborted();
    const { isSecure, headers, ...target } = routeTo(url, this.#options.env);
    // A kept connection may be closed by the other side at any moment: what must not be sent twice gets one of its own.
    const isRead = request.repeatable ?? (request.method === "GET" || request.method === "HEAD");
    const { plain, secure } = idleMs === undefined && isRead ? agents.kept : agents.fresh;
    const options = {
      ...target,
      method: request.method,
      headers: { "user-agent": "docker-machine", ...lengthOf(request), ...request.headers, ...headers },
      agent: url.protocol === "http:" && isSecure ? agents.toProxy : isSecure ? secure : plain,
      dialSignal: ended,
      ...(idleMs === undefined ? {} : { timeout: idleMs }),
    };
    return await new Promise((resolve, reject) => {
      const sent = (isSecure ? openSecure : openPlain)(options, resolve);
      const onAbort = (): void => {
        // While there is no connection yet, the request tells nobody.
        reject(ended.reason as Error);
        sent.destroy(ended.reason as Error);
      };
      ended.addEventListener("abort", onAbort, { once: true });
      sent.on("close", () => ended.removeEventListener("abort", onAbort));
      sent.on("timeout", () =>
        sent.destroy(new HttpFailure("late", request.url, `did not answer within ${(idleMs ?? 0) / 1000} s`)),
      );
      sent.on("error", reject);
      if (isStreamed(request.body)) void feed(sent, request.body, reject);
      else sent.end(request.body);
    });
  }

  #allowed(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url?.protocol === "https:") return url;
    if (url?.protocol !== "http:") throw new HttpFailure("plain-http", text, "is neither an https nor an http address");
    if (this.#options.trust?.plainHttp === true || isLoopbackHost(url.hostname)) return url;
    throw new HttpFailure("plain-http", text, "is not asked: plain http to another computer hides nothing");
  }

  async #loadAgents(): Promise<Agents> {
    this.#agents ??= this.#makeAgents();
    return await this.#agents;
  }

  async #makeAgents(): Promise<Agents> {
    const { DirectAgent, TrustingAgent } = await import("./http-dial.ts");
    const { env, clock, trust = noFurtherTrust, boundMs = defaultBoundMs } = this.#options;
    const common = { env, clock, trust, connectTimeoutMs: Math.min(boundMs, connectBoundMs) };
    const pair = (keepAlive: boolean): AgentPair => ({
      plain: new DirectAgent({ ...common, keepAlive }),
      secure: new TrustingAgent({ ...common, keepAlive }),
    });
    const toProxy = new TrustingAgent({ ...common, env: {}, trust: { roots: trust.roots }, keepAlive: false });
    return { kept: pair(true), fresh: pair(false), toProxy };
  }
}

interface AgentPair {
  readonly plain: PlainAgent;
  readonly secure: SecureAgent;
}

interface Agents {
  readonly kept: AgentPair;
  readonly fresh: AgentPair;
  /** For plain http through a proxy that speaks https. */
  readonly toProxy: SecureAgent;
}

interface Route {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly auth?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly isSecure: boolean;
}

/** Whom the request goes to: for plain http perhaps a proxy, which is told the whole address; https is tunnelled by the agent. */
function routeTo(url: URL, env: Environment): Route {
  const auth = url.username === "" ? {} : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` };
  const path = url.pathname + url.search;
  const isSecure = url.protocol === "https:";
  const proxy = isSecure ? undefined : proxyFor(url, env);
  if (proxy === undefined)
    return { ...auth, host: bareHost(url), port: portOf(url), path, headers: { host: url.host }, isSecure };
  return {
    ...auth,
    host: bareHost(proxy),
    port: portOf(proxy),
    path: url.origin + path,
    headers: { host: url.host, ...proxyCredentials(proxy) },
    isSecure: proxy.protocol === "https:",
  };
}

function isStreamed(body: HttpRequest["body"]): body is StreamedBody {
  return typeof body === "object" && "open" in body;
}

/** Writes as fast as the other side takes it. @param failed is told what the source throws; the request ends then */
async function feed(sent: ClientRequest, body: StreamedBody, failed: (error: unknown) => void): Promise<void> {
  const { pipeline } = await import("node:stream/promises");
  const source = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* body.open();
    } catch (error) {
      // While there is no connection yet, the request tells nobody.
      failed(error);
      throw error;
    }
  };
  // A connection that breaks is told by the request itself.
  await pipeline(source(), sent).catch(() => {});
}

function lengthOf({ method, body }: HttpRequest): Readonly<Record<string, string>> {
  const hasBody = method !== "GET" && method !== "HEAD" && method !== "DELETE";
  if (body === undefined) return hasBody ? { "content-length": "0" } : {};
  return { "content-length": String(isStreamed(body) ? body.sizeBytes : Buffer.byteLength(body)) };
}

function flat(answer: IncomingMessage): HttpAnswer["headers"] {
  const entries = Object.entries(answer.headers);
  return Object.fromEntries(entries.map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]));
}

async function readText(answer: IncomingMessage, mostBytes: number, url: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Leaving the loop ends the connection.
    if (size > mostBytes) throw new HttpFailure("too-large", url, `answers with more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
