/** Records of 0.16.2 and of Rancher's fork: opened, answered from, removed, and written back as those tools read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/digitalocean/index.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { describeRecordOrder } from "../old-records.ts";
import { openScene, recordOf016, type Scene } from "./scene.ts";

function open(scene: Scene, record: object): Driver {
  return driverModule.open(scene.context, JSON.stringify(record));
}

describeRecordOrder(driverModule, openScene, recordOf016());

test("a machine of 0.16.2 answers, follows its address, and is removed with its key", async () => {
  await using scene = await openScene({ createId: undefined });
  const { cloud, signal } = scene;
  const droplet = cloud.addForeignDroplet("web", ["a", "b"]);
  droplet.status = "active";
  droplet.publicAddress = "192.0.2.99";
  const key = cloud.addKey("web", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= web");
  const stored = recordOf016({ ApiUrl: scene.cloud.url, DropletID: droplet.id, SSHKeyID: key.id });
  const driver = open(scene, stored);
  assert.equal(await driver.getIp(), "192.0.2.7");
  assert.equal(await driver.getUrl(), "tcp://192.0.2.7:2376");
  assert.equal(await driver.getSshKeyPath(), stored["SSHKeyPath"]);
  assert.equal(await driver.hostKeys?.(), "none");
  assert.equal(driver.hostKeysExposed, false);
  const written = await configOf(driver);
  for (const [field, value] of Object.entries(stored)) assert.deepEqual(written[field], value, field);
  assert.deepEqual(Object.keys(written).slice(0, 24), Object.keys(stored).slice(0, 24));
  assert.equal(await driver.getState(signal), "Running");
  await driver.locate?.(signal);
  assert.equal(await driver.getIp(), "192.0.2.99");
  const kinds = await driver.findResources?.(signal);
  assert.deepEqual(kinds, [
    { kind: "instance", id: String(droplet.id) },
    { kind: "ssh-key", id: String(key.id) },
  ]);
  await driver.remove(signal);
  assert.deepEqual([cloud.droplets.size, cloud.keys.size, [...cloud.tags]], [0, 0, ["a", "b"]]);
});

test("a key that 0.16.2 was told to use stays", async () => {
  await using scene = await openScene({ createId: undefined });
  const { cloud, signal } = scene;
  const droplet = cloud.addForeignDroplet("web");
  const key = cloud.addKey("mine", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= mine");
  const record = recordOf016({
    ApiUrl: scene.cloud.url,
    DropletID: droplet.id,
    SSHKeyID: key.id,
    SSHKeyFingerprint: key.fingerprint,
    SSHKeyPath: "",
  });
  const driver = open(scene, record);
  assert.equal(await driver.getSshKeyPath(), "");
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, ["key mine"]);
});

test("one of Rancher's has its addresses, and keeps what only Rancher knows", async () => {
  await using scene = await openScene({ createId: undefined });
  const { IPAddress, ...rest } = recordOf016({
    ApiUrl: scene.cloud.url,
    DropletID: 7,
    Hostname: "x",
    PrivateIPAddress: "10.0.0.7",
  });
  const stored = { IPAddress, IPv6Address: "2001:db8::7", ...rest };
  const driver = open(scene, stored);
  const written = await configOf(driver);
  assert.deepEqual(Object.keys(written).slice(0, Object.keys(stored).length), Object.keys(stored));
  assert.deepEqual([written["IPv6Address"], written["Hostname"], written["PrivateIPAddress"]], ["2001:db8::7", "x", "10.0.0.7"]);
});

test("what a save of 0.16.2 drops of ours is found again by the droplet's number", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked();
  await driver.create(signal);
  // Its API's address is the fake's.
  const { Resources, HostKeys, RequestedAt, ...kept } = await configOf(driver);
  assert.ok(Resources !== undefined && HostKeys !== undefined && RequestedAt !== "");
  await open(scene, kept).remove(signal);
  assert.deepEqual([cloud.droplets.size, cloud.keys.size], [0, 0]);
});

test("MACHINE_COMPAT=0.16 asks for the old image unless another is given", async () => {
  const compat = { ...bareComputer, env: { MACHINE_COMPAT: "0.16" } };
  await using scene = await openScene({ computer: compat });
  assert.equal((await configOf(await scene.configured()))["Image"], "ubuntu-16-04-x64");
  assert.equal((await configOf(await scene.configured({ "digitalocean-image": "debian" })))["Image"], "debian");
});

test("flags that are wrong or do not go together are refused by name", async () => {
  await using scene = await openScene();
  for (const [flags, sentence] of [
    [{ "digitalocean-ssh-key-path": "/k" }, /^ssh-key-fingerprint needs to be provided for "\/k"$/u],
    [{ "digitalocean-ssh-key-fingerprint": "SHA256:abc" }, /--digitalocean-ssh-key-fingerprint "SHA256:abc" is not an MD5/u],
    [{ "digitalocean-tags": "a b" }, /--digitalocean-tags "a b" is not a list of tags/u],
    [{ "digitalocean-ssh-port": 0 }, /--digitalocean-ssh-port 0 is too small: 1 is the least/u],
    [{ "digitalocean-open-port": ["80"] }, /--digitalocean-open-port needs --digitalocean-open-cidr/u],
    [{ "digitalocean-open-cidr": ["everywhere"] }, /--digitalocean-open-cidr "everywhere" is no range/u],
    [{ "digitalocean-open-cidr": ["::/0"], "digitalocean-open-port": ["x"] }, /invalid port number x/u],
    [{ "digitalocean-ipv6": true, "digitalocean-private-address-only": true }, /exclude each other/u],
    [{ "digitalocean-api-url": "api.digitalocean.com" }, /is not a URL/u],
  ] as const) {
    const driver = driverModule.open(scene.context, undefined);
    await assert.rejects(driver.setConfigFromFlags(optionsOf(driverModule, flags)), {
      code: "driver-options",
      message: sentence,
    });
  }
});
