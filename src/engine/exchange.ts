/** One question to an engine and one answer, over TLS: what those who ask are given. */

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
