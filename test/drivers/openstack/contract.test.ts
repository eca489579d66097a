/** The contract of drivers, and a whole life: what is asked of OpenStack, and what the record says of it. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { fieldsOf, type Json } from "./answers.ts";
import { ids } from "./catalogue.ts";
import { account } from "./fake-keystone.ts";
import { FakeOpenStack } from "./fake-openstack.ts";
import type { FakeServer } from "./fake-nova.ts";
import { configOf } from "../driver-scene.ts";
import { everything, fakeFlags, openScene, prefixed, recordOf016, resourcesOf, placelessComputer } from "./scene.ts";

const machineName = "contract-1";

describeDriverContract(
  "openstack",
  async () => {
    const cloud = await FakeOpenStack.start();
    // Pages are for the tests of their own.
    cloud.shelf.pageSize = 100;
    cloud.nova.addServer(machineName, { "docker-machine-create-id": "another" });
    cloud.nova.addKeyPair(machineName, "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= theirs");
    cloud.neutron.addGroup(`docker-machine-${machineName}`, "docker-machine:another");
    cloud.neutron.addFloatingIp();
    cloud.cinder.add(`${machineName}-data`, 1);
    const foreign = new Set(cloud.nova.servers.keys());
    const own = (): FakeServer | undefined => [...cloud.nova.servers.values()].find(({ id }) => !foreign.has(id));
    return {
      module: driverModule,
      flags: {
        ...fakeFlags(cloud),
        ...prefixed(everything),
      },
      context: { clock: new HastyClock(), computer: placelessComputer },
      resources: () => resourcesOf(cloud),
      address: () =>
        [...cloud.neutron.floatingIps.values()].find(({ description }) => description !== "")?.floating_ip_address ?? "",
      loseInstance: () => {
        const { id = "" } = own() ?? {};
        cloud.nova.servers.delete(id);
        cloud.neutron.removePorts(id);
        cloud.cinder.release(id);
      },
      records: [
        JSON.stringify(recordOf016({ MachineId: "7" })),
        JSON.stringify(recordOf016({ SecurityGroups: ["default"], UserData: "IyEvYmluL3No" })),
      ],
      [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
    };
  },
  { refusedFlags: prefixed({ "net-name": "a", "net-id": "b" }), lifecycle: { timeoutMs: 120_000 } },
);

test("a server is asked for with all that was wished, a key pair of its own and host keys", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked({
    "image-name": "debian",
    "availability-zone": "nova",
    "server-group-name": "apart",
    "sec-groups": "default",
    metadata: "team,web,tier,front end",
    "config-drive": true,
    region: "RegionOne",
    "endpoint-type": "internalURL",
  });
  await driver.create(signal);
  const [asked] = cloud.nova.asked;
  const { user_data: userData, key_name: key, ...rest } = fieldsOf(asked?.["server"]);
  assert.deepEqual(rest, {
    name: "web",
    flavorRef: "2",
    imageRef: ids.image(7),
    config_drive: true,
    networks: [{ uuid: ids.network(1) }],
    metadata: { team: "web", tier: "front end", "docker-machine-create-id": "test-web" },
    security_groups: [{ name: "default" }],
    availability_zone: "nova",
    tags: ["docker-machine:test-web"],
  });
  assert.deepEqual(asked?.["os:scheduler_hints"], { group: "33333333-2222-4333-8444-000000000001" });
  assert.match(String(key), /^web-[0-9a-f]{8}$/u);
  assert.deepEqual([...cloud.nova.keyPairs.keys()], [key]);
  const { users, ssh_keys: hostKeys, disable_root: refusesRoot } = cloudConfigOf(userData);
  assert.deepEqual([users[0], users[1]?.name, refusesRoot], ["default", "root", false]);
  assert.ok(hostKeys["ed25519_private"]?.includes("PRIVATE KEY"));
  const known = (await driver.hostKeys?.()) ?? [];
  assert.ok(hostKeys["ed25519_public"]?.startsWith(String(known[0])));
  assert.equal(driver.hostKeysExposed, true);
  // The private halves are gone from here once the server has them.
  assert.deepEqual((await readdir(scene.context.machineDir)).toSorted(), ["id_ed25519", "id_ed25519.pub"]);
});

test("a create asks no more than it must, and for one token", async () => {
  await using scene = await openScene();
  scene.cloud.shelf.pageSize = 100;
  await scene.running();
  const { requests } = scene.cloud;
  assert.deepEqual(requests, [
    ...["POST identity/auth/tokens", "GET compute/", "GET compute/flavors/detail", "GET image/images", "GET compute/limits"],
    ...["GET network/networks", "GET network/subnets", "GET network/security-groups"],
    ...["POST compute/os-keypairs", "POST compute/servers", "GET compute/servers/detail"],
    ...requests.slice(11),
  ]);
  assert.deepEqual(new Set(requests.slice(11)).size, 1, requests.slice(11).join());
});

test("addresses are those that the provider tells: fixed, floating, of either version", async () => {
  for (const [flags, pattern] of [
    [{}, /^10\.0\.0\./u],
    [{ "ip-version": 6 }, /^2001:db8::/u],
    [{ "floatingip-pool": "public" }, /^203\.0\.113\./u],
    [{ "floatingip-pool": ids.network(2) }, /^203\.0\.113\./u],
  ] as const) {
    await using scene = await openScene();
    const { cloud } = scene;
    const driver = await scene.running({ ...flags, "ssh-port": 2222, "ssh-user": "debian" });
    assert.match(await driver.getIp(), pattern);
    const host = (await driver.getIp()).includes(":") ? `[${await driver.getIp()}]` : await driver.getIp();
    assert.equal(await driver.getUrl(), `tcp://${host}:2376`);
    assert.deepEqual([await driver.getSshPort(), await driver.getSshUsername()], [2222, "debian"]);
    const heard = cloud.requests.length;
    const later = await scene.reopened(driver);
    assert.equal(await later.getIp(), await driver.getIp());
    assert.equal(cloud.requests.length, heard, "an address is told from the record");
  }
});

test("of several networks the one that was named is taken, by name or id", async () => {
  for (const flags of [{ "net-name": "second" }, { "net-id": ids.network(3) }]) {
    await using scene = await openScene();
    scene.cloud.neutron.networks.push({
      id: ids.network(3),
      name: "second",
      shared: false,
      external: false,
      routed: true,
      subnets: { 4: ids.network(103) },
    });
    const driver = await scene.running(flags);
    assert.deepEqual(serverOf(scene.cloud.nova.asked)["networks"], [{ uuid: ids.network(3) }]);
    assert.equal((await configOf(driver))["NetworkName"], "second");
  }
});

test("a floating address is the machine's own, tagged, and goes with it; others' stay though nobody uses them", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const idle = cloud.neutron.addFloatingIp();
  const driver = await scene.running({ "floatingip-pool": "public", metadata: "team,web" });
  const [own] = [...cloud.neutron.floatingIps.values()].filter(({ id }) => id !== idle.id);
  assert.equal(await driver.getIp(), own?.floating_ip_address);
  assert.deepEqual([own?.description, own?.tags], ["docker-machine:test-web", ["docker-machine:test-web", "team=web"]]);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, [`floating IP ${idle.floating_ip_address}`]);
});

test("a security group is there before the server, lets in what was said, and goes with it", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked({
    "open-cidr": ["203.0.113.7", "2001:db8::/32"],
    "open-port": ["80", "8000-8100/udp"],
    "swarm-master": true,
    metadata: "team,web",
  });
  await driver.create(signal);
  const order = cloud.requests.filter((request) => /^POST (?:network\/security-groups|compute)/u.test(request));
  assert.deepEqual(order, ["POST compute/os-keypairs", "POST network/security-groups", "POST compute/servers"]);
  const group = [...cloud.neutron.groups.values()].find(({ name }) => name !== "default");
  assert.match(group?.name ?? "", /^docker-machine-web-[0-9a-f]{8}$/u);
  assert.deepEqual([group?.description, group?.tags], ["docker-machine:test-web", ["docker-machine:test-web", "team=web"]]);
  assert.deepEqual(serverOf(cloud.nova.asked)["security_groups"], [{ name: "default" }, { name: group?.id }]);
  const inbound = (group?.rules ?? []).filter(({ direction }) => direction === "ingress");
  const told = (rule: Json): string =>
    [rule["protocol"], rule["port_range_min"], rule["port_range_max"], rule["remote_ip_prefix"]].map(String).join(" ");
  const ports = ["tcp 22 22", "tcp 2376 2376", "tcp 80 80", "udp 8000 8100"];
  assert.deepEqual(inbound.map(told), [
    ...ports.map((port) => `${port} 203.0.113.7/32`),
    "icmp null null 203.0.113.7/32",
    ...ports.map((port) => `${port} 2001:db8::/32`),
    "ipv6-icmp null null 2001:db8::/32",
  ]);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("no group is made unless one is asked for: it is said where nobody is let in; one for everybody is warned of", async () => {
  await using scene = await openScene();
  await scene.running();
  assert.equal(scene.cloud.neutron.groups.size, 1);
  assert.ok(
    scene.lines().some((line) => /No rule of the security group default lets anybody in at port 22 and 2376/u.test(line)),
  );
  await using open = await openScene();
  await open.running({ "open-port": ["80"] });
  assert.equal(open.cloud.neutron.groups.size, 2);
  assert.ok(open.lines().some((line) => line.includes("lets everybody in")));
});

test("root on a volume: Nova makes it, of the size and type that were wished, and it goes with the server", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running({
    "flavor-name": "v1.small",
    "boot-from-volume": true,
    "volume-type": "ssd",
    "volume-size": 30,
  });
  const { block_device_mapping_v2: devices, imageRef } = serverOf(cloud.nova.asked);
  const root = { boot_index: 0, uuid: ids.image(6), source_type: "image", destination_type: "volume", volume_size: 30 };
  assert.deepEqual([devices, imageRef], [[{ ...root, volume_type: "ssd", delete_on_termination: true }], undefined]);
  assert.deepEqual(
    [...cloud.cinder.volumes.values()].map(({ size, type }) => [size, type]),
    [[30, "ssd"]],
  );
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
  await using other = await openScene();
  await other.running({ "boot-from-volume": true });
  assert.equal([...other.cloud.cinder.volumes.values()][0]?.size, 20, "as large as the flavor's own disk unless told");
});

test("a data volume is made, attached and removed; the user's own is attached and stays", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running({
    "volume-size": 7,
    "volume-type": "ssd",
    "volume-device-path": "/dev/vdc",
    metadata: "team,web",
  });
  const [made] = cloud.cinder.volumes.values();
  assert.deepEqual([made?.name, made?.size, made?.type, made?.status], ["web-data", 7, "ssd", "in-use"]);
  assert.deepEqual(made?.metadata, { team: "web", "docker-machine-create-id": "test-web" });
  assert.equal(made?.server, [...cloud.nova.servers.keys()][0]);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
  const own = cloud.cinder.add("mine", 3);
  await using other = await openScene();
  const theirs = other.cloud.cinder.add("mine", 3);
  const second = await other.running({ "volume-id": theirs.id });
  assert.equal(theirs.status, "in-use");
  await second.remove(other.signal);
  assert.deepEqual([other.cloud.resources, own.status], [["volume mine"], "available"]);
});

test("stop says what it costs; verbs on what is so already do nothing; what Nova calls otherwise is started in its way", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running();
  const actions = (): number => cloud.requests.filter((request) => request.endsWith("/action")).length;
  await driver.start(signal);
  assert.equal(actions(), 0);
  await driver.stop(signal);
  assert.ok(scene.lines().some((line) => line.includes("its price")));
  assert.equal(await driver.getState(signal), "Stopping");
  await driver.stop(signal);
  await driver.kill(signal);
  assert.equal(await driver.getState(signal), "Stopped");
  assert.equal(actions(), 1);
  const [server] = cloud.nova.servers.values();
  for (const [status, state] of [
    ["SHUTOFF", "Stopped"],
    ["PAUSED", "Paused"],
    ["SUSPENDED", "Saved"],
    ["SHELVED_OFFLOADED", "Stopped"],
  ] as const) {
    Object.assign(server ?? {}, { status });
    assert.equal(await driver.getState(signal), state);
    await driver.start(signal);
    while ((await driver.getState(signal)) !== "Running") assert.ok(cloud.requests.length < 200);
  }
  await driver.restart(signal);
  assert.deepEqual([server?.status, server?.task], ["ACTIVE", null], "restart returns when it is through");
});

test("on a Nova of before the tags, and on one without microversions", async () => {
  for (const newest of [1, 2, 40, 60]) {
    await using scene = await openScene();
    scene.cloud.nova.newest = newest;
    const driver = await scene.running({ "volume-size": 1 });
    assert.equal(serverOf(scene.cloud.nova.asked)["tags"] !== undefined, newest >= 52);
    await driver.remove(scene.signal);
    assert.deepEqual(scene.cloud.resources, []);
  }
});

test("tokens are asked for again: before they end, and where they were revoked", async () => {
  await using scene = await openScene();
  const { cloud, clock, signal } = scene;
  const driver = await scene.running();
  assert.equal(cloud.keystone.given, 1);
  cloud.keystone.revokeTokens();
  assert.equal(await driver.getState(signal), "Running");
  assert.equal(cloud.keystone.given, 2);
  await clock.sleep((cloud.keystone.tokenSeconds - 30) * 1_000);
  const heard = cloud.requests.length;
  assert.equal(await driver.getState(signal), "Running");
  assert.deepEqual([cloud.keystone.given, cloud.requests.length - heard], [3, 2], "none is begun with that ends soon");
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("nothing that is secret is in the record but where flags put it", async () => {
  await using scene = await openScene();
  const driver = await scene.running();
  const { Password, ...rest } = await configOf(driver);
  assert.equal(Password, account.password);
  assert.doesNotMatch(JSON.stringify([rest, scene.test.events]), /gAAAAAB|correct-horse|x7Qe9TzKp2Lm|PRIVATE KEY/u);
});

function serverOf(asked: readonly Json[]): Json {
  return fieldsOf(asked[0]?.["server"]);
}

function cloudConfigOf(userData: unknown): {
  readonly users: readonly [string, { readonly name: string }];
  readonly ssh_keys: Readonly<Record<string, string>>;
  readonly disable_root: boolean;
} {
  const text = Buffer.from(String(userData), "base64").toString("utf8");
  assert.ok(text.startsWith("#cloud-config\n"));
  return JSON.parse(text.slice(text.indexOf("\n"))) as ReturnType<typeof cloudConfigOf>;
}
