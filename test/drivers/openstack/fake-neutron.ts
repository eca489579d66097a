/** Neutron of the fake: networks, the ports of servers, floating addresses and security groups, with what depends on what. */
import { randomUUID } from "node:crypto";
import {
  fieldsOf,
  nothing,
  ok,
  refusedByNeutron,
  routed,
  textOf,
  type Answer,
  type Exchange,
  type Json,
  type Route,
} from "./answers.ts";
import { networks, projectId, type FakeNetwork } from "./catalogue.ts";
import { paged, type Shelf } from "./shelf.ts";

export interface FakePort {
  readonly id: string;
  readonly device_id: string;
  readonly network_id: string;
  readonly security_groups: readonly string[];
  /** By IP version. */
  addresses: Readonly<Record<number, string>>;
}

export interface FakeFloatingIp {
  readonly id: string;
  readonly floating_network_id: string;
  floating_ip_address: string;
  port_id: string | null;
  readonly description: string;
  tags: readonly string[];
}

export interface FakeGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly rules: Json[];
  tags: readonly string[];
}

export class FakeNeutron {
  readonly networks: FakeNetwork[] = [...networks];
  readonly ports = new Map<string, FakePort>();
  readonly floatingIps = new Map<string, FakeFloatingIp>();
  readonly groups = new Map<string, FakeGroup>();
  floatingIpLimit = 50;
  groupLimit = 10;
  /** Whether the project may read its quotas. */
  tellsQuota = true;
  /** Whether the extension for tags is there. */
  hasTags = true;
  /** The external network is used up. */
  isExhausted = false;
  readonly #shelf: Shelf;
  #last = 9;

  constructor(shelf: Shelf) {
    this.#shelf = shelf;
    this.addGroup("default", "Default security group").rules.push(...defaultRules());
  }

  addGroup(name: string, description = ""): FakeGroup {
    const group: FakeGroup = { id: randomUUID(), name, description, rules: [], tags: [] };
    group.rules.push(
      ruleOf(group.id, { direction: "egress", ethertype: "IPv4" }),
      ruleOf(group.id, { direction: "egress", ethertype: "IPv6" }),
    );
    this.groups.set(group.id, group);
    return group;
  }

  addFloatingIp(description = "", portId: string | null = null): FakeFloatingIp {
    const external = this.networks.find((network) => network.external);
    const made: FakeFloatingIp = {
      id: randomUUID(),
      floating_network_id: external?.id ?? "",
      floating_ip_address: `203.0.113.${(this.#last += 1)}`,
      port_id: portId,
      description,
      tags: [],
    };
    this.floatingIps.set(made.id, made);
    return made;
  }

  /** For a server that is being built. @param addresses of the machine that it really is */
  addPort(
    device: string,
    network: FakeNetwork,
    groups: readonly string[],
    addresses: Readonly<Record<number, string>>,
  ): FakePort {
    const port: FakePort = { id: randomUUID(), device_id: device, network_id: network.id, security_groups: groups, addresses };
    this.ports.set(port.id, port);
    return port;
  }

  nextAddresses(): Readonly<Record<number, string>> {
    this.#last += 1;
    return { 4: `10.0.0.${this.#last}`, 6: `2001:db8::${this.#last.toString(16)}` };
  }

  portsOf(device: string): readonly FakePort[] {
    return [...this.ports.values()].filter(({ device_id: id }) => id === device);
  }

  removePorts(device: string): void {
    for (const { id } of this.portsOf(device)) {
      this.ports.delete(id);
      for (const each of this.floatingIps.values()) if (each.port_id === id) each.port_id = null;
    }
  }

  readonly #routes: readonly Route[] = [
    [/^GET \/networks$/u, (exchange) => this.#list("networks", this.networks.map(networkForm), exchange)],
    [/^GET \/subnets$/u, (exchange) => this.#list("subnets", this.networks.flatMap(subnetForms), exchange)],
    [/^GET \/ports$/u, (exchange) => this.#list("ports", [...this.ports.values()].map(portForm), exchange)],
    [
      /^GET \/floatingips$/u,
      (exchange) => this.#list("floatingips", [...this.floatingIps.values()].map(this.#floatingForm), exchange),
    ],
    [/^POST \/floatingips$/u, ({ body }) => this.#makeFloatingIp(fieldsOf(fieldsOf(body)["floatingip"]))],
    [
      /^GET \/floatingips\/([^/]+)$/u,
      (_e, id) => this.#known("floatingip", "FloatingIP", this.floatingIps.get(id), this.#floatingForm),
    ],
    [/^PUT \/floatingips\/([^/]+)$/u, ({ body }, id) => this.#moveFloatingIp(id, fieldsOf(fieldsOf(body)["floatingip"]))],
    [/^DELETE \/floatingips\/([^/]+)$/u, (_e, id) => (this.floatingIps.delete(id) ? nothing : unknown("FloatingIP", id))],
    [/^GET \/security-groups$/u, (exchange) => this.#list("security_groups", [...this.groups.values()].map(groupForm), exchange)],
    [/^POST \/security-groups$/u, ({ body }) => this.#makeGroup(fieldsOf(fieldsOf(body)["security_group"]))],
    [
      /^GET \/security-groups\/([^/]+)$/u,
      (_e, id) => this.#known("security_group", "SecurityGroup", this.groups.get(id), groupForm),
    ],
    [/^DELETE \/security-groups\/([^/]+)$/u, (_e, id) => this.#removeGroup(id)],
    [/^POST \/security-group-rules$/u, ({ body }) => this.#makeRule(fieldsOf(fieldsOf(body)["security_group_rule"]))],
    [
      /^PUT \/(floatingips|security-groups)\/([^/]+)\/tags$/u,
      ({ body }, kind, id) => this.#tag(kind, id, fieldsOf(body)["tags"]),
    ],
    [/^GET \/quotas\/([^/]+)\/details(?:\.json)?$/u, (_e, id) => this.#quota(id)],
  ];

  async answer(exchange: Exchange): Promise<Answer | undefined> {
    return await routed(this.#routes, exchange);
  }

  /** By the query's own members. */
  #list(member: string, all: readonly Json[], { query }: Exchange): Answer {
    const wanted = [...query].filter(([key]) => key !== "limit" && key !== "marker");
    const found = all.filter((each) => wanted.every(([key, value]) => String(each[key]) === value));
    return ok(paged(this.#shelf, member, found, query));
  }

  #known<Thing>(member: string, type: string, thing: Thing | undefined, form: (thing: Thing) => object): Answer {
    return thing === undefined ? unknown(type, member) : ok({ [member]: form(thing) });
  }

  readonly #floatingForm = (each: FakeFloatingIp): Json => {
    const port = this.ports.get(each.port_id ?? "");
    return {
      ...each,
      status: port === undefined ? "DOWN" : "ACTIVE",
      fixed_ip_address: port?.addresses[4] ?? null,
      router_id: port === undefined ? null : "55555555-2222-4333-8444-000000000001",
      port_details: null,
      ...{ project_id: projectId, tenant_id: projectId, revision_number: 0 },
      ...{ created_at: "2026-11-01T00:00:00Z", updated_at: "2026-11-01T00:00:00Z" },
    };
  };

  #makeFloatingIp({ floating_network_id: networkId, port_id: portId, description }: Json): Answer {
    const network = this.networks.find(({ id }) => id === networkId);
    if (network === undefined) return unknown("Network", textOf(networkId), "NetworkNotFound");
    if (!network.external)
      return refusedByNeutron(
        400,
        "BadRequest",
        `Bad floatingip request: Network ${network.id} is not a valid external network.`,
      );
    const problem = portId === undefined || portId === null ? undefined : this.#portProblem(textOf(portId), network.id);
    if (problem !== undefined) return problem;
    if (this.floatingIps.size >= this.floatingIpLimit) return overQuota("floatingip");
    if (this.isExhausted)
      return refusedByNeutron(409, "IpAddressGenerationFailure", `No more IP addresses available on network ${network.id}.`);
    const made = this.addFloatingIp(textOf(description), textOf(portId) || null);
    return ok({ floatingip: this.#floatingForm(made) }, 201);
  }

  #portProblem(portId: string, networkId: string): Answer | undefined {
    const port = this.ports.get(portId);
    if (port === undefined) return unknown("Port", portId, "PortNotFound");
    const network = this.networks.find(({ id }) => id === port.network_id);
    if (network?.routed !== true)
      return refusedByNeutron(
        404,
        "ExternalGatewayForFloatingIPNotFound",
        `External network ${networkId} is not reachable from subnet ${network?.subnets[4]}.  Therefore, cannot associate Port ${portId} with a Floating IP.`,
      );
    const taken = [...this.floatingIps.values()].find((each) => each.port_id === portId);
    if (taken === undefined) return undefined;
    return refusedByNeutron(
      409,
      "FloatingIPPortAlreadyAssociated",
      `Cannot associate floating IP ${taken.floating_ip_address} (${taken.id}) with port ${portId} using fixed IP ${port.addresses[4]}, as that fixed IP already has a floating IP on external network ${networkId}.`,
    );
  }

  #moveFloatingIp(id: string, { port_id: portId }: Json): Answer {
    const found = this.floatingIps.get(id);
    if (found === undefined) return unknown("FloatingIP", id);
    const problem = typeof portId === "string" ? this.#portProblem(portId, found.floating_network_id) : undefined;
    if (problem !== undefined) return problem;
    found.port_id = textOf(portId) || null;
    return ok({ floatingip: this.#floatingForm(found) });
  }

  #makeGroup({ name, description }: Json): Answer {
    if (this.groups.size >= this.groupLimit) return overQuota("security_group");
    return ok({ security_group: groupForm(this.addGroup(textOf(name), textOf(description))) }, 201);
  }

  #removeGroup(id: string): Answer {
    const group = this.groups.get(id);
    if (group === undefined) return unknown("SecurityGroup", id);
    const isUsed = [...this.ports.values()].some(({ security_groups: groups }) => groups.includes(id));
    if (isUsed) return refusedByNeutron(409, "SecurityGroupInUse", `Security Group ${id} in use.`);
    if (group.name === "default")
      return refusedByNeutron(
        409,
        "SecurityGroupCannotRemoveDefault",
        "Insufficient rights for removing default security group.",
      );
    this.groups.delete(id);
    return nothing;
  }

  #makeRule(given: Json): Answer {
    const group = this.groups.get(textOf(given["security_group_id"]));
    if (group === undefined) return unknown("SecurityGroup", textOf(given["security_group_id"]));
    const range = textOf(given["remote_ip_prefix"]);
    if (range !== "" && range.includes(":") !== (given["ethertype"] === "IPv6"))
      return refusedByNeutron(
        400,
        "SecurityGroupRuleParameterConflict",
        `Conflicting value ethertype ${textOf(given["ethertype"])} for CIDR ${range}`,
      );
    const rule = ruleOf(group.id, given);
    const same = group.rules.find((each) => keyOf(each) === keyOf(rule));
    if (same !== undefined)
      return refusedByNeutron(
        409,
        "SecurityGroupRuleExists",
        `Security group rule already exists. Rule id is ${textOf(same["id"])}.`,
      );
    group.rules.push(rule);
    return ok({ security_group_rule: rule }, 201);
  }

  #tag(kind: string, id: string, tags: unknown): Answer {
    if (!this.hasTags)
      return { status: 404, body: { message: "The resource could not be found.", code: "404 Not Found", title: "Not Found" } };
    const found = kind === "floatingips" ? this.floatingIps.get(id) : this.groups.get(id);
    if (found === undefined) return unknown("TagResource", id);
    found.tags = tags as readonly string[];
    return ok({ tags });
  }

  #quota(project: string): Answer {
    if (!this.tellsQuota || project !== projectId)
      return refusedByNeutron(403, "PolicyNotAuthorized", "rule:get_quota is disallowed by policy");
    const detail = (limit: number, used: number): object => ({ limit, used, reserved: 0 });
    return ok({
      quota: {
        floatingip: detail(this.floatingIpLimit, this.floatingIps.size),
        security_group: detail(this.groupLimit, this.groups.size),
      },
    });
  }
}

function overQuota(resource: string): Answer {
  return refusedByNeutron(409, "OverQuota", `Quota exceeded for resources: ['${resource}'].`);
}

function unknown(type: string, id: string, code = `${type}NotFound`): Answer {
  return refusedByNeutron(404, code, `${type} ${id} could not be found`);
}

function networkForm({ id, name, shared, external, subnets }: FakeNetwork): Json {
  const more = {
    mtu: 1_450,
    port_security_enabled: true,
    availability_zones: ["nova"],
    revision_number: 1,
    tags: [],
    description: "",
  };
  const state = { status: "ACTIVE", admin_state_up: true, project_id: projectId, tenant_id: projectId };
  return { id, name, shared, "router:external": external, subnets: Object.values(subnets), ...state, ...more };
}

function subnetForms({ id: network, subnets }: FakeNetwork): readonly Json[] {
  return Object.entries(subnets).map(([version, id]) => ({
    ...{ id, name: "", network_id: network, ip_version: Number(version), project_id: projectId, tenant_id: projectId },
    ...{
      cidr: version === "4" ? "10.0.0.0/24" : "2001:db8::/64",
      enable_dhcp: true,
      gateway_ip: version === "4" ? "10.0.0.1" : "2001:db8::1",
    },
  }));
}

function portForm({ id, device_id: device, network_id: network, security_groups: groups, addresses }: FakePort): Json {
  const fixed = Object.values(addresses).map((ip) => ({ subnet_id: "", ip_address: ip }));
  const state = {
    status: "ACTIVE",
    admin_state_up: true,
    name: "",
    description: "",
    project_id: projectId,
    tenant_id: projectId,
  };
  return {
    id,
    device_id: device,
    device_owner: "compute:nova",
    network_id: network,
    security_groups: groups,
    fixed_ips: fixed,
    ...state,
  };
}

function groupForm({ rules, ...group }: FakeGroup): Json {
  const state = { project_id: projectId, tenant_id: projectId, revision_number: 1, stateful: true, shared: false };
  return {
    ...group,
    security_group_rules: rules,
    ...state,
    created_at: "2026-11-01T00:00:00Z",
    updated_at: "2026-11-01T00:00:00Z",
  };
}

function ruleOf(group: string, given: Json): Json {
  const blank = { protocol: null, port_range_min: null, port_range_max: null, remote_ip_prefix: null, remote_group_id: null };
  return {
    id: randomUUID(),
    ethertype: "IPv4",
    ...blank,
    description: "",
    ...given,
    security_group_id: group,
    project_id: projectId,
  };
}

function keyOf(rule: Json): string {
  return JSON.stringify(
    ["direction", "ethertype", "protocol", "port_range_min", "port_range_max", "remote_ip_prefix"].map((key) => rule[key]),
  );
}

/** Only members of the group itself are let in. */
function defaultRules(): readonly Json[] {
  return [ruleOf("default", { direction: "ingress", remote_group_id: "default" })];
}
