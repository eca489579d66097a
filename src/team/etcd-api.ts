/**
 * Requests to etcd over the JSON gateway that each member has (etcd.io, "gRPC gateway"): bytes are base64, 64-bit numbers
 * are strings. Members are asked in turn, the one that answered last first, and the next one as well where one is silent.
 * Everything that is asked here may be asked twice.
 */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { unlessAborted } from "../system/waiting.ts";
import { isHttpFailure, type HttpFailure } from "../system/http-failure.ts";
import { HttpClient, type HttpAnswer } from "../system/http-request.ts";
import { Asking, type Absence, type Question } from "./asking.ts";
import type { LedgerBounds } from "./bounds.ts";
import { firstAnswer } from "./first-answer.ts";
import { storeRefused } from "./ledger-errors.ts";
import type { TeamLogin } from "./place.ts";

/** Codes of gRPC that are told apart. */
export const grpc = { notFound: 5, outOfRange: 11, failedPrecondition: 9 } as const;

/** etcd's answer that it will not. */
export class EtcdRefusal extends Error {
  readonly grpcCode: number;

  constructor(grpcCode: number, message: string) {
    super(message);
    this.grpcCode = grpcCode;
  }
}

export interface EtcdApiOptions {
  readonly endpoints: readonly string[];
  readonly login: TeamLogin;
  readonly clock: Clock;
  readonly bounds: LedgerBounds;
}

/** Who is silent for so long is not waited for alone: most answer in a tenth of it. */
const silenceMs = 500;

export class EtcdApi {
  readonly #options: EtcdApiOptions;
  readonly #http: HttpClient;
  readonly #asking: Asking;
  #endpoints: readonly string[];
  #token: string | undefined;
  /** By member, while it is asked for a token. */
  readonly #logins = new Map<string, Promise<string>>();

  constructor(options: EtcdApiOptions) {
    this.#options = options;
    this.#endpoints = options.endpoints;
    const hosts = options.endpoints.map((endpoint) => new URL(endpoint).host).join(", ");
    this.#asking = new Asking(hosts, options.clock, options.bounds);
    const { roots, client } = options.login;
    // The database is the team's own: no proxy to the outside stands before it.
    this.#http = new HttpClient({ env: {}, clock: options.clock, mostBytes: 64 * 1024 * 1024, trust: { roots, client } });
  }

  /**
   * @param path behind `/v3/`: `kv/txn`
   * Throws `store-unreachable`, `store-refused`, {@link EtcdRefusal} for what its caller may know better, the signal's reason.
   */
  async call<T>(path: string, body: object, { kind, ms }: Pick<Question<T>, "kind" | "ms">, signal: AbortSignal): Promise<T> {
    // What is on its way is asked for once more only where it does not come.
    const mostMs = kind === "page" ? Infinity : silenceMs;
    const ask = async (ended: AbortSignal, boundMs: number): Promise<T> =>
      (await this.#askAny(path, body, { ms: boundMs, mostMs }, ended)) as T;
    try {
      return await this.#asking.answer({ kind, ms, signal, ask, absence, wayOut });
    } catch (error) {
      if (!isHttpFailure(error)) throw error;
      if (wantsCertificate(error))
        throw new MachineError(
          "store-unreachable",
          "The team's store is spoken to by those alone who show a certificate that it knows",
          {
            cause: error,
            hint: "Show one with --client-cert and --client-key, which store init and store join take.",
          },
        );
      throw new MachineError("store-unreachable", `The team's store cannot be asked: ${error.message}`, {
        cause: error,
        hint:
          error.reason === "certificate" ? "Name the file of the database's own certificate authority with --ca." : error.hint,
      });
    }
  }

  /** Where none of the members can answer, throws what the one said that may do so soonest. */
  async #askAny(
    path: string,
    body: object,
    { ms, mostMs }: { readonly ms: number; readonly mostMs: number },
    signal: AbortSignal,
  ): Promise<unknown> {
    const ask = async (endpoint: string, ended: AbortSignal): Promise<unknown> =>
      await this.#askMember(endpoint, path, body, ms, ended);
    // Each twice within the time: a connection that was kept may be dead without anybody knowing.
    const pauseMs = Math.min(ms / (2 * this.#endpoints.length), mostMs);
    const passes = (error: unknown): boolean => absence(error) !== undefined;
    try {
      const { clock } = this.#options;
      const { by, answer } = await firstAnswer(this.#endpoints, { ask, pauseMs, clock, signal, passes });
      this.#endpoints = [by, ...this.#endpoints.filter((other) => other !== by)];
      return answer;
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      const failures: readonly unknown[] = error.errors;
      throw failures.find((each) => absence(each) === "passing") ?? failures[0];
    }
  }

  async #askMember(endpoint: string, path: string, body: object, ms: number, signal: AbortSignal): Promise<unknown> {
    const send = async (token: string | undefined): Promise<unknown> =>
      readAnswer(
        await this.#http.send(
          {
            method: "POST",
            url: `${endpoint}/v3/${path}`,
            headers: { "content-type": "application/json", ...(token === undefined ? {} : { authorization: token }) },
            body: JSON.stringify(body),
            boundMs: ms,
            repeatable: true,
          },
          signal,
        ),
      );
    const token = await this.#authenticated(endpoint, signal);
    try {
      return await send(token);
    } catch (error) {
      // A token lives for five minutes, or until the member is started anew.
      if (token === undefined || !(error instanceof EtcdRefusal) || !/invalid auth token/u.test(error.message)) throw error;
      this.#token = undefined;
      return await send(await this.#authenticated(endpoint, signal));
    }
  }

  /** What one member gives is good at all of them. */
  async #authenticated(endpoint: string, signal: AbortSignal): Promise<string | undefined> {
    const { user, password } = this.#options.login;
    if (user === undefined || password === undefined) return undefined;
    if (this.#token !== undefined) return this.#token;
    const login = this.#logins.get(endpoint) ?? this.#logIn(endpoint, user, password);
    this.#logins.set(endpoint, login);
    try {
      return (this.#token = await unlessAborted(login, signal));
    } catch (error) {
      // Where nobody has to log in, nobody can.
      if (error instanceof EtcdRefusal && /authentication is not enabled/u.test(error.message)) return undefined;
      throw error;
    }
  }

  /** For all who wait for it, whichever of them ends. */
  async #logIn(endpoint: string, name: string, password: () => Promise<string>): Promise<string> {
    try {
      const url = `${endpoint}/v3/auth/authenticate`;
      const body = JSON.stringify({ name, password: await password() });
      const boundMs = this.#options.bounds.readMs;
      const answer = await this.#http.send(
        { method: "POST", url, body, boundMs, repeatable: true },
        new AbortController().signal,
      );
      return (readAnswer(answer) as { token: string }).token;
    } finally {
      this.#logins.delete(endpoint);
    }
  }
}

function readAnswer({ status, text }: HttpAnswer): unknown {
  const found = parsed(text);
  if (status === 200 && found !== undefined) return found;
  const { code = -1, message, error } = (found ?? {}) as { code?: number; message?: string; error?: string };
  // One refusal comes from before the gateway, and is plain text.
  const said = message ?? error ?? (commonName.test(text) ? text.trim() : undefined);
  if (said === undefined)
    throw new MachineError("store-refused", `What answers there is no etcd: status ${status}`, {
      hint: "The address is that of etcd's clients, whose port is mostly 2379.",
    });
  const refusal = new EtcdRefusal(code, said);
  const known = knownRefusals.find(([pattern]) => pattern.test(said));
  if (known === undefined) throw refusal;
  throw storeRefused(said, refusal, known[1]);
}

const commonName = /CommonName of client/u;
const knownRefusals: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [
    /database space exceeded/u,
    "Its quota is used up, and it is read-only: compact its history, then etcdctl defrag and etcdctl alarm disarm; see docs/team.md.",
  ],
  [commonName, "Beside a password its gateway takes only certificates that bear no common name (CN)."],
  [/authentication failed|user name is empty|user name not found/u, "Look at --user and --password."],
  [
    /permission denied/u,
    "Its user, who is said with --user, needs to read and write the keys under the team's prefix; see docs/team.md.",
  ],
];

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** No member, or one that has no leader for now, or that does not know what became of it: another one is asked, or later. */
function absence(error: unknown): Absence | undefined {
  if (isHttpFailure(error)) {
    if (error.reason === "unreachable" || error.reason === "unknown-host") return "nobody";
    if (wantsCertificate(error)) return undefined;
    return ["certificate", "plain-http", "too-large"].includes(error.reason) ? undefined : "passing";
  }
  if (isMachineError(error) || !(error instanceof EtcdRefusal)) return undefined;
  // deadline exceeded, unavailable; in older ones "unknown" with the same words.
  const isPassing =
    [4, 14].includes(error.grpcCode) || /timed out|leader changed|no leader|too many requests/u.test(error.message);
  return isPassing ? "passing" : undefined;
}

/** One that speaks TLS alone hangs up on who does not; one that speaks none answers TLS with something else, or not. */
function wayOut(error: unknown): string | undefined {
  if (!isHttpFailure(error)) return undefined;
  if (error.reason === "broken" && error.message.startsWith("http:"))
    return "Where it speaks TLS, its address begins with etcd:// in place of etcd+http://.";
  if (/wrong version number|before secure TLS connection/u.test(messageOf(error.cause)))
    return "Where it speaks no TLS, its address begins with etcd+http:// in place of etcd://.";
  return undefined;
}

/** In words of TLS, which Node's and Bun's errors have both. */
function wantsCertificate({ cause }: HttpFailure): boolean {
  return /alert (?:certificate required|bad certificate|unknown ca)/u.test(messageOf(cause));
}
