/** The fake itself: it keeps what it makes, has DigitalOcean's states and faults, and sees what does not fit its description. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeDigitalOcean, fakeToken } from "./fake-digitalocean.ts";
import type { FakeDroplet } from "./forms.ts";
import { misfitsOfAnswer } from "./vendor-schema.ts";

interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, never>>;
}

async function ask(cloud: FakeDigitalOcean, request: string, body?: object, token = fakeToken): Promise<Reply> {
  const [method = "", path = ""] = request.split(" ");
  const response = await fetch(cloud.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? {} : JSON.parse(text)) as Reply["body"] };
}

const wish = { name: "one", region: "nyc3", size: "s-1vcpu-1gb", image: "debian-13-x64" };

async function made(cloud: FakeDigitalOcean, more: object = {}): Promise<number> {
  const { status, body } = await ask(cloud, "POST /v2/droplets", { ...wish, ...more });
  assert.equal(status, 202);
  return (body["droplet"] as unknown as FakeDroplet).id;
}

async function statusOf(cloud: FakeDigitalOcean, id: number): Promise<string> {
  return ((await ask(cloud, `GET /v2/droplets/${id}`)).body["droplet"] as unknown as FakeDroplet).status;
}

test("a droplet is new, then active, then off, then gone", async () => {
  await using cloud = await FakeDigitalOcean.start();
  const id = await made(cloud);
  const seen = new Set<string>();
  for (let look = 0; look < 4; look += 1) seen.add(await statusOf(cloud, id));
  assert.deepEqual([...seen], ["new", "active"]);
  const action = await ask(cloud, `POST /v2/droplets/${id}/actions`, { type: "shutdown" });
  assert.equal(action.status, 201);
  assert.equal((await ask(cloud, `POST /v2/droplets/${id}/actions`, { type: "power_on" })).status, 422);
  while ((await statusOf(cloud, id)) !== "off") assert.ok(cloud.requests.length < 20);
  assert.equal((await ask(cloud, `DELETE /v2/droplets/${id}`)).status, 204);
  assert.equal((await ask(cloud, `GET /v2/droplets/${id}`)).status, 404);
});

test("lists go by tag and name, and by pages", async () => {
  await using cloud = await FakeDigitalOcean.start();
  cloud.dropletLimit = 100;
  for (const name of ["one", "two", "two"]) await made(cloud, { name, tags: [`t:${name}`] });
  const list = async (query: string): Promise<{ readonly droplets: unknown[]; readonly links: { pages?: { next: string } } }> =>
    (await ask(cloud, `GET /v2/droplets?${query}`)).body as never;
  assert.equal((await list("tag_name=t:two")).droplets.length, 2);
  assert.equal((await list("name=one")).droplets.length, 1);
  const first = await list("per_page=2");
  assert.equal(first.droplets.length, 2);
  const { droplets, links } = await list(new URL(first.links.pages?.next ?? "").search.slice(1));
  assert.deepEqual([droplets.length, links.pages], [1, undefined]);
});

test("keys are known by number and fingerprint, and taken once; a removed tag leaves its droplets", async () => {
  await using cloud = await FakeDigitalOcean.start();
  const key = { name: "k", public_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== k" };
  const { id, fingerprint } = (await ask(cloud, "POST /v2/account/keys", key)).body["ssh_key"] as unknown as {
    id: number;
    fingerprint: string;
  };
  assert.equal((await ask(cloud, "POST /v2/account/keys", key)).status, 422);
  for (const name of [id, fingerprint]) assert.equal((await ask(cloud, `GET /v2/account/keys/${name}`)).status, 200);
  assert.equal((await ask(cloud, "POST /v2/droplets", { ...wish, ssh_keys: [id + 99] })).status, 422);
  await made(cloud, { ssh_keys: [fingerprint], tags: ["t"] });
  await ask(cloud, "DELETE /v2/tags/t");
  assert.deepEqual([...cloud.droplets.values()][0]?.tags, []);
  const firewall = { name: "fw1", tags: ["t"], inbound_rules: [], outbound_rules: [] };
  assert.equal((await ask(cloud, "POST /v2/firewalls", firewall)).status, 422);
});

test("faults: lost, unheard, doubled, hidden, refused, and held", async () => {
  await using cloud = await FakeDigitalOcean.start();
  const post = /^POST \/v2\/droplets$/u;
  const sizes = async (fault: Parameters<FakeDigitalOcean["fault"]>[1]): Promise<readonly [string, number]> => {
    cloud.droplets.clear();
    cloud.fault(post, fault);
    const outcome = await ask(cloud, "POST /v2/droplets", wish).then(
      ({ status }) => String(status),
      () => "broken",
    );
    return [outcome, cloud.droplets.size];
  };
  assert.deepEqual(await sizes({ kind: "lost" }), ["broken", 1]);
  assert.deepEqual(await sizes({ kind: "unheard" }), ["broken", 0]);
  assert.deepEqual(await sizes({ kind: "doubled" }), ["202", 2]);
  assert.deepEqual(await sizes({ kind: "refused", status: 500, id: "server_error", message: "" }), ["500", 0]);
  assert.deepEqual(await sizes({ kind: "refused", status: 500, id: "server_error", message: "", done: true }), ["500", 1]);
  assert.deepEqual(await sizes({ kind: "hidden", lists: 1 }), ["202", 1]);
  const shown = async (): Promise<number> =>
    ((await ask(cloud, "GET /v2/droplets")).body["droplets"] as unknown as unknown[]).length;
  assert.deepEqual([await shown(), await shown()], [0, 1]);
  const held = cloud.hold(/^GET \/v2\/account$/u);
  const asked = ask(cloud, "GET /v2/account");
  await held.reached;
  held.release();
  assert.equal((await asked).status, 200);
  assert.equal((await ask(cloud, "GET /v2/account", undefined, "other")).status, 401);
});

test("what the vendor does not describe is seen in requests and in answers", async () => {
  const cloud = await FakeDigitalOcean.start();
  for (const [request, body, misfit] of [
    ["POST /v2/droplets", { ...wish, image: true }, /\/image must be/u],
    ["POST /v2/droplets", { ...wish, name: "under_score" }, /\/name must match pattern/u],
    ["POST /v2/account/keys", { name: "k" }, /must have required property 'public_key'/u],
    ["GET /v2/droplets?owner=me", undefined, /takes no owner/u],
    ["GET /v2/balance", undefined, /is not described/u],
  ] as const) {
    assert.equal((await ask(cloud, request, body)).status, 422, request);
    assert.match(cloud.takeMisfits().join(" "), misfit);
  }
  const exchange = { method: "GET", url: new URL("http://x/v2/account"), body: undefined };
  assert.match(misfitsOfAnswer(exchange, 200, { account: { email: "a" } }).join(" "), /required property 'droplet_limit'/u);
  assert.match(misfitsOfAnswer(exchange, 204, undefined).join(" "), /never answered with 204/u);
  await ask(cloud, "GET /v2/balance");
  await assert.rejects(async () => await cloud[Symbol.asyncDispose](), /GET \/v2\/balance is not described/u);
});
