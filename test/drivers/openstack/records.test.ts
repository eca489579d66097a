/** Records of 0.16.2 and of Rancher's fork: opened, answered from, removed, and written back as those tools read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { driverModule } from "../../../src/drivers/openstack/index.ts";
import { privateNetwork } from "./catalogue.ts";
import { configOf } from "../driver-scene.ts";
import { describeRecordOrder, savedBy016 } from "../old-records.ts";
import { openScene, recordOf016, type Scene } from "./scene.ts";

function open(scene: Scene, record: object): Driver {
  return driverModule.open(scene.context, JSON.stringify(record));
}

describeRecordOrder(driverModule, openScene, recordOf016());

test("a machine of 0.16.2 answers, follows its address, is switched and removed with its key pair", async () => {
  await using scene = await openScene({ createId: undefined });
  const { cloud, signal } = scene;
  const server = cloud.nova.addServer("web");
  cloud.neutron.addPort(server.id, privateNetwork, [], { 4: "10.0.0.99" });
  cloud.nova.addKeyPair("web-4f1c", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= web");
  const stored = recordOf016({ AuthUrl: cloud.authUrl, MachineId: server.id });
  const driver = open(scene, stored);
  assert.equal(await driver.getIp(), "192.0.2.7");
  assert.equal(await driver.getUrl(), "tcp://192.0.2.7:2376");
  assert.equal(await driver.getSshKeyPath(), stored["SSHKeyPath"]);
  assert.equal(await driver.getSshUsername(), "ubuntu");
  assert.deepEqual([await driver.hostKeys?.(), driver.hostKeysExposed], ["none", false]);
  const written = await configOf(driver);
  for (const [field, value] of Object.entries(stored)) assert.deepEqual(written[field], value, field);
  assert.equal(await driver.getState(signal), "Running");
  await driver.locate?.(signal);
  assert.equal(await driver.getIp(), "10.0.0.99");
  await driver.stop(signal);
  const kinds = await driver.findResources?.(signal);
  assert.deepEqual(kinds, [
    { kind: "instance", id: server.id },
    { kind: "key-pair", id: "web-4f1c" },
  ]);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("a key pair that 0.16.2 was told to use stays, and so does the floating address it took", async () => {
  await using scene = await openScene({ createId: undefined });
  const { cloud, signal } = scene;
  const server = cloud.nova.addServer("web");
  const port = cloud.neutron.addPort(server.id, privateNetwork, [], { 4: "10.0.0.99" });
  const floating = cloud.neutron.addFloatingIp("", port.id);
  cloud.nova.addKeyPair("mine", "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQA= mine");
  const more = { ExistingKey: true, KeyPairName: "mine", FloatingIpPool: "public", NetworkId: port.network_id };
  const driver = open(scene, recordOf016({ AuthUrl: cloud.authUrl, MachineId: server.id, ...more }));
  await driver.locate?.(signal);
  assert.equal(await driver.getIp(), floating.floating_ip_address);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, ["key pair mine", `floating IP ${floating.floating_ip_address}`]);
  assert.ok(scene.lines().some((line) => line.includes(`${floating.floating_ip_address} stays in the project`)));
});

test("one of Rancher's is read in its spelling, keeps what only Rancher knows, and is removed", async () => {
  await using scene = await openScene({ createId: undefined });
  const { cloud, signal } = scene;
  const server = cloud.nova.addServer("web");
  const { DomainID: _theirs, ...rest } = recordOf016({ AuthUrl: cloud.authUrl, MachineId: server.id, DomainName: "" });
  const rancher = {
    ...rest,
    ...{ DomainId: "default", UserId: "", TenantDomainName: "", TenantDomainId: "", UserDomainName: "", UserDomainId: "" },
    ...{ ApplicationCredentialId: "", ApplicationCredentialName: "", ApplicationCredentialSecret: "" },
    ...{ BootFromVolume: false, VolumeName: "", VolumeDevicePath: "", VolumeId: "", VolumeType: "", VolumeSize: 0 },
    FromRancher: { a: [1] },
  };
  const driver = open(scene, rancher);
  const written = await configOf(driver);
  assert.deepEqual(Object.keys(written).slice(0, Object.keys(rancher).length), Object.keys(rancher));
  for (const [field, value] of Object.entries(rancher)) assert.deepEqual(written[field], value, field);
  assert.equal(written["DomainID"], "default");
  await driver.stop(signal);
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, []);
});

test("what a save of 0.16.2 drops of ours is found again by the server's id", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.running();
  await (await savedBy016(driverModule, scene, driver)).remove(signal);
  assert.deepEqual(cloud.resources, []);
});
