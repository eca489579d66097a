/** The fake itself: it keeps what it makes, has OpenStack's states, dependencies and faults, and sees what does not fit the API reference. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldsOf, refusedByNova, type Json } from "./answers.ts";
import { ids, networks } from "./catalogue.ts";
import { account } from "./fake-keystone.ts";
import { FakeOpenStack } from "./fake-openstack.ts";

interface Reply {
  readonly status: number;
  readonly body: Json;
}

class Client {
  readonly #cloud: FakeOpenStack;
  token = "";
  version = 67;

  constructor(cloud: FakeOpenStack) {
    this.#cloud = cloud;
  }

  static async open(cloud: FakeOpenStack): Promise<Client> {
    const client = new Client(cloud);
    const user = { name: account.user, domain: { name: account.domain }, password: account.password };
    const scope = { project: { name: account.project, domain: { id: account.domainId } } };
    const response = await fetch(`${cloud.authUrl}/v3/auth/tokens`, {
      method: "POST",
      body: JSON.stringify({ auth: { identity: { methods: ["password"], password: { user } }, scope } }),
    });
    assert.equal(response.status, 201);
    client.token = response.headers.get("x-subject-token") ?? "";
    return client;
  }

  async ask(request: string, body?: object): Promise<Reply> {
    const [method = "", path = ""] = request.split(" ");
    const response = await fetch(this.#cloud.url + path, {
      method,
      headers: { "x-auth-token": this.token, "openstack-api-version": `compute 2.${this.version}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as Json) : { text } };
  }

  async made(more: object = {}): Promise<string> {
    const wish = {
      name: "one",
      flavorRef: "2",
      imageRef: ids.image(6),
      key_name: "k",
      networks: [{ uuid: networks[0]?.id }],
      ...more,
    };
    const { status, body } = await this.ask("POST /compute/v2.1/servers", { server: wish });
    assert.equal(status, 202, JSON.stringify(body));
    return String(fieldsOf(body["server"])["id"]);
  }

  async server(id: string): Promise<Json> {
    return fieldsOf((await this.ask(`GET /compute/v2.1/servers/${id}`)).body["server"]);
  }

  async until(id: string, status: string): Promise<Json> {
    for (let look = 0; look < 20; look += 1) {
      const server = await this.server(id);
      if (server["status"] === status && server["OS-EXT-STS:task_state"] === null) return server;
    }
    throw new Error(`${id} did not come to be ${status}`);
  }
}

async function opened(): Promise<{ cloud: FakeOpenStack; client: Client } & AsyncDisposable> {
  const cloud = await FakeOpenStack.start();
  cloud.nova.addKeyPair("k", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== k");
  return { cloud, client: await Client.open(cloud), [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose]() };
}

test("a server is built, has a port, is switched, and goes with its port", async () => {
  await using made = await opened();
  const { client, cloud } = made;
  const id = await client.made({ metadata: { a: "b" }, tags: ["t"] });
  assert.equal((await client.server(id))["status"], "BUILD");
  const built = await client.until(id, "ACTIVE");
  assert.deepEqual([built["metadata"], built["tags"]], [{ a: "b" }, ["t"]]);
  const { ports } = (await client.ask(`GET /network/v2.0/ports?device_id=${id}`)).body as {
    ports: { fixed_ips: { ip_address: string }[] }[];
  };
  const addresses = Object.values(fieldsOf(built["addresses"])).flat() as { addr: string }[];
  assert.deepEqual(
    addresses.map(({ addr }) => addr),
    ports[0]?.fixed_ips.map(({ ip_address: ip }) => ip),
  );
  assert.equal((await client.ask(`POST /compute/v2.1/servers/${id}/action`, { "os-stop": null })).status, 202);
  const busy = await client.ask(`POST /compute/v2.1/servers/${id}/action`, { "os-start": null });
  assert.deepEqual([busy.status, /task_state powering-off/u.test(JSON.stringify(busy.body))], [409, true]);
  await client.until(id, "SHUTOFF");
  const off = await client.ask(`POST /compute/v2.1/servers/${id}/action`, { "os-stop": null });
  assert.match(JSON.stringify(off.body), /while it is in vm_state stopped/u);
  assert.equal((await client.ask(`DELETE /compute/v2.1/servers/${id}`)).status, 204);
  while ((await client.ask(`GET /compute/v2.1/servers/${id}`)).status === 200) assert.ok(cloud.requests.length < 50);
  assert.equal(cloud.neutron.ports.size, 0);
});

test("a group goes after its server, a volume too; a port has one floating address, which outlives it", async () => {
  await using made = await opened();
  const { client, cloud } = made;
  const group = fieldsOf(
    (await client.ask("POST /network/v2.0/security-groups", { security_group: { name: "g" } })).body["security_group"],
  )["id"];
  const rule = {
    security_group_id: group,
    direction: "ingress",
    ethertype: "IPv4",
    protocol: "tcp",
    port_range_min: 22,
    port_range_max: 22,
  };
  assert.equal((await client.ask("POST /network/v2.0/security-group-rules", { security_group_rule: rule })).status, 201);
  assert.equal((await client.ask("POST /network/v2.0/security-group-rules", { security_group_rule: rule })).status, 409);
  const id = await client.made({ security_groups: [{ name: "g" }] });
  await client.until(id, "ACTIVE");
  assert.equal((await client.ask(`DELETE /network/v2.0/security-groups/${String(group)}`)).status, 409);
  const [port] = cloud.neutron.ports.keys();
  const wish = { floatingip: { floating_network_id: networks[1]?.id, port_id: port } };
  assert.equal((await client.ask("POST /network/v2.0/floatingips", wish)).status, 201);
  assert.equal((await client.ask("POST /network/v2.0/floatingips", wish)).status, 409);
  const volume = String(
    fieldsOf(
      (await client.ask("POST /volume/v3/b5a3f0c2e7d64d0f9a4c1b2d3e4f5a6b/volumes", { volume: { size: 1 } })).body["volume"],
    )["id"],
  );
  const ofVolume = `/volume/v3/b5a3f0c2e7d64d0f9a4c1b2d3e4f5a6b/volumes/${volume}`;
  assert.equal((await client.ask(`DELETE ${ofVolume}`)).status, 400, "while it is made");
  while (cloud.cinder.volumes.get(volume)?.status !== "available") await client.ask(`GET ${ofVolume}`);
  await client.ask(`POST /compute/v2.1/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: volume } });
  assert.equal((await client.ask(`DELETE ${ofVolume}`)).status, 400, "while it is attached");
  await client.ask(`DELETE /compute/v2.1/servers/${id}`);
  while (cloud.nova.servers.size > 0) await client.server(id);
  assert.equal([...cloud.neutron.floatingIps.values()][0]?.port_id, null);
  assert.equal((await client.ask(`DELETE /network/v2.0/security-groups/${String(group)}`)).status, 204);
  assert.equal((await client.ask(`DELETE ${ofVolume}`)).status, 202);
});

test("names are regular expressions, lists have pages, and tags select", async () => {
  await using made = await opened();
  const { client } = made;
  for (const name of ["bob", "bobb", "alice"]) await client.made({ name, tags: [`t-${name}`] });
  const names = async (query: string): Promise<string[]> =>
    ((await client.ask(`GET /compute/v2.1/servers/detail?${query}`)).body["servers"] as { name: string }[]).map(
      ({ name }) => name,
    );
  assert.deepEqual((await names("name=bob")).toSorted(), ["bob", "bobb"]);
  assert.deepEqual(await names("name=%5Ebob%24"), ["bob"]);
  assert.deepEqual(await names("tags=t-alice"), ["alice"]);
  const first = await client.ask("GET /compute/v2.1/servers/detail");
  const page = first.body["servers"] as { id: string; name: string }[];
  assert.equal(page.length, 2);
  assert.ok("servers_links" in first.body);
  assert.equal((await names(`marker=${page[1]?.id}`)).length, 1);
});

test("microversions: what a version does not know is refused, and a newer one than there is", async () => {
  await using made = await opened();
  const { client, cloud } = made;
  const wish = { name: "one", flavorRef: "2", imageRef: ids.image(6), key_name: "k" };
  for (const [version, more, status] of [
    [51, { tags: ["t"], networks: [] }, 400],
    [36, {}, 202],
    [37, {}, 400],
    [66, { networks: [], block_device_mapping_v2: [{ source_type: "image", uuid: ids.image(6), volume_type: "ssd" }] }, 400],
    [94, { networks: [] }, 406],
  ] as const) {
    client.version = version;
    assert.equal(
      (await client.ask("POST /compute/v2.1/servers", { server: { ...wish, ...more } })).status,
      status,
      String(version),
    );
  }
  cloud.takeMisfits();
});

test("tokens: none, wrong ones and ended ones are refused; wrong passwords give none", async () => {
  let now = Date.now();
  await using cloud = await FakeOpenStack.start({ now: () => now });
  const client = await Client.open(cloud);
  const flavors = "GET /compute/v2.1/flavors/detail";
  assert.equal((await client.ask(flavors)).status, 200);
  now += cloud.keystone.tokenSeconds * 1_000;
  assert.equal((await client.ask(flavors)).status, 401);
  client.token = "guessed";
  assert.equal((await client.ask(flavors)).status, 401);
  const user = { name: account.user, domain: { id: "other" }, password: account.password };
  const auth = { identity: { methods: ["password"], password: { user } } };
  assert.equal((await client.ask("POST /identity/v3/auth/tokens", { auth })).status, 401);
});

test("faults: lost, unheard, doubled, hidden, refused, and held", async () => {
  await using made = await opened();
  const { client, cloud } = made;
  const post = /^POST compute\/servers$/u;
  const outcome = async (fault: Parameters<FakeOpenStack["fault"]>[1]): Promise<readonly [string, number]> => {
    cloud.nova.servers.clear();
    cloud.fault(post, fault);
    const wish = { name: "one", flavorRef: "2", imageRef: ids.image(6), key_name: "k", networks: [] };
    const told = await client.ask("POST /compute/v2.1/servers", { server: wish }).then(
      ({ status }) => String(status),
      () => "broken",
    );
    return [told, cloud.nova.servers.size];
  };
  const answer = refusedByNova(500, "no");
  assert.deepEqual(await outcome({ kind: "lost" }), ["broken", 1]);
  assert.deepEqual(await outcome({ kind: "unheard" }), ["broken", 0]);
  assert.deepEqual(await outcome({ kind: "doubled" }), ["202", 2]);
  assert.deepEqual(await outcome({ kind: "refused", answer }), ["500", 0]);
  assert.deepEqual(await outcome({ kind: "refused", answer, done: true }), ["500", 1]);
  assert.deepEqual(await outcome({ kind: "hidden", lists: 1 }), ["202", 1]);
  const shown = async (): Promise<number> =>
    ((await client.ask("GET /compute/v2.1/servers/detail")).body["servers"] as unknown[]).length;
  assert.deepEqual([await shown(), await shown()], [0, 1]);
  const held = cloud.hold(/^GET compute\/limits$/u);
  const asked = client.ask("GET /compute/v2.1/limits");
  await held.reached;
  held.release();
  assert.equal((await asked).status, 200);
});

test("what the API reference does not have is seen: members, types, queries, requests", async () => {
  const cloud = await FakeOpenStack.start();
  const client = await Client.open(cloud);
  const wish = { name: "one", flavorRef: "2", imageRef: ids.image(6), networks: [] };
  for (const [request, body, misfit] of [
    ["POST /compute/v2.1/servers", { server: { ...wish, size: "large" } }, /additional properties .*"size"/u],
    ["POST /compute/v2.1/servers", { server: { ...wish, metadata: { a: 1 } } }, /\/server\/metadata\/a must be string/u],
    ["POST /compute/v2.1/servers", { server: { name: "one", networks: [] } }, /required property 'flavorRef'/u],
    ["POST /compute/v2.1/servers", { server: { ...wish, networks: [{ uuid: "private" }] } }, /uuid must match pattern/u],
    ["POST /compute/v2.1/servers/1/action", { "os-stop": {} }, /must match exactly one schema/u],
    ["POST /network/v2.0/floatingips", { floatingip: { pool: "public" } }, /floating_network_id/u],
    [
      "POST /network/v2.0/security-group-rules",
      { security_group_rule: { protocol: "tcp" } },
      /required property 'security_group_id'/u,
    ],
    ["POST /volume/v3/b5a3f0c2e7d64d0f9a4c1b2d3e4f5a6b/volumes", { volume: { size: "1" } }, /\/volume\/size must be integer/u],
    ["GET /compute/v2.1/servers/detail?owner=me", undefined, /takes no owner/u],
    ["GET /compute/v2.1/os-floating-ips", undefined, /is not described/u],
  ] as const) {
    assert.equal((await client.ask(request, body)).status, 400, request);
    assert.match(cloud.takeMisfits().join(" "), misfit);
  }
  await client.ask("GET /image/v2/tasks");
  await assert.rejects(async () => await cloud[Symbol.asyncDispose](), /image GET \/tasks is not described/u);
});
