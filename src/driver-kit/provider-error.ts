/**
 * What a provider's refusal means: its own codes become kinds, and sentences with a way out, by a table that each driver
 * keeps as data. Serves requests of `HttpApi` and errors of SDKs alike. Pure.
 */
import type { ErrorCode } from "../errors/codes.ts";
import { isMachineError, MachineError } from "../errors/machine-error.ts";

export type FailureKind =
  | "credentials"
  | "permission"
  | "not-found"
  | "exists"
  | "quota"
  /** No room there now: scripts try elsewhere. */
  | "capacity"
  /** Too many requests. Nothing was done. */
  | "rate-limit"
  /** The thing is being worked on. Nothing was done. */
  | "busy"
  | "invalid"
  | "unsupported"
  | "account"
  /** The provider's own fault; what was asked for may have been done. */
  | "server"
  /** No answer. */
  | "network";

/** A refusal as the provider put it. */
export interface ProviderFailure {
  /** What the driver makes of it without the table: often {@link kindOfStatus}. */
  readonly kind: FailureKind;
  /** The provider's own code: `InsufficientInstanceCapacity`, `SkuNotAvailable`; "" where it has none. */
  readonly code: string;
  /** The provider's own words. */
  readonly message: string;
  /** How long it asks to be left alone. */
  readonly retryAfterMs?: number | undefined;
  /** Its name for the request, for its support. */
  readonly requestId?: string | undefined;
}

/** What some codes mean. It fits when all fit that it names. */
export interface FailureRow {
  readonly codes?: readonly (string | RegExp)[] | undefined;
  /** For providers whose codes say little. */
  readonly message?: RegExp | undefined;
  readonly kind: FailureKind;
  /**
   * What it means here, without a full stop, the provider's words follow. May hold `{name}` of the facts, besides
   * `{provider}`, `{code}` and `{message}`; with `{message}` nothing follows.
   */
  readonly sentence: string;
  /** The way out; may hold the same. */
  readonly hint?: string | undefined;
}

export type Facts = Readonly<Record<string, string | undefined>>;

/** A provider's refusal, explained. Its kind decides the code: `provider-quota`, `provider-capacity`, … */
export class ProviderError extends MachineError {
  readonly failure: ProviderFailure;

  constructor(message: string, hint: string | undefined, failure: ProviderFailure, cause?: unknown) {
    super(codes[failure.kind], message, { hint, cause });
    this.failure = failure;
  }
}

const codes: Readonly<Record<FailureKind, ErrorCode>> = {
  credentials: "provider-credentials",
  permission: "provider-permission",
  "not-found": "provider-not-found",
  exists: "provider-exists",
  quota: "provider-quota",
  capacity: "provider-capacity",
  "rate-limit": "provider-rate-limit",
  busy: "provider-busy",
  invalid: "provider-invalid",
  unsupported: "provider-unsupported",
  account: "provider-account",
  server: "provider-error",
  network: "provider-unreachable",
};

const lookCloser = "Change the flags that the words point to; with --debug each request is shown.";

/** For what no row of a table fits. */
const common: Readonly<Record<FailureKind, readonly [sentence: string, hint: string]>> = {
  credentials: ["{provider} does not accept the credentials", "Check them; they may have expired or been revoked."],
  permission: ["The credentials may not do this at {provider}", "Give them the missing permission, or use others."],
  "not-found": ["{provider} does not know what was asked for", lookCloser],
  exists: ["It exists at {provider} already", "Choose another name, or remove what is there."],
  quota: ["The quota at {provider} is used up", "Remove what is not needed, or ask {provider} for more."],
  capacity: ["{provider} has no room for it now", "Try another place or size, or later."],
  "rate-limit": ["{provider} takes no more requests for now", "Try again later; fewer machines at one time help."],
  busy: ["{provider} is still at work on it", "Try again in a moment."],
  invalid: ["{provider} refused the request", lookCloser],
  unsupported: ["{provider} does not offer this", lookCloser],
  account: ["{provider} has not opened the account for this", "Look at the account, its billing and its state at {provider}."],
  server: ["{provider} failed", "Try again later."],
  network: ["{provider} did not answer", "Check the network and the proxy settings."],
};

const longestQuote = 500;

/**
 * The error to throw for a provider's refusal: by the first row that fits, else by its kind. A row whose facts are not
 * all known does not fit.
 */
export function failureError(
  provider: string,
  failure: ProviderFailure,
  table: readonly FailureRow[],
  facts: Facts = {},
  cause?: unknown,
): ProviderError {
  const known: Facts = { ...facts, provider, code: failure.code, message: quoted(failure.message) };
  const row = table.find((one) => fits(one, failure) && fill(one.sentence, known) !== undefined);
  const meant = { ...failure, kind: kindOfFailure(failure, table) };
  const [sentence, hint] = row === undefined ? common[meant.kind] : [row.sentence, row.hint ?? common[meant.kind][1]];
  const text = fill(sentence, known) ?? sentence;
  const message = sentence.includes("{message}") ? text : `${text}${wordsOf(failure)}`;
  return new ProviderError(message, hint && fill(hint, known), meant, cause);
}

/** The kind by the table, else as the driver took it. */
export function kindOfFailure(failure: ProviderFailure, table: readonly FailureRow[]): FailureKind {
  return table.find((row) => fits(row, failure))?.kind ?? failure.kind;
}

/** What a status says where the provider says nothing more. */
export function kindOfStatus(status: number): FailureKind {
  const known = kindsOfStatuses[status];
  if (known !== undefined) return known;
  return status >= 500 ? "server" : "invalid";
}

const kindsOfStatuses: Readonly<Record<number, FailureKind>> = {
  401: "credentials",
  402: "account",
  403: "permission",
  404: "not-found",
  408: "server",
  409: "exists",
  410: "not-found",
  423: "busy",
  425: "busy",
  429: "rate-limit",
};

/** True for an error that says: there is none of that. */
export function isNotFound(error: unknown): boolean {
  return failureKindOf(error) === "not-found";
}

/** Whether what was asked for may have come about although there was no good answer. */
export function isUncertain(error: unknown): boolean {
  const kind = failureKindOf(error);
  return kind === "network" || kind === "server";
}

/** The kind of a provider's failure, also of one that is the cause of another error; undefined for anything else. */
export function failureKindOf(error: unknown): FailureKind | undefined {
  for (let next = error, depth = 0; isMachineError(next) && depth < 10; next = next.cause, depth += 1) {
    const kind = kindsOfCodes.get(next.code);
    // "provider-error" is also said of much that no provider said.
    if (kind !== undefined && (kind !== "server" || "failure" in next)) return kind;
  }
  return undefined;
}

const kindsOfCodes = new Map(Object.entries(codes).map(([kind, code]) => [code as string, kind as FailureKind]));

function fits(row: FailureRow, { code, message }: ProviderFailure): boolean {
  const { codes: wanted } = row;
  if (wanted === undefined && row.message === undefined) return false;
  const byCode = wanted?.some((one) => (typeof one === "string" ? one === code : one.test(code))) ?? true;
  return byCode && (row.message?.test(message) ?? true);
}

/** Undefined where a fact is not known. */
function fill(text: string, facts: Facts): string | undefined {
  let whole = true;
  const filled = text.replaceAll(/\{(\w+)\}/gu, (_all, name: string) => {
    whole &&= facts[name] !== undefined;
    return facts[name] ?? "";
  });
  return whole ? filled : undefined;
}

function wordsOf({ code, message }: ProviderFailure): string {
  const words = quoted(message);
  if (words === "") return code === "" ? "" : ` (${code})`;
  return `: ${words}${code === "" || words.includes(code) ? "" : ` (${code})`}`;
}

/** One line, of bearable length: some providers answer with pages of HTML. */
function quoted(message: string): string {
  const line = message.replaceAll(/\s+/gu, " ").trim().replace(/\.$/u, "");
  return line.length > longestQuote ? `${line.slice(0, longestQuote)}…` : line;
}
