/**
 * Nova of the fake: flavors, key pairs and servers with their states. A server takes its time to be built, switched and
 * removed; it has a port at Neutron and perhaps volumes at Cinder, which go with it as they go at OpenStack.
 */
import { randomUUID } from "node:crypto";
import { fieldsOf, ok, refusedByNova, routed, textOf, type Answer, type Exchange, type Json, type Route } from "./answers.ts";
import { flavors, projectId, serverGroups, userId, zones } from "./catalogue.ts";
import type { FakeCinder } from "./fake-cinder.ts";
import type { FakeNeutron } from "./fake-neutron.ts";
import { attachmentForm, flavorForm, flavorOf, serverForm } from "./nova-forms.ts";
import { actionRules, vmStates } from "./server-states.ts";
import { whatIsWrong } from "./server-wish.ts";
import { paged, type Shelf } from "./shelf.ts";

/** What servers run on, where they really run. Each answers once it is done. */
export interface Hardware {
  /** Gives its address. */
  boot(server: FakeServer): Promise<string>;
  /** Gives the address that it has afterwards. */
  power(server: FakeServer, change: PowerChange): Promise<string>;
  remove(server: FakeServer): Promise<void>;
}

export type PowerChange = "os-start" | "os-stop" | "reboot";

export interface FakeServer {
  readonly id: string;
  readonly name: string;
  readonly metadata: Json;
  readonly tags: readonly string[];
  /** As it was asked for. */
  readonly wish: Json;
  readonly groups: readonly string[];
  readonly created: string;
  status: string;
  task: string | null;
  fault: string | undefined;
  isLocked: boolean;
  /** How many looks until what it is at is done. */
  looks: number;
  /** What ends the task; undefined while there is none. */
  finish: (() => Promise<void>) | undefined;
  isWorking: boolean;
}

export interface FakeKeyPair {
  readonly name: string;
  readonly public_key: string;
}

interface Account {
  readonly neutron: FakeNeutron;
  readonly cinder: FakeCinder;
  readonly shelf: Shelf;
  readonly hardware: Hardware | undefined;
}

export class FakeNova {
  readonly servers = new Map<string, FakeServer>();
  readonly keyPairs = new Map<string, FakeKeyPair>();
  /** Bodies of the requests for servers. */
  readonly asked: Json[] = [];
  readonly complaints: string[] = [];
  /** N of the newest 2.N; 1 where there are no others. */
  newest = 93;
  instanceLimit = 10;
  coreLimit = 20;
  ramLimit = 51_200;
  /** Nova tells its limits and refuses nothing itself before a server is asked for. */
  tellsLimits = true;
  /** How often a server is told to be at work. */
  looks = 1;
  /** Servers that are asked for from now on cannot be built, for this reason. */
  failing: string | undefined;
  /** Removals fail so many times. */
  failingRemovals = 0;
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  /** A server that somebody else in the project has. */
  addServer(name: string, metadata: Json = {}): FakeServer {
    const server = this.#add({ name, metadata, flavorRef: "2" }, []);
    Object.assign(server, { status: "ACTIVE", finish: undefined, task: null });
    return server;
  }

  addKeyPair(name: string, publicKey: string): void {
    this.keyPairs.set(name, { name, public_key: publicKey });
  }

  readonly #routes: readonly Route[] = [
    [
      /^GET \/$/u,
      () =>
        ok({
          version: {
            id: "v2.1",
            status: "CURRENT",
            version: this.newest === 1 ? "" : `2.${this.newest}`,
            min_version: "2.1",
            links: [],
          },
        }),
    ],
    [
      /^GET \/flavors\/detail$/u,
      ({ query, version }) =>
        ok(
          paged(
            this.#account.shelf,
            "flavors",
            flavors.map((each) => flavorForm(each, version)),
            query,
          ),
        ),
    ],
    [/^GET \/limits$/u, () => this.#limits()],
    [/^GET \/os-availability-zone$/u, () => ok({ availabilityZoneInfo: zones })],
    [/^GET \/os-server-groups$/u, () => ok({ server_groups: serverGroups })],
    [/^POST \/os-keypairs$/u, ({ body, version }) => this.#importKey(fieldsOf(fieldsOf(body)["keypair"]), version)],
    [/^GET \/os-keypairs\/([^/]+)$/u, ({ version }, name) => this.#showKey(name, version)],
    [/^DELETE \/os-keypairs\/([^/]+)$/u, (_e, name) => this.#removeKey(name)],
    [/^GET \/servers\/detail$/u, async (exchange) => await this.#list(exchange)],
    [/^POST \/servers$/u, ({ body, version }) => this.#make(fieldsOf(body), version)],
    [/^GET \/servers\/([^/]+)$/u, async ({ version }, id) => await this.#show(id, version)],
    [/^DELETE \/servers\/([^/]+)$/u, (_e, id) => this.#remove(id)],
    [/^POST \/servers\/([^/]+)\/action$/u, ({ body }, id) => this.#act(id, fieldsOf(body))],
    [/^GET \/servers\/([^/]+)\/os-volume_attachments$/u, (_e, id) => this.#attachments(id)],
    [
      /^POST \/servers\/([^/]+)\/os-volume_attachments$/u,
      ({ body }, id) => this.#attach(id, fieldsOf(fieldsOf(body)["volumeAttachment"])),
    ],
  ];

  async answer(exchange: Exchange): Promise<Answer | undefined> {
    if (exchange.version > this.newest)
      return refusedByNova(
        406,
        `Version 2.${exchange.version} is not supported by the API. Minimum is 2.1 and maximum is 2.${this.newest}.`,
      );
    return await routed(this.#routes, exchange);
  }

  #limits(): Answer {
    if (!this.tellsLimits) return refusedByNova(403, "Policy doesn't allow os_compute_api:limits to be performed.");
    const absolute = {
      ...{ maxTotalInstances: this.instanceLimit, totalInstancesUsed: this.servers.size },
      ...{ maxTotalCores: this.coreLimit, totalCoresUsed: this.#used("vcpus") },
      ...{ maxTotalRAMSize: this.ramLimit, totalRAMUsed: this.#used("ram") },
      ...{ maxTotalKeypairs: 100, maxServerMeta: 128, maxServerGroups: 10, totalServerGroupsUsed: 1, maxServerGroupMembers: 10 },
    };
    return ok({ limits: { rate: [], absolute } });
  }

  #used(what: "vcpus" | "ram"): number {
    return [...this.servers.values()].reduce((sum, { wish }) => sum + (flavorOf(wish["flavorRef"])?.[what] ?? 0), 0);
  }

  #importKey({ name, public_key: publicKey }: Json, version: number): Answer {
    if (this.keyPairs.has(textOf(name))) return refusedByNova(409, `Key pair '${textOf(name)}' already exists.`);
    if (!/^(?:ssh-(?:rsa|ed25519)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+={0,2}(?: |$)/u.test(textOf(publicKey)))
      return refusedByNova(400, "Keypair data is invalid: failed to generate fingerprint");
    if (!/^[a-zA-Z0-9_ -]*$/u.test(textOf(name))) return refusedByNova(400, "Keypair name contains unsafe characters");
    this.addKeyPair(textOf(name), textOf(publicKey));
    return { status: version >= 2 ? 201 : 200, body: { keypair: this.#keyForm(textOf(name), version) } };
  }

  #keyForm(name: string, version: number): Json {
    const found = this.keyPairs.get(name);
    const type = version >= 2 ? { type: "ssh" } : {};
    return {
      name,
      public_key: found?.public_key,
      fingerprint: "7e:eb:ab:24:ba:d1:e1:88:ae:9a:fb:66:53:df:d3:bd",
      user_id: userId,
      ...type,
    };
  }

  #showKey(name: string, version: number): Answer {
    if (!this.keyPairs.has(name)) return unknownKey(name);
    const more = { created_at: "2026-11-01T00:00:00.000000", updated_at: null, deleted: false, deleted_at: null, id: 1 };
    return ok({ keypair: { ...this.#keyForm(name, version), ...more } });
  }

  #removeKey(name: string): Answer {
    return this.keyPairs.delete(name) ? { status: 204 } : unknownKey(name);
  }

  async #list({ query, version }: Exchange): Promise<Answer> {
    const name = query.get("name");
    const tags = query.get("tags")?.split(",") ?? [];
    for (const server of this.servers.values()) await this.#pass(server);
    const found = [...this.servers.values()].filter(
      (server) => (name === null || new RegExp(name, "u").test(server.name)) && tags.every((tag) => server.tags.includes(tag)),
    );
    const shown = found.filter(({ id }) => !this.#account.shelf.isHidden(id));
    return ok(
      paged(
        this.#account.shelf,
        "servers",
        shown.toReversed().map((server) => serverForm(server, this.#account.neutron, version)),
        query,
      ),
    );
  }

  #make(body: Json, version: number): Answer {
    const wish = fieldsOf(body["server"]);
    const hints = fieldsOf(body["os:scheduler_hints"]);
    const [groups, problem] = this.#groupsOf(wish);
    const refusal = problem ?? whatIsWrong(wish, hints, this.keyPairs, this.#account.neutron) ?? this.#quotaProblem(wish);
    if (refusal !== undefined) return refusal;
    this.asked.push(body);
    const server = this.#add(wish, groups);
    const hidden = {
      id: server.id,
      links: [],
      "OS-DCF:diskConfig": "MANUAL",
      security_groups: groups.map((name) => ({ name })),
      adminPass: "x7Qe9TzKp2Lm",
    };
    return ok({ server: version >= 1 ? hidden : {} }, 202);
  }

  #groupsOf({ security_groups: given }: Json): readonly [readonly string[], Answer | undefined] {
    const names = given === undefined ? ["default"] : (given as readonly { name: string }[]).map(({ name }) => name);
    const all = [...this.#account.neutron.groups.values()];
    const ids: string[] = [];
    for (const wanted of names) {
      const found = all.filter(({ id, name }) => id === wanted || name === wanted);
      if (found.length === 0) return [[], refusedByNova(400, `Security group ${wanted} not found for project ${projectId}.`)];
      if (found.length > 1)
        return [[], refusedByNova(409, `Multiple security groups found matching '${wanted}'. Use an ID to be more specific.`)];
      ids.push(...found.map(({ id }) => id));
    }
    return [ids, undefined];
  }

  #quotaProblem(wish: Json): Answer | undefined {
    const flavor = flavorOf(wish["flavorRef"]);
    const wanted = [
      ["instances", this.instanceLimit, this.servers.size, 1],
      ["cores", this.coreLimit, this.#used("vcpus"), flavor?.vcpus ?? 0],
      ["ram", this.ramLimit, this.#used("ram"), flavor?.ram ?? 0],
    ] as const;
    const over = wanted.find(([, limit, used, more]) => limit >= 0 && used + more > limit);
    if (over === undefined) return undefined;
    const [what, limit, used, more] = over;
    return refusedByNova(403, `Quota exceeded for ${what}: Requested ${more}, but already used ${used} of ${limit} ${what}`);
  }

  #add(wish: Json, groups: readonly string[]): FakeServer {
    const server: FakeServer = {
      ...{ id: randomUUID(), name: textOf(wish["name"]), metadata: fieldsOf(wish["metadata"]), wish, groups },
      tags: (wish["tags"] ?? []) as readonly string[],
      created: new Date().toISOString().replace(/\.\d+Z$/u, "Z"),
      ...{ status: "BUILD", task: "scheduling", fault: undefined, isLocked: false, isWorking: false },
      looks: this.#account.hardware === undefined ? this.looks : 0,
      finish: async () => await this.#build(server),
    };
    this.servers.set(server.id, server);
    return server;
  }

  async #build(server: FakeServer): Promise<void> {
    if (this.failing !== undefined) return void Object.assign(server, { status: "ERROR", fault: this.failing });
    const { neutron, cinder, hardware } = this.#account;
    const [wanted] = (server.wish["networks"] ?? []) as readonly { uuid?: string }[];
    const network = neutron.networks.find(({ id }) => id === wanted?.uuid) ?? neutron.networks[0];
    const own = await hardware?.boot(server);
    if (network !== undefined)
      neutron.addPort(server.id, network, server.groups, own === undefined ? addressesOn(network, neutron) : { 4: own });
    for (const device of (server.wish["block_device_mapping_v2"] ?? []) as readonly Json[])
      cinder.add("", Number(device["volume_size"]), {
        isRoot: true,
        server: server.id,
        status: "in-use",
        type: textOf(device["volume_type"]) || "slow",
      });
    server.status = "ACTIVE";
  }

  async #show(id: string, version: number): Promise<Answer> {
    const server = this.servers.get(id);
    if (server !== undefined) await this.#pass(server);
    return server !== undefined && this.servers.has(id)
      ? ok({ server: serverForm(server, this.#account.neutron, version) })
      : unknown(id);
  }

  /** One look nearer to the end of what it is at. Without hardware that is done as soon as it is begun. */
  async #pass(server: FakeServer): Promise<void> {
    const { finish } = server;
    if (finish === undefined || server.isWorking) return;
    if (server.looks > 0) return void (server.looks -= 1);
    server.isWorking = true;
    const work = finish().then(
      () => void Object.assign(server, { task: null, finish: undefined, isWorking: false }),
      (error: unknown) => {
        Object.assign(server, { status: "ERROR", fault: "the hardware failed", task: null, finish: undefined, isWorking: false });
        this.complaints.push(`the hardware failed: ${String(error)}`);
      },
    );
    if (this.#account.hardware === undefined) await work;
  }

  #begin(server: FakeServer, task: string, finish: () => Promise<void>): void {
    Object.assign(server, { task, finish, looks: this.#account.hardware === undefined ? this.looks : 0 });
    if (this.#account.hardware !== undefined) void this.#pass(server);
  }

  #remove(id: string): Answer {
    const server = this.servers.get(id);
    if (server === undefined) return unknown(id);
    if (server.isLocked) return refusedByNova(409, `Instance ${id} is locked`);
    if (server.task === "deleting") return { status: 204 };
    this.#begin(server, "deleting", async () => await this.#end(server));
    return { status: 204 };
  }

  async #end(server: FakeServer): Promise<void> {
    if (this.failingRemovals > 0) {
      this.failingRemovals -= 1;
      return void Object.assign(server, { status: "ERROR", fault: "Failed to destroy instance" });
    }
    const { neutron, cinder, hardware } = this.#account;
    await hardware?.remove(server);
    neutron.removePorts(server.id);
    for (const volume of cinder.volumes.values())
      if (volume.server === server.id && volume.isRoot) cinder.volumes.delete(volume.id);
    cinder.release(server.id);
    this.servers.delete(server.id);
  }

  #act(id: string, body: Json): Answer {
    const server = this.servers.get(id);
    if (server === undefined) return unknown(id);
    const [action = ""] = Object.keys(body);
    if (server.isLocked) return refusedByNova(409, `Instance ${id} is locked`);
    if (server.task !== null)
      return refusedByNova(409, `Cannot '${action}' instance ${id} while it is in task_state ${server.task}`);
    const rule = actionRules[action];
    if (rule?.from.includes(server.status) !== true)
      return refusedByNova(
        409,
        `Cannot '${action.replace("os-", "")}' instance ${id} while it is in vm_state ${vmStates[server.status] ?? ""}`,
      );
    if (action === "reboot") server.status = fieldsOf(body["reboot"])["type"] === "HARD" ? "HARD_REBOOT" : "REBOOT";
    this.#begin(server, rule.task, async () => {
      if (rule.switch !== undefined) await this.#switch(server, rule.switch);
      server.status = rule.to;
    });
    return { status: 202 };
  }

  async #switch(server: FakeServer, change: PowerChange): Promise<void> {
    const address = await this.#account.hardware?.power(server, change);
    const [port] = this.#account.neutron.portsOf(server.id);
    if (address !== undefined && port !== undefined) port.addresses = { 4: address };
  }

  #attachments(id: string): Answer {
    if (!this.servers.has(id)) return unknown(id);
    const attached = [...this.#account.cinder.volumes.values()].filter(({ server }) => server === id);
    return ok({ volumeAttachments: attached.map((volume) => attachmentForm(id, volume.id)) });
  }

  #attach(id: string, { volumeId }: Json): Answer {
    const [server, volume] = [this.servers.get(id), this.#account.cinder.volumes.get(textOf(volumeId))];
    if (server === undefined) return unknown(id);
    if (volume === undefined) return refusedByNova(404, `Volume ${textOf(volumeId)} could not be found.`);
    if (server.status === "BUILD")
      return refusedByNova(409, `Cannot 'attach_volume' instance ${id} while it is in vm_state building`);
    if (volume.status !== "available")
      return refusedByNova(400, `Invalid volume: volume ${volume.id} is already attached to instances: ${volume.server}`);
    Object.assign(volume, { server: id, status: "in-use" });
    const { tag: _tag, ...told } = attachmentForm(id, volume.id);
    return ok({ volumeAttachment: told });
  }
}

function addressesOn(network: { readonly subnets: object }, neutron: FakeNeutron): Readonly<Record<number, string>> {
  return Object.fromEntries(Object.entries(neutron.nextAddresses()).filter(([version]) => version in network.subnets));
}

function unknown(id: string): Answer {
  return refusedByNova(404, `Instance ${id} could not be found.`);
}

function unknownKey(name: string): Answer {
  return refusedByNova(404, `Keypair ${name} not found for user ${userId}`);
}
