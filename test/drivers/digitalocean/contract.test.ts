/** The contract of drivers, and a whole life: what is asked of DigitalOcean, and what the record says of it. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/digitalocean/index.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { FakeDigitalOcean } from "./fake-digitalocean.ts";
import type { FakeDroplet } from "./forms.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { fakeFlags, openScene, recordOf016, resourcesOf } from "./scene.ts";

const machineName = "contract-1";

describeDriverContract(
  "digitalocean",
  async () => {
    const cloud = await FakeDigitalOcean.start();
    cloud.addForeignDroplet(machineName, ["docker-machine:another"]);
    cloud.addKey(machineName, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= theirs");
    const foreign = new Set(cloud.droplets.keys());
    const own = (): FakeDroplet | undefined => [...cloud.droplets.values()].find(({ id }) => !foreign.has(id));
    return {
      module: driverModule,
      flags: { ...fakeFlags(cloud), "digitalocean-open-cidr": ["203.0.113.0/24"] },
      context: { clock: new HastyClock(), computer: bareComputer },
      resources: () => resourcesOf(cloud),
      address: () => own()?.publicAddress ?? "",
      loseInstance: () => void cloud.droplets.delete(own()?.id ?? 0),
      records: [JSON.stringify(recordOf016({ DropletID: 7, SSHKeyID: 8 })), JSON.stringify({ ...recordOf016(), Tags: null })],
      [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
    };
  },
  { refusedFlags: { "digitalocean-ssh-key-path": "/no/fingerprint" }, lifecycle: { timeoutMs: 60_000 } },
);

test("a droplet is asked for with all that was wished, a key of its own and host keys", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked({
    "digitalocean-image": "debian",
    "digitalocean-region": "fra1",
    "digitalocean-size": "s-2vcpu-2gb",
    "digitalocean-ipv6": true,
    "digitalocean-backups": true,
    "digitalocean-monitoring": true,
    "digitalocean-tags": "team:a, ci",
    "digitalocean-vpc-uuid": "e0fe0f4d-596a-465e-a902-571ce57b79fa",
  });
  await driver.create(signal);
  const [asked] = cloud.asked as Readonly<Record<string, unknown>>[];
  const { user_data: userData, ssh_keys: keys, ...rest } = asked ?? {};
  assert.deepEqual(rest, {
    name: "web",
    region: "fra1",
    size: "s-2vcpu-2gb",
    image: "debian-13-x64",
    ipv6: true,
    backups: true,
    monitoring: true,
    with_droplet_agent: false,
    tags: ["docker-machine:test-web", "team:a", "ci"],
    vpc_uuid: "e0fe0f4d-596a-465e-a902-571ce57b79fa",
  });
  assert.deepEqual(keys, [...cloud.keys.keys()]);
  const { users, ssh_keys: hostKeys, disable_root: refusesRoot } = cloudConfigOf(userData);
  assert.deepEqual(users[0], "default");
  assert.equal(users[1]?.name, "root");
  assert.equal(refusesRoot, false);
  assert.ok(hostKeys["ed25519_private"]?.includes("PRIVATE KEY"));
  const known = (await driver.hostKeys?.()) ?? [];
  assert.ok(hostKeys["ed25519_public"]?.startsWith(String(known[0])));
  assert.equal(driver.hostKeysExposed, true);
  // The private halves are gone from here once the droplet has them.
  assert.deepEqual((await readdir(scene.context.machineDir)).toSorted(), ["id_ed25519", "id_ed25519.pub"]);
  assert.deepEqual(cloud.requests, [
    ...["GET /v2/account", "GET /v2/regions", "GET /v2/images", "GET /v2/vpcs"],
    ...["POST /v2/account/keys", "POST /v2/droplets", "GET /v2/droplets"],
  ]);
});

test("addresses are those that the provider tells, public or private as wished", async () => {
  for (const [flags, pattern] of [
    [{}, /^192\.0\.2\./u],
    [{ "digitalocean-use-private-address": true }, /^10\.10\.10\./u],
    [{ "digitalocean-private-address-only": true }, /^10\.10\.10\./u],
  ] as const) {
    await using scene = await openScene();
    const { cloud, signal } = scene;
    cloud.actionReads = 3;
    const driver = await scene.checked({ ...flags, "digitalocean-ssh-port": 2222 });
    await driver.create(signal);
    assert.equal(await driver.getState(signal), "Starting");
    while ((await driver.getState(signal)) !== "Running") assert.ok(cloud.requests.length < 50);
    await driver.locate?.(signal);
    assert.match(await driver.getIp(), pattern);
    assert.equal(await driver.getUrl(), `tcp://${await driver.getIp()}:2376`);
    assert.deepEqual([await driver.getSshPort(), await driver.getSshUsername()], [2222, "root"]);
    const heard = cloud.requests.length;
    const later = await scene.reopened(driver);
    assert.equal(await later.getIp(), await driver.getIp());
    assert.equal(cloud.requests.length, heard, "an address is told from the record");
    const { PrivateIPAddress } = await configOf(later);
    assert.match(String(PrivateIPAddress), /^10\.10\.10\./u);
  }
});

test("a firewall is there before the droplet, lets in what was said, and goes with it", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked({
    "digitalocean-open-cidr": ["203.0.113.7", "2001:db8::/32"],
    "digitalocean-open-port": ["80", "8000-8100/udp"],
    "swarm-master": true,
    "swarm-host": "tcp://0.0.0.0:3376",
  });
  await driver.create(signal);
  const order = cloud.requests.filter((request) => request.startsWith("POST"));
  assert.deepEqual(order, ["POST /v2/account/keys", "POST /v2/tags", "POST /v2/firewalls", "POST /v2/droplets"]);
  const [firewall] = cloud.firewalls.values();
  assert.match(firewall?.name ?? "", /^docker-machine-web-[0-9a-f]{8}$/u);
  assert.deepEqual(firewall?.tags, ["docker-machine:test-web:firewall"]);
  assert.deepEqual([...cloud.droplets.values()][0]?.tags, ["docker-machine:test-web", "docker-machine:test-web:firewall"]);
  const inbound = firewall?.rules["inbound_rules"] as { protocol: string; ports: string; sources: object }[];
  assert.deepEqual(
    inbound.map(({ protocol, ports }) => `${protocol} ${ports}`),
    ["tcp 22", "tcp 2376", "tcp 3376", "tcp 80", "udp 8000-8100", "icmp 0"],
  );
  for (const { sources } of inbound) assert.deepEqual(sources, { addresses: ["203.0.113.7/32", "2001:db8::/32"] });
  const kinds = (await driver.findResources?.(signal))?.map(({ kind }) => kind).toSorted();
  assert.deepEqual(kinds, ["firewall", "instance", "ssh-key", "tag", "tag"]);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("no firewall is made unless one is asked for; one for everybody is warned of", async () => {
  await using scene = await openScene();
  await (await scene.checked()).create(scene.signal);
  assert.equal(scene.cloud.firewalls.size, 0);
  await using open = await openScene();
  await (await open.checked({ "digitalocean-open-cidr": ["0.0.0.0/0"] })).create(open.signal);
  assert.ok(open.lines().some((line) => line.includes("lets everybody in")));
});

test("stop says what it costs; verbs on what is so already do nothing", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked();
  await driver.create(signal);
  while ((await driver.getState(signal)) !== "Running") assert.ok(cloud.requests.length < 50);
  await driver.start(signal);
  assert.equal(cloud.requests.filter((request) => request.endsWith("/actions")).length, 0);
  await driver.stop(signal);
  assert.ok(scene.lines().some((line) => line.includes("is billed")));
  await driver.stop(signal);
  await driver.kill(signal);
  assert.equal(await driver.getState(signal), "Stopped");
  assert.equal(cloud.requests.filter((request) => request.endsWith("/actions")).length, 1);
});

function cloudConfigOf(userData: unknown): {
  readonly users: readonly [string, { readonly name: string }];
  readonly ssh_keys: Readonly<Record<string, string>>;
  readonly disable_root: boolean;
} {
  const text = String(userData);
  assert.ok(text.startsWith("#cloud-config\n"));
  return JSON.parse(text.slice(text.indexOf("\n"))) as ReturnType<typeof cloudConfigOf>;
}
