/** What becomes of requests to a fake cloud, as its tests plan it: faults of a real one, and requests that are held. */
export type Fault<Refusal> =
  /** It is carried out and its answer is lost. */
  | { readonly kind: "lost" }
  /** The connection ends before it is carried out. */
  | { readonly kind: "unheard" }
  /** It is carried out twice; the second answer is given. */
  | { readonly kind: "doubled" }
  /** It is carried out; lists do not show what it made until they were asked for so many times. */
  | { readonly kind: "hidden"; readonly lists: number; readonly lost?: true }
  /** It is answered like this, and carried out only where that is said. */
  | ({ readonly kind: "refused"; readonly done?: true } & Refusal);

interface Held {
  readonly request: RegExp;
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
}

/** Requests are known by `METHOD /path`. */
export class PlannedFaults<Refusal> {
  /** Each that was heard, in order. */
  readonly requests: string[] = [];
  readonly #faults: { readonly request: RegExp; readonly fault: Fault<Refusal> }[] = [];
  readonly #held: Held[] = [];

  /** The next request that this fits meets with it; several are met in turn. */
  fault(request: RegExp, ...faults: readonly Fault<Refusal>[]): void {
    for (const fault of faults) this.#faults.push({ request, fault });
  }

  /** The next request that this fits is carried out, and answered, only once it is released. */
  hold(request: RegExp): { readonly reached: Promise<void>; release(): void } {
    const held = { request, reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    this.#held.push(held);
    return { reached: held.reached.promise, release: () => held.released.resolve() };
  }

  /** Waits while the request is held; gives the fault that it meets with. */
  async meet(request: string): Promise<Fault<Refusal> | undefined> {
    this.requests.push(request);
    const held = take(this.#held, request);
    held?.reached.resolve();
    await held?.released.promise;
    return take(this.#faults, request)?.fault;
  }
}

/** Whether its answer never comes. */
export function isLost(fault: Fault<unknown> | undefined): boolean {
  return fault?.kind === "lost" || (fault?.kind === "hidden" && fault.lost === true);
}

function take<Entry extends { readonly request: RegExp }>(entries: Entry[], name: string): Entry | undefined {
  const at = entries.findIndex(({ request }) => request.test(name));
  return at === -1 ? undefined : entries.splice(at, 1)[0];
}
