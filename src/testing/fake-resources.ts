/** What a fake provider holds: resources of every kind, with what they use, and the life of instances. No HTTP. */
import type { Clock } from "../system/clock.ts";
import type { Vices } from "./vices.ts";

/** What a resource is asked for with. */
export interface ResourceWish {
  readonly kind: string;
  readonly name: string;
  /** What the client marked it with; "" for what others made. */
  readonly mark: string;
  /**
   * By which a repeated request is told to be the same one, where the provider has such a thing. Without one, a second
   * request makes a second resource.
   */
  readonly token?: string | undefined;
  /** Identifiers of what cannot go while this one is there: an instance's firewall, its disk. */
  readonly uses?: readonly string[] | undefined;
  /** All else, as it was asked for. */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

export type InstanceAction = "start" | "stop" | "kill" | "restart";

export interface FakeResource {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly mark: string;
  readonly token: string | undefined;
  readonly uses: string[];
  readonly fields: Record<string, unknown>;
  /** Of what is no instance always "ready". */
  status: "ready" | "starting" | "running" | "stopped" | "deleting";
  /** "" while it has none. A started instance has another than before, as in clouds that lend them. */
  address: string;
}

/** Why something is not done. The code is what an API answers with. */
export class Refusal extends Error {
  readonly code: "no-capacity" | "in-use" | "exists" | "wrong-state";

  constructor(code: Refusal["code"], message: string) {
    super(message);
    this.code = code;
  }
}

interface Hidden {
  readonly fromMs: number;
  lists: number;
}

export class FakeResources {
  /** By identifier. Tests may put in and take out what they like: what is taken out is gone. */
  readonly all = new Map<string, FakeResource>();
  /** How many of a kind there may be; more are refused with `no-capacity`. Absent = any number. */
  readonly room = new Map<string, number>();
  readonly #clock: Clock;
  readonly #vices: () => Vices;
  readonly #hidden = new Map<string, Hidden>();
  readonly #looksLeft = new Map<string, number>();
  #made = 0;
  #addresses = 0;

  constructor(clock: Clock, vices: () => Vices) {
    this.#clock = clock;
    this.#vices = vices;
  }

  /** Throws `Refusal` where there is no room. */
  make(wish: ResourceWish): FakeResource {
    const { kind, name, mark, token, uses = [], fields = {} } = wish;
    const same = token === undefined ? undefined : this.#find((one) => one.kind === kind && one.token === token);
    if (same !== undefined) return same;
    if (this.#count(kind) >= (this.room.get(kind) ?? Number.POSITIVE_INFINITY))
      throw new Refusal("no-capacity", `There is no room for another ${kind} now`);
    const id = `${kind}-${(this.#made += 1).toString(36)}`;
    const isInstance = kind === "instance";
    const status = isInstance ? "starting" : "ready";
    const made: FakeResource = { kind, id, name, mark, token, uses: [...uses], fields: { ...fields }, status, address: "" };
    this.all.set(id, made);
    const { hiddenMs, hiddenLists } = this.#vices();
    this.#hidden.set(id, { fromMs: this.#clock.monotonicMs() + hiddenMs, lists: hiddenLists });
    if (isInstance) this.#boot(made);
    return made;
  }

  /** One of a kind, as it is now; looking makes time pass for it. Undefined where there is none. */
  look(kind: string, id: string): FakeResource | undefined {
    const found = this.all.get(id);
    if (found?.kind !== kind) return undefined;
    this.#age(found);
    return this.all.get(id);
  }

  /** Those of a kind that lists show by now. */
  list(kind: string): readonly FakeResource[] {
    const shown = [...this.all.values()].filter((one) => one.kind === kind && this.#isShown(one.id));
    for (const one of shown) this.#age(one);
    return shown.filter(({ id }) => this.all.has(id));
  }

  /** Throws `Refusal` while something uses it. */
  remove(resource: FakeResource): void {
    const user = this.#find(({ uses }) => uses.includes(resource.id));
    if (user !== undefined) throw new Refusal("in-use", `${resource.id} is used by ${user.id}`);
    const { deletingLooks } = this.#vices();
    if (resource.kind !== "instance" || deletingLooks === 0) return void this.all.delete(resource.id);
    if (resource.status === "deleting") return;
    resource.status = "deleting";
    this.#looksLeft.set(resource.id, deletingLooks);
  }

  act(resource: FakeResource, action: InstanceAction): void {
    if (resource.status === "deleting") throw new Refusal("wrong-state", `${resource.id} is being deleted`);
    const isOn = action === "start" || action === "restart";
    if (action === "start" && resource.status === "running") return;
    resource.address = "";
    resource.status = isOn ? "starting" : "stopped";
    if (isOn) this.#boot(resource);
  }

  /** Milliseconds until lists show everything. */
  hiddenForMs(): number {
    const nowMs = this.#clock.monotonicMs();
    return Math.max(0, ...[...this.#hidden.values()].map(({ fromMs }) => fromMs - nowMs));
  }

  #boot(instance: FakeResource): void {
    this.#looksLeft.set(instance.id, this.#vices().startingLooks);
    this.#settle(instance);
  }

  /** Whoever looks sees it further on the next time. */
  #age(resource: FakeResource): void {
    const left = this.#looksLeft.get(resource.id);
    if (left === undefined) return;
    this.#settle(resource);
    this.#looksLeft.set(resource.id, left - 1);
  }

  #settle(resource: FakeResource): void {
    if ((this.#looksLeft.get(resource.id) ?? 0) > 0) return;
    this.#looksLeft.delete(resource.id);
    if (resource.status === "deleting") this.all.delete(resource.id);
    if (resource.status !== "starting") return;
    resource.status = "running";
    this.#addresses += 1;
    resource.address = `192.0.2.${(this.#addresses % 254) + 1}`;
  }

  #isShown(id: string): boolean {
    const hidden = this.#hidden.get(id);
    if (hidden === undefined) return true;
    if (hidden.fromMs > this.#clock.monotonicMs()) return false;
    return (hidden.lists -= 1) < 0;
  }

  #count(kind: string): number {
    return [...this.all.values()].filter((one) => one.kind === kind).length;
  }

  #find(matches: (one: FakeResource) => boolean): FakeResource | undefined {
    return [...this.all.values()].find(matches);
  }
}
