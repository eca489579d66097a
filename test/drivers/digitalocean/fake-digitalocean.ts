/**
 * A small DigitalOcean over HTTP: droplets, keys, tags, firewalls and actions with their states, and the faults of a real
 * one. Each request and each answer is held against the vendor's description; what does not fit fails the test that uses
 * it. Droplets are entries in a list unless they are given hardware.
 */
import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { images, regions, sizeOf, snapshot, vpcs } from "./catalogue.ts";
import { misfitsOfAnswer, misfitsOfRequest, type Exchange } from "./vendor-schema.ts";

/** What becomes of one request. */
export type Fault =
  /** It is carried out and its answer is lost. */
  | { readonly kind: "lost" }
  /** The connection ends before it is carried out. */
  | { readonly kind: "unheard" }
  /** It is carried out twice; the second answer is given. */
  | { readonly kind: "doubled" }
  /** It is carried out; lists do not show what it made until they were asked for so many times. */
  | { readonly kind: "hidden"; readonly lists: number; readonly lost?: true }
  /** It is answered like this, and carried out only where that is said. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly id: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly done?: true;
    };

export interface FakeDroplet {
  readonly id: number;
  readonly name: string;
  tags: readonly string[];
  readonly region: string;
  readonly size: string;
  readonly image: string | number;
  readonly userData: string;
  readonly keyIds: readonly number[];
  readonly wants: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  status: "new" | "active" | "off" | "archive";
  publicAddress: string;
  privateAddress: string;
}

/** What droplets run on, where they really run. Each answers once it is done. */
export interface Hardware {
  boot(droplet: FakeDroplet): Promise<{ readonly publicAddress: string; readonly privateAddress: string }>;
  /** Gives the public address that the droplet has afterwards. */
  power(droplet: FakeDroplet, change: PowerChange): Promise<string>;
  remove(droplet: FakeDroplet): Promise<void>;
}

export type PowerChange = "power_on" | "power_off" | "shutdown" | "reboot";

interface FakeAction {
  readonly id: number;
  readonly type: string;
  readonly dropletId: number;
  /** How often it is still told to be in progress. */
  reads: number;
  status: "in-progress" | "completed" | "errored";
  readonly finish: () => Promise<void>;
  work: Promise<void> | undefined;
}

interface FakeKey {
  readonly id: number;
  readonly fingerprint: string;
  readonly public_key: string;
  readonly name: string;
}

interface FakeFirewall {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Hold {
  readonly reached: PromiseWithResolvers<void>;
  readonly released: PromiseWithResolvers<void>;
}

export const fakeToken = "dop_v1_0123456789abcdef0123456789abcdef";

export class FakeDigitalOcean implements AsyncDisposable {
  readonly droplets = new Map<number, FakeDroplet>();
  readonly keys = new Map<number, FakeKey>();
  readonly tags = new Set<string>();
  readonly firewalls = new Map<string, FakeFirewall>();
  /** `METHOD /path` of each that was heard, in order. */
  readonly requests: string[] = [];
  /** Bodies of the requests for droplets. */
  readonly asked: unknown[] = [];
  dropletLimit = 10;
  accountStatus: "active" | "locked" = "active";
  /** How often an action is told to be in progress. */
  actionReads = 1;
  /** The next actions of this type end as `errored`. */
  failing: string | undefined;
  readonly #actions = new Map<number, FakeAction>();
  readonly #faults: { readonly request: RegExp; readonly fault: Fault }[] = [];
  readonly #holds: { readonly request: RegExp; readonly hold: Hold }[] = [];
  readonly #hiddenFor = new Map<string, number>();
  #misfits: string[] = [];
  #last = 100;
  readonly #server: Server;
  readonly #hardware: Hardware | undefined;

  private constructor(server: Server, hardware: Hardware | undefined) {
    this.#server = server;
    this.#hardware = hardware;
  }

  static async start(hardware?: Hardware): Promise<FakeDigitalOcean> {
    const server = createServer();
    const cloud = new FakeDigitalOcean(server, hardware);
    server.on("request", (request, response) => {
      cloud.#serve(request, response).catch((error: unknown) => {
        cloud.#misfits.push(`the fake failed: ${String(error)}`);
        request.socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return cloud;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** All that somebody would have to pay for or tidy up, in words. */
  get resources(): readonly string[] {
    return [
      ...[...this.droplets.values()].map(({ id, name }) => `droplet ${id} ${name}`),
      ...[...this.keys.values()].map(({ name }) => `key ${name}`),
      ...[...this.firewalls.values()].map(({ name }) => `firewall ${name}`),
      ...[...this.tags].map((tag) => `tag ${tag}`),
    ];
  }

  /** The next request that this fits meets with it; several are met in turn. */
  fault(request: RegExp, ...faults: readonly Fault[]): void {
    for (const fault of faults) this.#faults.push({ request, fault });
  }

  /** The next request that this fits is carried out, and answered, only once it is released. */
  hold(request: RegExp): { readonly reached: Promise<void>; release(): void } {
    const hold = { reached: Promise.withResolvers<void>(), released: Promise.withResolvers<void>() };
    this.#holds.push({ request, hold });
    return { reached: hold.reached.promise, release: () => hold.released.resolve() };
  }

  /** What did not fit the vendor's description so far, which then is forgiven. */
  takeMisfits(): readonly string[] {
    const found = this.#misfits;
    this.#misfits = [];
    return found;
  }

  /** A droplet that somebody else has in the same account. */
  addForeignDroplet(name: string, tags: readonly string[] = []): FakeDroplet {
    return this.#addDroplet({ name, tags, region: "nyc3", size: "s-1vcpu-1gb", image: "debian-13-x64", ssh_keys: [] });
  }

  addKey(name: string, publicKey: string): FakeKey {
    const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
    const fingerprint = (createHash("md5").update(blob).digest("hex").match(/../gu) ?? []).join(":");
    const key = { id: this.#next(), fingerprint, public_key: publicKey, name };
    this.keys.set(key.id, key);
    return key;
  }

  /** Throws what did not fit the vendor's description. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    const misfits = this.takeMisfits();
    if (misfits.length > 0) throw new Error(`Not as DigitalOcean describes it:\n${misfits.join("\n")}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const exchange = await exchangeOf(request, this.url);
    const name = `${exchange.method} ${exchange.url.pathname}`;
    this.requests.push(name);
    await this.#waitWhileHeld(name);
    const fault = take(this.#faults, name)?.fault;
    if (fault?.kind === "unheard") return void request.socket.destroy();
    const answer = await this.#answer(exchange, request.headers.authorization, fault);
    if (fault?.kind === "lost" || (fault?.kind === "hidden" && fault.lost === true)) return void request.socket.destroy();
    const text = answer.body === undefined ? "" : JSON.stringify(answer.body);
    response.writeHead(answer.status, { "content-type": "application/json", "x-request-id": randomUUID(), ...answer.headers });
    response.end(text);
  }

  async #waitWhileHeld(name: string): Promise<void> {
    const held = take(this.#holds, name);
    if (held === undefined) return;
    held.hold.reached.resolve();
    await held.hold.released.promise;
  }

  async #answer(exchange: Exchange, authorization: string | undefined, fault: Fault | undefined): Promise<Answer> {
    if (authorization !== `Bearer ${fakeToken}`) return refusal(401, "unauthorized", "Unable to authenticate you");
    const misfits = misfitsOfRequest(exchange);
    this.#misfits.push(...misfits);
    if (misfits.length > 0) return refusal(422, "unprocessable_entity", misfits.join("; "));
    if (fault?.kind === "refused") {
      if (fault.done === true) await this.#carryOut(exchange, undefined);
      return { ...refusal(fault.status, fault.id, fault.message), headers: fault.headers ?? {} };
    }
    if (fault?.kind === "doubled") await this.#carryOut(exchange, fault);
    const answer = await this.#carryOut(exchange, fault);
    this.#misfits.push(...misfitsOfAnswer(exchange, answer.status, answer.body));
    return answer;
  }

  /** What answers which request; the part of the path in brackets is its identifier. */
  readonly #routes: readonly (readonly [
    RegExp,
    (id: string, exchange: Exchange, fault: Fault | undefined) => Answer | Promise<Answer>,
  ])[] = [
    [/^GET account$/u, () => ok({ account: this.#account() })],
    [/^POST account\/keys$/u, (_id, { body }) => this.#postKey(fieldsOf(body))],
    [/^GET account\/keys\/(.+)$/u, (id) => this.#known("ssh_key", this.#findKey(id))],
    [/^DELETE account\/keys\/(.+)$/u, (id) => this.#removed(this.#findKey(id), (key) => this.keys.delete(key.id))],
    [/^GET regions$/u, (_id, { url }) => this.#listed("regions", regions, url)],
    [/^GET images$/u, (_id, { url }) => this.#listed("images", images, url)],
    [/^GET images\/(.+)$/u, (id) => this.#known("image", imageNamed(id))],
    [/^GET vpcs$/u, (_id, { url }) => this.#listed("vpcs", vpcs, url)],
    [/^POST tags$/u, (_id, { body }) => this.#postTag(String(fieldsOf(body)["name"]))],
    [/^GET tags\/(.+)$/u, (id) => this.#known("tag", this.tags.has(id) ? tagForm(id) : undefined)],
    [/^DELETE tags\/(.+)$/u, (id) => this.#removed(this.tags.has(id) ? id : undefined, (tag) => this.#removeTag(tag))],
    [/^GET firewalls$/u, (_id, { url }) => this.#listed("firewalls", [...this.firewalls.values()].map(firewallForm), url)],
    [/^POST firewalls$/u, (_id, { body }) => this.#postFirewall(fieldsOf(body))],
    [/^GET firewalls\/(.+)$/u, (id) => this.#known("firewall", this.#firewallForm(id))],
    [/^DELETE firewalls\/(.+)$/u, (id) => this.#removed(this.firewalls.get(id), () => this.firewalls.delete(id))],
    [/^GET droplets$/u, (_id, { url }) => this.#listDroplets(url)],
    [/^POST droplets$/u, (_id, { body }, fault) => this.#postDroplet(fieldsOf(body), fault)],
    [/^GET droplets\/(\d+)$/u, (id) => this.#known("droplet", this.#formOf(this.droplets.get(Number(id))))],
    [/^DELETE droplets\/(\d+)$/u, async (id) => await this.#removeDroplet(this.droplets.get(Number(id)))],
    [/^POST droplets\/(\d+)\/actions$/u, (id, { body }) => this.#postAction(this.droplets.get(Number(id)), fieldsOf(body))],
    [/^GET actions\/(\d+)$/u, async (id) => await this.#readAction(this.#actions.get(Number(id)))],
  ];

  async #carryOut(exchange: Exchange, fault: Fault | undefined): Promise<Answer> {
    const name = `${exchange.method} ${decodeURIComponent(exchange.url.pathname).replace(/^\/v2\//u, "")}`;
    for (const [pattern, answer] of this.#routes) {
      const found = pattern.exec(name);
      if (found !== null) return await answer(found[1] ?? "", exchange, fault);
    }
    return notFound;
  }

  #next(): number {
    this.#last += 1;
    return this.#last;
  }

  #account(): object {
    return {
      droplet_limit: this.dropletLimit,
      floating_ip_limit: 3,
      email: "sammy@example.com",
      uuid: "b6fr89dbf6d9156cace5f3c78dc9851d957381ef",
      email_verified: true,
      status: this.accountStatus,
      status_message: this.accountStatus === "locked" ? "A bill is open." : "",
    };
  }

  #listed(member: string, all: readonly unknown[], url: URL): Answer {
    const size = Number(url.searchParams.get("per_page") ?? 20);
    const page = Number(url.searchParams.get("page") ?? 1);
    const next = new URL(url);
    next.searchParams.set("page", String(page + 1));
    const links = page * size < all.length ? { pages: { next: next.href } } : {};
    return ok({ [member]: all.slice((page - 1) * size, page * size), links, meta: { total: all.length } });
  }

  #known(member: string, thing: unknown): Answer {
    return thing === undefined ? notFound : ok({ [member]: thing });
  }

  #removed<Thing>(thing: Thing | undefined, remove: (thing: Thing) => void): Answer {
    if (thing === undefined) return notFound;
    remove(thing);
    return { status: 204 };
  }

  #findKey(name: string): FakeKey | undefined {
    return [...this.keys.values()].find(({ id, fingerprint }) => String(id) === name || fingerprint === name);
  }

  #postKey({ name, public_key: publicKey }: Readonly<Record<string, unknown>>): Answer {
    const same = [...this.keys.values()].some((key) => key.public_key === publicKey);
    if (same) return unprocessable("SSH Key is already in use on your account");
    return { status: 201, body: { ssh_key: this.addKey(String(name), String(publicKey)) } };
  }

  #removeTag(name: string): void {
    this.tags.delete(name);
    for (const each of this.droplets.values()) each.tags = each.tags.filter((tag) => tag !== name);
  }

  #firewallForm(id: string): object | undefined {
    const firewall = this.firewalls.get(id);
    return firewall === undefined ? undefined : firewallForm(firewall);
  }

  #postTag(name: string): Answer {
    if (!/^[\w:-]{1,255}$/u.test(name)) return unprocessable(`${name} is not a valid tag`);
    this.tags.add(name);
    return { status: 201, body: { tag: tagForm(name) } };
  }

  #postFirewall({ name, tags, ...rules }: Readonly<Record<string, unknown>>): Answer {
    const wanted = (tags ?? []) as readonly string[];
    const missing = wanted.find((tag) => !this.tags.has(tag));
    if (missing !== undefined) return unprocessable(`tag ${missing} does not exist`);
    if ([...this.firewalls.values()].some((each) => each.name === name))
      return { ...refusal(409, "conflict", "duplicate name"), status: 409 };
    const firewall = { id: randomUUID(), name: String(name), tags: wanted, rules };
    this.firewalls.set(firewall.id, firewall);
    return { status: 202, body: { firewall: firewallForm(firewall) } };
  }

  #listDroplets(url: URL): Answer {
    const [tag, name] = [url.searchParams.get("tag_name"), url.searchParams.get("name")];
    const shown = [...this.droplets.values()].filter(({ id }) => !this.#isHidden(id));
    const found = shown.filter((each) => (tag === null || each.tags.includes(tag)) && (name === null || each.name === name));
    return this.#listed(
      "droplets",
      found.map((each) => this.#formOf(each)),
      url,
    );
  }

  #isHidden(id: number): boolean {
    const lists = this.#hiddenFor.get(String(id)) ?? 0;
    if (lists > 0) this.#hiddenFor.set(String(id), lists - 1);
    return lists > 0;
  }

  #postDroplet(input: Readonly<Record<string, unknown>>, fault: Fault | undefined): Answer {
    const problem = this.#whatIsWrong(input);
    if (problem !== undefined) return unprocessable(problem);
    this.asked.push(input);
    const droplet = this.#addDroplet(input);
    if (fault?.kind === "hidden") this.#hiddenFor.set(String(droplet.id), fault.lists);
    const action = this.#begin("create", droplet, async () => await this.#boot(droplet));
    const links = { actions: [{ id: action.id, rel: "create", href: `${this.url}/v2/actions/${action.id}` }] };
    return { status: 202, body: { droplet: this.#formOf(droplet), links } };
  }

  /** In DigitalOcean's words, as far as they are known from public threads. */
  #whatIsWrong(input: Readonly<Record<string, unknown>>): string | undefined {
    const region = regions.find(({ slug }) => slug === input["region"]);
    if (this.droplets.size >= this.dropletLimit) return "creating this/these droplet(s) will exceed your droplet limit";
    if (region === undefined) return "You specified an invalid region for Droplet creation.";
    if (!region.available) return "Region is not available";
    if (!region.sizes.includes(String(input["size"]))) return "Size is not available in this region.";
    if (imageNamed(String(input["image"])) === undefined) return "You specified an invalid image for Droplet creation.";
    const keys = (input["ssh_keys"] ?? []) as readonly (number | string)[];
    const unknown = keys.filter((key) => this.#findKey(String(key)) === undefined);
    if (unknown.length > 0) return `${unknown.join(", ")} are invalid key identifiers for Droplet creation.`;
    if (Buffer.byteLength(String(input["user_data"] ?? "")) > 65_536) return "User data must be at most 64KiB";
    const vpc = input["vpc_uuid"];
    if (vpc !== undefined && !vpcs.some(({ id }) => id === vpc)) return "You specified an invalid VPC for Droplet creation.";
    return undefined;
  }

  #addDroplet(input: Readonly<Record<string, unknown>>): FakeDroplet {
    const id = this.#next();
    const droplet: FakeDroplet = {
      id,
      name: String(input["name"]),
      tags: (input["tags"] ?? []) as readonly string[],
      region: String(input["region"]),
      size: String(input["size"]),
      image: input["image"] as string | number,
      userData: String(input["user_data"] ?? ""),
      keyIds: (input["ssh_keys"] ?? []) as readonly number[],
      wants: input,
      createdAt: new Date().toISOString(),
      status: "new",
      publicAddress: "",
      privateAddress: "",
    };
    for (const tag of droplet.tags) this.tags.add(tag);
    this.droplets.set(id, droplet);
    return droplet;
  }

  async #boot(droplet: FakeDroplet): Promise<void> {
    const own = { publicAddress: `192.0.2.${droplet.id % 250}`, privateAddress: `10.10.10.${droplet.id % 250}` };
    Object.assign(droplet, (await this.#hardware?.boot(droplet)) ?? own);
    if (droplet.wants["public_networking"] === false) droplet.publicAddress = "";
    droplet.status = "active";
  }

  async #removeDroplet(droplet: FakeDroplet | undefined): Promise<Answer> {
    if (droplet === undefined) return notFound;
    if (this.#pendingOn(droplet)) return unprocessable("Droplet already has a pending event.");
    this.droplets.delete(droplet.id);
    await this.#hardware?.remove(droplet);
    return { status: 204 };
  }

  #pendingOn(droplet: FakeDroplet): boolean {
    const pending = [...this.#actions.values()].filter((each) => each.dropletId === droplet.id && each.status === "in-progress");
    for (const action of pending) this.#progress(action);
    return pending.length > 0;
  }

  #postAction(droplet: FakeDroplet | undefined, { type: wanted }: Readonly<Record<string, unknown>>): Answer {
    const type = String(wanted);
    if (droplet === undefined) return notFound;
    if (this.#pendingOn(droplet)) return unprocessable("Droplet already has a pending event.");
    const isOn = droplet.status === "active";
    if (type === "power_on" && isOn) return unprocessable("Droplet is already powered on.");
    if (type !== "power_on" && !isOn) return unprocessable("Droplet is already powered off.");
    const action = this.#begin(type, droplet, async () => {
      const address = await this.#hardware?.power(droplet, type as PowerChange);
      droplet.publicAddress = address ?? droplet.publicAddress;
      if (type !== "reboot") droplet.status = type === "power_on" ? "active" : "off";
    });
    return { status: 201, body: { action: this.#actionForm(action) } };
  }

  #begin(type: string, droplet: FakeDroplet, finish: () => Promise<void>): FakeAction {
    const action: FakeAction = {
      id: this.#next(),
      type,
      dropletId: droplet.id,
      reads: this.actionReads,
      status: "in-progress",
      finish,
      work: undefined,
    };
    this.#actions.set(action.id, action);
    // What really runs begins at once; what is an entry in a list goes on as it is asked for.
    if (this.#hardware !== undefined) action.reads = 0;
    if (action.reads === 0) this.#progress(action);
    return action;
  }

  /** One look nearer to its end. */
  #progress(action: FakeAction): void {
    if (action.status !== "in-progress" || action.work !== undefined) return;
    if (action.reads > 0) return void (action.reads -= 1);
    if (this.failing === action.type) return void (action.status = "errored");
    action.work = action.finish().then(
      () => void (action.status = "completed"),
      (error: unknown) => {
        action.status = "errored";
        this.#misfits.push(`the hardware failed: ${String(error)}`);
      },
    );
  }

  async #readAction(action: FakeAction | undefined): Promise<Answer> {
    if (action === undefined) return notFound;
    await this.#look(action);
    return ok({ action: this.#actionForm(action) });
  }

  /** Without hardware, work is done as soon as it is begun. */
  async #look(action: FakeAction): Promise<void> {
    this.#progress(action);
    if (this.#hardware === undefined) await action.work;
  }

  #actionForm({ id, type, status, dropletId }: FakeAction): object {
    const region = regions[0];
    return {
      id,
      type,
      status,
      started_at: "2026-11-14T16:29:21Z",
      completed_at: status === "completed" ? "2026-11-14T16:30:06Z" : null,
      resource_id: dropletId,
      resource_type: "droplet",
      region,
      region_slug: region?.slug,
    };
  }

  #formOf(droplet: FakeDroplet | undefined): object | undefined {
    if (droplet === undefined) return undefined;
    for (const action of this.#actions.values()) if (action.dropletId === droplet.id) this.#progress(action);
    const { id, name, status, tags, publicAddress, privateAddress, wants } = droplet;
    const size = sizeOf(droplet.size);
    const v4 = [networkForm(publicAddress, "public"), networkForm(privateAddress, "private")].flat();
    const v6 = wants["ipv6"] === true ? [{ ip_address: "2001:db8::1", netmask: 64, gateway: "2001:db8::", type: "public" }] : [];
    return {
      ...{ id, name, status, tags, size, memory: size.memory, vcpus: size.vcpus, disk: size.disk, size_slug: droplet.size },
      ...{ locked: false, created_at: droplet.createdAt, features: [], backup_ids: [], next_backup_window: null },
      ...{ snapshot_ids: [], volume_ids: [], vpc_uuid: vpcs[0]?.id },
      image: imageNamed(String(droplet.image)),
      networks: { v4, v6 },
      region: regions.find(({ slug }) => slug === droplet.region),
    };
  }
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return (body ?? {}) as Readonly<Record<string, unknown>>;
}

function imageNamed(name: string): object | undefined {
  return [...images, snapshot].find(({ id, slug }) => slug === name || String(id) === name);
}

const notFound = refusal(404, "not_found", "The resource you were accessing could not be found.");

function ok(body: object): Answer {
  return { status: 200, body };
}

function refusal(status: number, id: string, message: string): Answer {
  return { status, body: { id, message, request_id: "4d9d8375-3c56-4925-a3e7-eb137fed17e9" } };
}

function unprocessable(message: string): Answer {
  return refusal(422, "unprocessable_entity", message);
}

function take<Entry extends { readonly request: RegExp }>(entries: Entry[], name: string): Entry | undefined {
  const at = entries.findIndex(({ request }) => request.test(name));
  return at === -1 ? undefined : entries.splice(at, 1)[0];
}

function networkForm(address: string, type: string): readonly object[] {
  return address === "" ? [] : [{ ip_address: address, netmask: "255.255.255.0", gateway: "192.0.2.1", type }];
}

function tagForm(name: string): object {
  return { name, resources: { count: 0 } };
}

function firewallForm({ id, name, tags, rules }: FakeFirewall): object {
  const more = { status: "succeeded", created_at: "2026-05-23T21:24:00Z", droplet_ids: [], pending_changes: [] };
  return { id, name, tags, ...rules, ...more };
}

async function exchangeOf(request: IncomingMessage, base: string): Promise<Exchange> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return {
    method: request.method ?? "",
    url: new URL(request.url ?? "/", base),
    body: text === "" ? undefined : JSON.parse(text),
  };
}
