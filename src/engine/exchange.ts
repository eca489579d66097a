/**
 * One question to an engine and one answer, over TLS. Knows nothing of what is asked.
 */
import type { Answer } from "./answer-reader.ts";
import type { EngineAddress } from "./engine-address.ts";

/** PEM texts: the CA that the engine must be of, and what the client shows. */
export interface ClientCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface ExchangeOptions {
  /** Bound on everything: connecting, handshake, answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The name that the engine's certificate must be for, where that is not the host of the address. */
  readonly serverName?: string | undefined;
  /** A name that will do as well: the machine's own, which outlives a change of address. */
  readonly machineName?: string | undefined;
}

/**
 * Asks with GET and gives the answer. Throws `engine-unreachable`, `engine-timeout`, `engine-certificate`,
 * `certificate-invalid` for credentials that are of no use, or the signal's reason.
 */
export async function exchange(
  address: EngineAddress,
  credentials: ClientCredentials,
  path: string,
  options: ExchangeOptions,
): Promise<Answer> {
  // The executable's runtime has lighter sockets than Node's, which it would have to load.
  const lighter = "Bun" in globalThis ? (await import("./bun-exchange.ts")).exchangeByBun : undefined;
  const answer = await lighter?.(address, credentials, path, options);
  return answer ?? (await (await import("./node-exchange.ts")).exchangeByNode(address, credentials, path, options));
}
