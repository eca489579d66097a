/**
 * What OpenStack's API reference (https://docs.openstack.org/api-ref/) takes in the requests that the fake knows: the
 * query, the members of bodies with their types, those that must be there, and from which of Nova's microversions on.
 * Other members are refused, as Nova, Neutron and Cinder refuse them.
 */
import { Ajv, type ValidateFunction } from "ajv";
import type { Exchange } from "./answers.ts";

type Schema = Readonly<Record<string, unknown>>;

interface Described {
  readonly query?: readonly string[];
  readonly body?: (version: number) => Schema;
}

const text: Schema = { type: "string" };
const name: Schema = { type: "string", minLength: 1, maxLength: 255 };
const uuid: Schema = { type: "string", pattern: "^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$" };
const port: Schema = { type: ["integer", "null"], minimum: 1, maximum: 65_535 };

function object(properties: Readonly<Record<string, Schema>>, ...required: readonly string[]): Schema {
  return { type: "object", properties, required, additionalProperties: false };
}

function listOf(items: Schema, more: Schema = {}): Schema {
  return { type: "array", items, ...more };
}

const metadata: Schema = {
  type: "object",
  propertyNames: { pattern: "^[a-zA-Z0-9-_:. ]{1,255}$" },
  additionalProperties: { type: "string", maxLength: 255 },
};

const paging = ["limit", "marker"];

const blockDevice = (version: number): Schema =>
  object(
    {
      boot_index: { type: ["integer", "string", "null"] },
      uuid,
      source_type: { enum: ["volume", "image", "snapshot", "blank"] },
      destination_type: { enum: ["local", "volume"] },
      volume_size: { type: ["integer", "string"] },
      delete_on_termination: { type: "boolean" },
      device_name: text,
      ...(version >= 67 ? { volume_type: { type: ["string", "null"] } } : {}),
    },
    "source_type",
  );

const server = (version: number): Schema =>
  object(
    {
      name,
      flavorRef: name,
      // "" is for a root that is a volume.
      imageRef: { type: "string" },
      key_name: name,
      user_data: { type: "string", maxLength: 65_535, contentEncoding: "base64" },
      config_drive: { type: "boolean" },
      metadata,
      availability_zone: name,
      security_groups: listOf(object({ name }, "name"), { uniqueItems: true }),
      block_device_mapping_v2: listOf(blockDevice(version)),
      networks: listOf(object({ uuid, port: uuid, fixed_ip: text })),
      ...(version >= 52 ? { tags: listOf({ type: "string", maxLength: 60, pattern: "^[^,/]*$" }, { maxItems: 50 }) } : {}),
    },
    "name",
    "flavorRef",
    // Must be said since nobody takes it for granted any more.
    ...(version >= 37 ? ["networks"] : []),
  );

const actions: readonly Schema[] = [
  ...["os-start", "os-stop", "unpause", "resume", "unshelve"].map((action) => object({ [action]: { type: "null" } }, action)),
  object({ reboot: object({ type: { enum: ["SOFT", "HARD"] } }, "type") }, "reboot"),
];

const rule = object(
  {
    security_group_id: uuid,
    direction: { enum: ["ingress", "egress"] },
    ethertype: { enum: ["IPv4", "IPv6"] },
    protocol: { enum: ["tcp", "udp", "icmp", "ipv6-icmp", null] },
    port_range_min: port,
    port_range_max: port,
    remote_ip_prefix: { type: ["string", "null"] },
    remote_group_id: { type: ["string", "null"] },
    description: text,
  },
  "security_group_id",
  "direction",
);

const domain = object({ id: name, name });
const user = object({ id: name, name, domain, password: text });
const identity = object(
  {
    methods: listOf({ enum: ["password", "token", "application_credential"] }, { minItems: 1 }),
    password: object({ user: { ...user, required: ["password"] } }, "user"),
    token: object({ id: name }, "id"),
    application_credential: object({ id: name, name, secret: name, user }, "secret"),
  },
  "methods",
);

const volume = object(
  { name, size: { type: "integer", minimum: 1 }, metadata, volume_type: name, availability_zone: name, description: text },
  "size",
);

/** By `SERVICE METHOD /path`. */
const described: readonly (readonly [RegExp, Described])[] = [
  [
    /^identity POST \/auth\/tokens$/u,
    {
      body: () =>
        object(
          { auth: object({ identity, scope: object({ project: object({ id: name, name, domain }) }) }, "identity") },
          "auth",
        ),
    },
  ],
  [/^compute GET \/$/u, {}],
  [/^compute GET \/flavors\/detail$/u, { query: [...paging, "is_public", "minRam", "minDisk"] }],
  [/^compute GET \/limits$/u, { query: ["reserved", "tenant_id"] }],
  [/^compute GET \/os-availability-zone$/u, {}],
  [/^compute GET \/os-server-groups$/u, { query: ["limit", "offset", "marker", "all_projects"] }],
  [
    /^compute POST \/os-keypairs$/u,
    {
      body: (version) =>
        object(
          { keypair: object({ name, public_key: text, ...(version >= 2 ? { type: { enum: ["ssh", "x509"] } } : {}) }, "name") },
          "keypair",
        ),
    },
  ],
  [/^compute GET \/os-keypairs\/[^/]+$/u, { query: ["user_id"] }],
  [/^compute DELETE \/os-keypairs\/[^/]+$/u, { query: ["user_id"] }],
  [/^compute GET \/servers\/detail$/u, { query: [...paging, "name", "status", "tags", "flavor", "image"] }],
  [
    /^compute POST \/servers$/u,
    { body: (version) => object({ server: server(version), "os:scheduler_hints": object({ group: uuid }) }, "server") },
  ],
  [/^compute GET \/servers\/[^/]+$/u, {}],
  [/^compute DELETE \/servers\/[^/]+$/u, {}],
  [/^compute POST \/servers\/[^/]+\/action$/u, { body: () => ({ oneOf: actions }) }],
  [/^compute GET \/servers\/[^/]+\/os-volume_attachments$/u, { query: ["limit", "offset"] }],
  [
    /^compute POST \/servers\/[^/]+\/os-volume_attachments$/u,
    {
      body: () =>
        object(
          { volumeAttachment: object({ volumeId: uuid, device: { type: "string", pattern: "^/dev/" } }, "volumeId") },
          "volumeAttachment",
        ),
    },
  ],
  [/^network GET \/networks$/u, { query: [...paging, "id", "name", "router:external", "shared", "status", "project_id"] }],
  [/^network GET \/subnets$/u, { query: [...paging, "id", "name", "network_id", "ip_version", "project_id"] }],
  [/^network GET \/ports$/u, { query: [...paging, "id", "name", "device_id", "network_id", "project_id"] }],
  [
    /^network GET \/floatingips$/u,
    { query: [...paging, "id", "description", "port_id", "floating_network_id", "project_id", "status"] },
  ],
  [
    /^network POST \/floatingips$/u,
    {
      body: () =>
        object(
          {
            floatingip: object(
              { floating_network_id: uuid, port_id: { type: ["string", "null"] }, description: text },
              "floating_network_id",
            ),
          },
          "floatingip",
        ),
    },
  ],
  [
    /^network PUT \/floatingips\/[^/]+$/u,
    { body: () => object({ floatingip: object({ port_id: { type: ["string", "null"] }, description: text }) }, "floatingip") },
  ],
  [/^network (?:GET|DELETE) \/(?:floatingips|security-groups)\/[^/]+$/u, {}],
  [/^network GET \/security-groups$/u, { query: [...paging, "id", "name", "description", "project_id"] }],
  [
    /^network POST \/security-groups$/u,
    {
      body: () =>
        object(
          {
            security_group: object({ name: { type: "string", maxLength: 255 }, description: { type: "string", maxLength: 255 } }),
          },
          "security_group",
        ),
    },
  ],
  [/^network POST \/security-group-rules$/u, { body: () => object({ security_group_rule: rule }, "security_group_rule") }],
  [
    /^network PUT \/(?:floatingips|security-groups)\/[^/]+\/tags$/u,
    { body: () => object({ tags: listOf({ type: "string", maxLength: 60 }) }, "tags") },
  ],
  [/^network GET \/quotas\/[^/]+\/details(?:\.json)?$/u, {}],
  [/^image GET \/images$/u, { query: [...paging, "name", "status", "visibility", "sort", "os_hidden"] }],
  [/^image GET \/images\/[^/]+$/u, {}],
  [/^volume GET \/types$/u, { query: [...paging, "is_public"] }],
  [/^volume GET \/volumes\/detail$/u, { query: [...paging, "name", "status", "metadata"] }],
  [/^volume POST \/volumes$/u, { body: () => object({ volume }, "volume") }],
  [/^volume GET \/volumes\/[^/]+$/u, {}],
  [/^volume DELETE \/volumes\/[^/]+$/u, { query: ["cascade", "force"] }],
];

/** In words; empty where all fits. */
export function misfitsOf(service: string, { method, path, query, body, version }: Exchange): readonly string[] {
  const request = `${service} ${method} ${path}`;
  const [pattern, found] = described.find(([each]) => each.test(request)) ?? [];
  if (found === undefined) return [`${request} is not described`];
  const unknown = [...query.keys()].filter((key) => !(found.query ?? []).includes(key));
  const { body: schemaOf } = found;
  const wrong = schemaOf === undefined ? unwanted(body) : misfits(`${String(pattern)} ${version}`, () => schemaOf(version), body);
  return [...unknown.map((key) => `${request} takes no ${key}`), ...wrong.map((each) => `${request}: ${each}`)];
}

function unwanted(body: unknown): readonly string[] {
  return body === undefined ? [] : ["it takes no body"];
}

const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
const compiled = new Map<string, ValidateFunction>();

/** @param request what it is the schema of, with Nova's version */
function misfits(request: string, schema: () => Schema, value: unknown): readonly string[] {
  const validate = compiled.get(request) ?? ajv.compile(schema());
  compiled.set(request, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || "it"} ${message} ${JSON.stringify(params)}`,
  );
}
