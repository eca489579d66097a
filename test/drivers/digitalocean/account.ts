/** The account of the fake DigitalOcean: what is in it, and what each request makes of that. */
import { createHash, randomUUID } from "node:crypto";
import { images, projects, regions, vpcs } from "./catalogue.ts";
import {
  actionForm,
  dropletForm,
  fieldsOf,
  firewallForm,
  imageNamed,
  notFound,
  ok,
  refusal,
  tagForm,
  unprocessable,
  type Answer,
  type FakeAction,
  type FakeDroplet,
  type FakeFirewall,
  type FakeKey,
} from "./forms.ts";
import type { Exchange } from "./vendor-schema.ts";

/** What droplets run on, where they really run. Each answers once it is done. */
export interface Hardware {
  boot(droplet: FakeDroplet): Promise<{ readonly publicAddress: string; readonly privateAddress: string }>;
  /** Gives the public address that the droplet has afterwards. */
  power(droplet: FakeDroplet, change: PowerChange): Promise<string>;
  remove(droplet: FakeDroplet): Promise<void>;
}

export type PowerChange = "power_on" | "power_off" | "shutdown" | "reboot";

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What makes lists forget a thing for a while. */
export interface Hiding {
  /** How many lists do not show it yet. */
  readonly lists: number;
}

export class FakeAccount {
  readonly droplets = new Map<number, FakeDroplet>();
  readonly keys = new Map<number, FakeKey>();
  readonly tags = new Set<string>();
  readonly firewalls = new Map<string, FakeFirewall>();
  /** Project of each droplet that is not in the default one. */
  readonly projectOf = new Map<number, string>();
  /** Bodies of the requests for droplets. */
  readonly asked: unknown[] = [];
  /** What went wrong here and not at who asked. */
  readonly complaints: string[] = [];
  dropletLimit = 10;
  accountStatus: "active" | "locked" = "active";
  /** How often an action is told to be in progress. */
  actionReads = 1;
  /** The next actions of this type end as `errored`. */
  failing: string | undefined;
  readonly #actions = new Map<number, FakeAction>();
  readonly #hiddenFor = new Map<number, number>();
  #last = 100;
  readonly #hardware: Hardware | undefined;

  constructor(hardware: Hardware | undefined) {
    this.#hardware = hardware;
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

  /** What answers which request; the part of the path in brackets is its identifier. */
  readonly #routes: readonly (readonly [
    RegExp,
    (id: string, exchange: Exchange, hiding: Hiding | undefined) => Answer | Promise<Answer>,
  ])[] = [
    [/^GET account$/u, () => ok({ account: this.#account() })],
    [/^POST account\/keys$/u, (_id, { body }) => this.#postKey(fieldsOf(body))],
    [/^GET account\/keys\/(.+)$/u, (id) => this.#known("ssh_key", this.#findKey(id))],
    [/^DELETE account\/keys\/(.+)$/u, (id) => this.#removed(this.#findKey(id), (key) => this.keys.delete(key.id))],
    [/^GET regions$/u, (_id, { url }) => this.#listed("regions", regions, url)],
    [/^GET images$/u, (_id, { url }) => this.#listed("images", images, url)],
    [/^GET images\/(.+)$/u, (id) => this.#known("image", imageNamed(id))],
    [/^GET vpcs$/u, (_id, { url }) => this.#listed("vpcs", vpcs, url)],
    [/^GET projects$/u, (_id, { url }) => this.#listed("projects", projects, url)],
    [/^POST projects\/(.+)\/resources$/u, (id, { body }) => this.#assign(id, fieldsOf(body)["resources"] as readonly string[])],
    [/^POST tags$/u, (_id, { body }) => this.#postTag(String(fieldsOf(body)["name"]))],
    [/^GET tags\/(.+)$/u, (id) => this.#known("tag", this.tags.has(id) ? tagForm(id) : undefined)],
    [/^DELETE tags\/(.+)$/u, (id) => this.#removed(this.tags.has(id) ? id : undefined, (tag) => this.#removeTag(tag))],
    [/^GET firewalls$/u, (_id, { url }) => this.#listed("firewalls", [...this.firewalls.values()].map(firewallForm), url)],
    [/^POST firewalls$/u, (_id, { body }) => this.#postFirewall(fieldsOf(body))],
    [/^GET firewalls\/(.+)$/u, (id) => this.#known("firewall", this.#firewallForm(id))],
    [/^DELETE firewalls\/(.+)$/u, (id) => this.#removed(this.firewalls.get(id), () => this.firewalls.delete(id))],
    [/^GET droplets$/u, (_id, { url }) => this.#listDroplets(url)],
    [/^POST droplets$/u, (_id, { body }, hiding) => this.#postDroplet(fieldsOf(body), hiding)],
    [/^GET droplets\/(\d+)$/u, (id) => this.#known("droplet", this.#formOf(this.droplets.get(Number(id))))],
    [/^DELETE droplets\/(\d+)$/u, async (id) => await this.#removeDroplet(this.droplets.get(Number(id)))],
    [/^POST droplets\/(\d+)\/actions$/u, (id, { body }) => this.#postAction(this.droplets.get(Number(id)), fieldsOf(body))],
    [/^GET actions\/(\d+)$/u, async (id) => await this.#readAction(this.#actions.get(Number(id)))],
  ];

  /** A request that fits the description, carried out. */
  protected async carryOut(exchange: Exchange, hiding?: Hiding): Promise<Answer> {
    const name = `${exchange.method} ${decodeURIComponent(exchange.url.pathname).replace(/^\/v2\//u, "")}`;
    for (const [pattern, answer] of this.#routes) {
      const found = pattern.exec(name);
      if (found !== null) return await answer(found[1] ?? "", exchange, hiding);
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

  #assign(projectId: string, urns: readonly string[]): Answer {
    if (!projects.some(({ id }) => id === projectId)) return notFound;
    const resources = urns.map((urn) => {
      const droplet = this.droplets.get(Number(urn.replace("do:droplet:", "")));
      const was = droplet === undefined ? undefined : this.projectOf.get(droplet.id);
      if (droplet !== undefined) this.projectOf.set(droplet.id, projectId);
      const status = droplet === undefined ? "not_found" : was === projectId ? "already_assigned" : "assigned";
      return { urn, assigned_at: "2026-11-01T00:00:00Z", links: { self: `https://api.digitalocean.com/v2/${urn}` }, status };
    });
    return ok({ resources });
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
    const lists = this.#hiddenFor.get(id) ?? 0;
    if (lists > 0) this.#hiddenFor.set(id, lists - 1);
    return lists > 0;
  }

  #postDroplet(input: Readonly<Record<string, unknown>>, hiding: Hiding | undefined): Answer {
    const problem = this.#whatIsWrong(input);
    if (problem !== undefined) return unprocessable(problem);
    this.asked.push(input);
    const droplet = this.#addDroplet(input);
    if (hiding !== undefined) this.#hiddenFor.set(droplet.id, hiding.lists);
    const action = this.#begin("create", droplet, async () => await this.#boot(droplet));
    const links = { actions: [{ id: action.id, rel: "create", href: `https://api.digitalocean.com/v2/actions/${action.id}` }] };
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
    if (Buffer.byteLength(textOf(input["user_data"])) > 65_536) return "User data must be at most 64KiB";
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
      userData: textOf(input["user_data"]),
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
    return { status: 201, body: { action: actionForm(action) } };
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
        this.complaints.push(`the hardware failed: ${String(error)}`);
      },
    );
  }

  async #readAction(action: FakeAction | undefined): Promise<Answer> {
    if (action === undefined) return notFound;
    await this.#look(action);
    return ok({ action: actionForm(action) });
  }

  /** Without hardware, work is done as soon as it is begun. */
  async #look(action: FakeAction): Promise<void> {
    this.#progress(action);
    if (this.#hardware === undefined) await action.work;
  }

  #formOf(droplet: FakeDroplet | undefined): object | undefined {
    if (droplet === undefined) return undefined;
    for (const action of this.#actions.values()) if (action.dropletId === droplet.id) this.#progress(action);
    return dropletForm(droplet);
  }
}
