/**
 * A provider's REST API over `HttpTransport`: credentials, further attempts, pages, explanations. What is asked and what
 * the answers mean is the driver's; nothing here knows a provider.
 *
 * A request is sent again when nothing can have been done by it (no connection, too many requests, the provider still
 * busy, credentials that were refused once), and after a lost answer or a fault of the provider only when it is safe.
 */
import { logTo, type Report } from "../log/event.ts";
import { isSecretName } from "../log/secret-names.ts";
import { MachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { isHttpFailure } from "../system/http-failure.ts";
import type { HttpAnswer, HttpRequest, HttpTransport } from "./http-transport.ts";
import { failureError, isNotFound, ProviderError, type Facts, type FailureRow, type ProviderFailure } from "./provider-error.ts";

/** What it is given of a driver's context. */
export interface HttpApiContext {
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly report: Report;
  secret(value: string): void;
}

export interface HttpApiOptions {
  /** As users call it: "DigitalOcean". */
  readonly provider: string;
  /** What paths are appended to: `https://api.digitalocean.com`. Credentials go to its host alone. */
  readonly baseUrl: string;
  /**
   * The headers that hold credentials, and no others: their values are registered as secrets. Asked before each request,
   * so it keeps what it has; with `refused` what it gave last was answered with 401: it gets new ones or throws.
   */
  readonly authorize?: ((signal: AbortSignal, refused: boolean) => Promise<Readonly<Record<string, string>>>) | undefined;
  /** What an answer that is no success means. Pure; must take any text, a proxy's HTML too. */
  readonly explain: (answer: HttpAnswer, request: ApiRequest) => ProviderFailure;
  /** What the provider's codes mean; overrules the kind that `explain` gave. */
  readonly failures: readonly FailureRow[];
  /** For the sentences of every request. */
  readonly facts?: Facts | undefined;
  /** Sent with every request: a version of the API. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** From 0 to 1, exclusive; tests give their own. */
  readonly random?: (() => number) | undefined;
}

export interface RetryPolicy {
  /** Of one call, the first included. */
  readonly attempts: number;
  /** The longest pause before the second attempt, doubled for each further one; the pause is a random part of it. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** No pause is begun that would end later than this after the call began, whatever the provider asks for. */
  readonly boundMs: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 6, firstDelayMs: 500, longestDelayMs: 20_000, boundMs: 300_000 };

export interface ApiRequest {
  readonly method: HttpRequest["method"];
  /** Appended to the base URL; or a whole URL of the same host, as providers give for the next page or an operation. */
  readonly path: string;
  /** Undefined values are left out, a list is repeated. */
  readonly query?: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON; a string as it is, its `content-type` is then the caller's. */
  readonly body?: unknown;
  /**
   * May be carried out twice with the effect of once. GET, HEAD, PUT and DELETE are unless told; a POST is where it bears
   * a token by which the provider knows it again.
   */
  readonly safe?: boolean | undefined;
  /** For the sentences of its failures, besides the API's. */
  readonly facts?: Facts | undefined;
  /** Bound on one answer; the transport's unless told. */
  readonly boundMs?: number | undefined;
  readonly retry?: Partial<RetryPolicy> | undefined;
}

export interface PageReader<Item> {
  readonly items: (answer: unknown) => readonly Item[];
  /** Path or URL of the next page; undefined or "" on the last. */
  readonly next: (answer: unknown, raw: HttpAnswer) => string | undefined;
}

const defaultlySafe: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "DELETE"]);
/** Connections that did not come about for reasons that pass. */
const passing: ReadonlySet<string> = new Set(["unreachable", "proxy", "broken", "late"]);
const mostPages = 1_000;

export class HttpApi {
  readonly #context: HttpApiContext;
  readonly #options: HttpApiOptions;

  constructor(context: HttpApiContext, options: HttpApiOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * The JSON of a successful answer; undefined where it has no body. Throws `ProviderError` by the kind of the refusal,
   * `provider-unreachable`, `provider-untrusted`, or the signal's reason.
   */
  async send<Answer>(request: ApiRequest, signal: AbortSignal): Promise<Answer> {
    return this.#parse(await this.answer(request, signal), request) as Answer;
  }

  /** As {@link send}; undefined when what was asked for does not exist. */
  async find<Answer>(request: ApiRequest, signal: AbortSignal): Promise<Answer | undefined> {
    const outcome = await this.#outcome(request, signal);
    if ("answer" in outcome) return this.#parse(outcome.answer, request) as Answer;
    if (isNotFound(outcome.error)) return undefined;
    throw outcome.error;
  }

  /** The items of all pages, one request at a time, as they are wanted. */
  async *pages<Item>(request: ApiRequest, reader: PageReader<Item>, signal: AbortSignal): AsyncGenerator<Item, void, undefined> {
    const seen = new Set<string>();
    for (let next: ApiRequest | undefined = request; next !== undefined;) {
      const raw = await this.answer(next, signal);
      const answer = this.#parse(raw, next);
      yield* reader.items(answer);
      const path = reader.next(answer, raw);
      if (path !== undefined && (seen.has(path) || seen.size >= mostPages)) throw this.#strange(next, "its pages have no end");
      seen.add(path ?? "");
      // The address of a page holds the query already.
      next = path === undefined || path === "" ? undefined : { ...request, path, query: undefined };
    }
  }

  /** The successful answer as it came, for those whose headers matter: tokens, operations, texts other than JSON. */
  async answer(request: ApiRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const outcome = await this.#outcome(request, signal);
    if ("answer" in outcome) return outcome.answer;
    throw outcome.error;
  }

  async #outcome(request: ApiRequest, signal: AbortSignal): Promise<Outcome> {
    const policy = { ...defaultRetryPolicy, ...this.#options.retry, ...request.retry };
    const endMs = this.#context.clock.monotonicMs() + policy.boundMs;
    let outcome = await this.#attempt(request, false, signal);
    if ("error" in outcome && outcome.refused) outcome = await this.#attempt(request, true, signal);
    for (let attempt = 1; "error" in outcome && outcome.again && attempt < policy.attempts; attempt += 1) {
      const ms = this.#delayOf(outcome, attempt, policy);
      if (this.#context.clock.monotonicMs() + ms > endMs) return { ...outcome, error: this.#tooLong(outcome.error) };
      if (ms > policy.longestDelayMs)
        this.#log("info", `${this.#options.provider} asks to wait for ${seconds(ms)} before the next request`);
      await this.#context.clock.sleep(ms, signal);
      outcome = await this.#attempt(request, false, signal);
    }
    return outcome;
  }

  async #attempt(request: ApiRequest, refused: boolean, signal: AbortSignal): Promise<Outcome> {
    const sent = await this.#prepare(request, refused, signal);
    try {
      const answer = await this.#transmit(sent, signal);
      return answer.status >= 200 && answer.status < 300 ? { answer } : this.#refusal(answer, request);
    } catch (error) {
      signal.throwIfAborted();
      if (!isHttpFailure(error)) throw error;
      const again = passing.has(error.reason) && (!error.maybeSent || isSafe(request));
      return { error, again, refused: false };
    }
  }

  async #prepare(request: ApiRequest, refused: boolean, signal: AbortSignal): Promise<HttpRequest> {
    const url = this.#urlOf(request);
    const credentials = (await this.#options.authorize?.(signal, refused)) ?? {};
    for (const value of Object.values(credentials)) this.#hide(value);
    const isText = typeof request.body === "string";
    const body = request.body === undefined || isText ? (request.body as string | undefined) : JSON.stringify(request.body);
    const type: Record<string, string> = body === undefined || isText ? {} : { "content-type": "application/json" };
    const headers = { accept: "application/json", ...type, ...this.#options.headers, ...request.headers, ...credentials };
    return { method: request.method, url, headers, body, boundMs: request.boundMs };
  }

  /** The whole value, and what follows the scheme in "Bearer …". */
  #hide(value: string): void {
    this.#context.secret(value);
    const credential = value.slice(value.indexOf(" ") + 1);
    if (credential !== value) this.#context.secret(credential);
  }

  async #transmit(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const { clock, http } = this.#context;
    const beganMs = clock.monotonicMs();
    const tell = (what: string): void => {
      const ms = Math.round(clock.monotonicMs() - beganMs);
      this.#log("debug", `${this.#options.provider}: ${request.method} ${loggedUrl(request.url)}: ${what}, ${ms} ms`);
    };
    try {
      const answer = await http.send(request, signal);
      const id = requestIdOf(answer);
      tell(id === undefined ? String(answer.status) : `${answer.status}, request ${id}`);
      return answer;
    } catch (error) {
      tell(isHttpFailure(error) ? `no answer (${error.reason})` : "ended");
      throw error;
    }
  }

  #refusal(answer: HttpAnswer, request: ApiRequest): Outcome {
    if (redirects.has(answer.status)) {
      const error = this.#strange(request, `it leads to ${loggedUrl(answer.headers["location"] ?? "")}`);
      return { error, again: false, refused: false };
    }
    const { explain, provider, failures, facts } = this.#options;
    const told = explain(answer, request);
    const retryAfterMs = told.retryAfterMs ?? retryAfterOf(answer, this.#context.clock);
    const failure = { ...told, retryAfterMs, requestId: told.requestId ?? requestIdOf(answer) };
    const error = failureError(provider, failure, failures, { ...facts, ...request.facts });
    const { kind } = error.failure;
    const again = kind === "rate-limit" || kind === "busy" || (kind === "server" && isSafe(request));
    return { error, again, refused: answer.status === 401 && this.#options.authorize !== undefined, retryAfterMs };
  }

  /** A random part of the pause whose longest doubles each time, so that many do not come again together; or what the provider asks for. */
  #delayOf({ retryAfterMs = 0 }: Refusal, attempt: number, policy: RetryPolicy): number {
    const { random = Math.random } = this.#options;
    const longestMs = Math.min(policy.longestDelayMs, policy.firstDelayMs * 2 ** (attempt - 1));
    return Math.max(longestMs * random(), retryAfterMs);
  }

  /** The error for what the provider put off for longer than a call lasts. */
  #tooLong(error: MachineError): MachineError {
    const { retryAfterMs } = error instanceof ProviderError ? error.failure : {};
    if (retryAfterMs === undefined) return error;
    const hint = `${this.#options.provider} asks to wait for ${seconds(retryAfterMs)}; try again after that.`;
    return new MachineError(error.code, error.message, { hint, cause: error });
  }

  /** Whole URLs come from answers: with another host they would carry the credentials to it. */
  #urlOf(request: ApiRequest): string {
    const base = new URL(this.#options.baseUrl);
    const isWhole = /^https?:\/\//iu.test(request.path);
    if (isWhole && new URL(request.path).host !== base.host) throw this.#strange(request, "it leads to another host");
    const url = new URL(isWhole ? request.path : `${this.#options.baseUrl.replace(/\/+$/u, "")}${request.path}`);
    // Behind a proxy of theirs some providers take themselves for plain http.
    url.protocol = base.protocol;
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value === undefined) continue;
      for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) url.searchParams.append(name, String(one));
    }
    return url.href;
  }

  #parse({ text }: HttpAnswer, request: ApiRequest): unknown {
    if (text.trim() === "") return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw this.#strange(request, "it is not JSON");
    }
  }

  #strange({ method, path }: ApiRequest, what: string): MachineError {
    const { provider, baseUrl } = this.#options;
    const place = loggedUrl(/^https?:/iu.test(path) ? path : baseUrl + path);
    return new MachineError("provider-error", `The answer of ${provider} to ${method} ${place} makes no sense: ${what}`, {
      hint: "Check the endpoint: something else may answer there, such as a proxy or a login page.",
    });
  }

  #log(level: "debug" | "info", text: string): void {
    logTo(this.#context.report, level, text);
  }
}

interface Refusal {
  readonly error: MachineError;
  /** Worth another attempt. */
  readonly again: boolean;
  /** The credentials were not accepted, and others can be asked for. */
  readonly refused: boolean;
  readonly retryAfterMs?: number | undefined;
}

type Outcome = { readonly answer: HttpAnswer } | Refusal;

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function isSafe({ method, safe }: ApiRequest): boolean {
  return safe ?? defaultlySafe.has(method);
}

/** Seconds, or a date (RFC 9110, 10.2.3). */
function retryAfterOf({ headers }: HttpAnswer, clock: Clock): number | undefined {
  const value = headers["retry-after"]?.trim() ?? "";
  if (/^\d+$/u.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - clock.now().getTime());
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}

const requestIdHeaders = [
  "x-request-id",
  "x-amzn-requestid",
  "x-openstack-request-id",
  "x-compute-request-id",
  "x-ms-correlation-request-id",
  "x-ms-request-id",
  "x-goog-request-id",
];

function requestIdOf({ headers }: HttpAnswer): string | undefined {
  return requestIdHeaders.map((name) => headers[name]).find((value) => value !== undefined && value !== "");
}

const signatureName = /^(?:.*[-_])?(?:sig|signature|code)$/iu;

/** An address for the log: values of the query that are named like credentials, and user information, are left out. */
function loggedUrl(text: string): string {
  if (!URL.canParse(text)) return JSON.stringify(text.replace(/\?.*$/su, ""));
  const url = new URL(text);
  url.username = "";
  url.password = "";
  for (const name of new Set(url.searchParams.keys()))
    if (isSecretName(name) || signatureName.test(name)) url.searchParams.set(name, "[redacted]");
  return url.href.replaceAll("%5Bredacted%5D", "[redacted]");
}
