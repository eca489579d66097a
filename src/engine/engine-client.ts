/**
 * The few questions that are asked of a Docker Engine, over TLS with the machine's certificates: is it there, which
 * version, what does it run on. Asked without an API version, so that every engine answers, from 1.x to today's. The
 * library does not drive containers; a docker client does.
 */
import { MachineError } from "../errors/machine-error.ts";
import { formatHostPort, type EngineAddress } from "./engine-address.ts";
import { brokenAnswer, type Answer } from "./answer-reader.ts";
import type { ClientCredentials, ExchangeOptions } from "./exchange.ts";

export interface EngineCallOptions extends Omit<ExchangeOptions, "timeoutMs"> {
  /** Bound on one call, from connecting to the last byte. 20 s by default, as 0.16.2 waits. */
  readonly timeoutMs?: number | undefined;
}

/** What an engine says of itself with every answer. */
export interface EnginePing {
  /** `29.1.2`; undefined for an engine that does not say. */
  readonly engineVersion: string | undefined;
  /** Newest API version it speaks: `1.52`. */
  readonly apiVersion: string | undefined;
}

/** Of `GET /version`; further fields as the engine gives them. */
export interface EngineVersion {
  readonly Version: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
  readonly Os?: string;
  readonly Arch?: string;
  readonly KernelVersion?: string;
  readonly [field: string]: unknown;
}

/** Of `GET /info`; further fields as the engine gives them. */
export interface EngineInfo {
  readonly Name?: string;
  readonly ServerVersion?: string;
  readonly Containers?: number;
  readonly ContainersRunning?: number;
  readonly Driver?: string;
  readonly OperatingSystem?: string;
  readonly LiveRestoreEnabled?: boolean;
  readonly Labels?: readonly string[] | null;
  readonly [field: string]: unknown;
}

const defaultTimeoutMs = 20_000;

/**
 * One engine. Each call is a connection of its own. All throw `engine-unreachable`, `engine-timeout`,
 * `engine-certificate`, `certificate-invalid` for credentials that are of no use, or the signal's reason.
 */
export class EngineClient {
  readonly #address: EngineAddress;
  readonly #credentials: ClientCredentials;
  readonly #options: EngineCallOptions;

  constructor(address: EngineAddress, credentials: ClientCredentials, options: EngineCallOptions = {}) {
    this.#address = address;
    this.#credentials = credentials;
    this.#options = options;
  }

  /**
   * The cheapest proof that an engine is there and that it and the client accept each other: one connection, and a
   * question that every engine answers at once. Any answer will do, also that of an engine that lets nobody ask.
   */
  async ping(): Promise<EnginePing> {
    const { headers } = await this.#get("/_ping");
    return {
      // Docker/29.1.2 (linux)
      engineVersion: /^Docker\/(\S+)/u.exec(headers.get("server") ?? "")?.[1],
      apiVersion: headers.get("api-version"),
    };
  }

  async version(): Promise<EngineVersion> {
    const answer = await this.#getJson<Partial<EngineVersion> | null>("/version");
    // Whoever answers there may answer anything.
    if (typeof answer?.Version !== "string") throw brokenAnswer(this.#address, "/version", "names no version");
    return { ...answer, Version: answer.Version };
  }

  async info(): Promise<EngineInfo> {
    return await this.#getJson<EngineInfo>("/info");
  }

  async #getJson<T>(path: string): Promise<T> {
    const { status, body } = await this.#get(path);
    if (status !== 200) throw refusal(this.#address, path, status, body);
    try {
      return JSON.parse(body) as T;
    } catch (error) {
      throw brokenAnswer(this.#address, path, "is not JSON", error);
    }
  }

  async #get(path: string): Promise<Answer> {
    const answer = await this.#ask(path, { ...this.#options, timeoutMs: this.#options.timeoutMs ?? defaultTimeoutMs });
    if (answer.status === 0) throw brokenAnswer(this.#address, path, "is not HTTP");
    return answer;
  }

  async #ask(path: string, options: ExchangeOptions): Promise<Answer> {
    const [address, credentials] = [this.#address, this.#credentials];
    // The executable's runtime has lighter sockets than Node's, which it would have to load.
    const lighter = "Bun" in globalThis ? (await import("./bun-exchange.ts")).exchangeByBun : undefined;
    const answer = await lighter?.(address, credentials, path, options);
    return answer ?? (await (await import("./node-exchange.ts")).exchangeByNode(address, credentials, path, options));
  }
}

function refusal(address: EngineAddress, path: string, status: number, body: string): MachineError {
  const reason = ownWords(body);
  const text = `The engine at ${formatHostPort(address)} answered GET ${path} with status ${status}`;
  return new MachineError("engine-unreachable", reason === undefined ? text : `${text}: ${reason}`);
}

/** What an engine says when it refuses: `{"message": "…"}`. */
function ownWords(body: string): string | undefined {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === "string" ? message : undefined;
  } catch {
    return undefined;
  }
}
