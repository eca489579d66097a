/**
 * What a fake provider does wrong, as real ones do: by chance, for tests with many rounds, and one by one, for tests of
 * one thing.
 */

/** Shares are of all requests, 0 to 1. */
export interface Vices {
  /** Most milliseconds between a request and what it does. */
  readonly latencyMs: number;
  /** Share that is carried out, and whose answer is lost. */
  readonly lostReplies: number;
  /** Share that is carried out twice. */
  readonly duplicates: number;
  /** Share that is turned away unheard, with 429 and a Retry-After of a second. */
  readonly tooMany: number;
  /** Share that fails with 500; of these one half was carried out all the same. */
  readonly faults: number;
  /** Milliseconds until what is new is shown in lists. */
  readonly hiddenMs: number;
  /** Lists in which what is new is not shown yet. */
  readonly hiddenLists: number;
  /** How often a new or started instance is looked at before it runs and has an address. */
  readonly startingLooks: number;
  /** How often an instance that is being deleted is still seen, and what it uses cannot go before it. */
  readonly deletingLooks: number;
}

export const virtuous: Vices = {
  latencyMs: 0,
  lostReplies: 0,
  duplicates: 0,
  tooMany: 0,
  faults: 0,
  hiddenMs: 0,
  hiddenLists: 0,
  startingLooks: 1,
  deletingLooks: 0,
};

/** What is done to one request. */
export type Trouble =
  /** Carried out; the connection breaks instead of an answer. */
  | { readonly kind: "lost" }
  /** The connection breaks before anything is done. */
  | { readonly kind: "unheard" }
  | { readonly kind: "doubled" }
  /** Not carried out. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly code?: string | undefined;
      readonly message?: string | undefined;
      readonly headers?: Readonly<Record<string, string>> | undefined;
    }
  /** Carried out, and answered with an error. */
  | { readonly kind: "failed-after"; readonly status: number };

/** `POST /instances`: the beginning of method and path, or a pattern. */
export type RequestMatch = string | RegExp;

export function matches(match: RequestMatch, method: string, path: string): boolean {
  const line = `${method} ${path}`;
  return typeof match === "string" ? line.startsWith(match) : match.test(line);
}

/** The trouble that chance has in store for a request; undefined = none. */
export function troubleByChance(vices: Vices, random: () => number): Trouble | undefined {
  const { tooMany, faults, duplicates, lostReplies } = vices;
  if (random() < tooMany) return { kind: "refused", status: 429, code: "too-many", headers: { "retry-after": "1" } };
  if (random() < faults) return random() < 0.5 ? { kind: "refused", status: 500 } : { kind: "failed-after", status: 500 };
  if (random() < duplicates) return { kind: "doubled" };
  return random() < lostReplies ? { kind: "lost" } : undefined;
}
