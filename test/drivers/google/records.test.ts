/** Records of 0.16.2, Rancher's and GitLab's Docker Machine: read, worked on, written back as they read them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/google/index.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { fakeFlags, openScene } from "./scene.ts";

const base = {
  IPAddress: "203.0.113.9",
  MachineName: "web",
  SSHUser: "docker-user",
  SSHPort: 22,
  SSHKeyPath: "",
  StorePath: "/home/me/.docker/machine",
  SwarmMaster: false,
  SwarmHost: "tcp://0.0.0.0:3376",
  SwarmDiscovery: "",
};
const own = {
  Zone: "us-central1-a",
  MachineType: "n1-standard-1",
  MachineImage: "ubuntu-os-cloud/global/images/ubuntu-1604-xenial-v20170721",
  DiskType: "pd-standard",
  Address: "",
  Network: "default",
  Subnetwork: "",
  Preemptible: false,
  UseInternalIP: false,
  UseInternalIPOnly: false,
  ServiceAccount: "default",
  Scopes: "https://www.googleapis.com/auth/devstorage.read_only",
  DiskSize: 10,
  Project: "acme-123",
  Tags: "",
  UseExisting: false,
  OpenPorts: null,
};
const records = {
  "0.16.2": { ...base, ...own },
  "rancher's": {
    ...base,
    Auth: "",
    ...own,
    Labels: "team,a,stage,ci",
    ExternalFirewallRulePrefix: "",
    InternalFirewallRulePrefix: "",
    Userdata: "#cloud-config\n",
  },
  "gitlab's": {
    ...base,
    ...own,
    MinCPUPlatform: "",
    Labels: ["team:a", "stage:ci"],
    Metadata: { colour: "blue" },
    MetadataFromFile: {},
    Accelerator: "",
    MaintenancePolicy: "",
    SkipFirewall: false,
    OperationBackoffFactory: { InitialInterval: 1_000_000_000, RandomizationFactor: 0.5, Multiplier: 2 },
  },
};

for (const [tool, record] of Object.entries(records)) {
  test(`a record of ${tool} answers, is worked on, and keeps what it had`, async () => {
    await using scene = await openScene({ createId: undefined });
    const { cloud, context, signal } = scene;
    cloud.addForeign("web");
    const endpoint = { Endpoint: `${cloud.provider.url}/compute/v1`, Auth: cloud.credentials };
    const driver = driverModule.open(context, JSON.stringify({ ...record, ...endpoint }));
    const config = await configOf(driver);
    for (const [key, value] of Object.entries(record)) if (key !== "Auth") assert.deepEqual(config[key], value, key);
    assert.deepEqual(Object.keys(config).slice(0, Object.keys(record).length), Object.keys(record));
    assert.deepEqual(config["VmLabels"], tool === "0.16.2" ? [] : ["team=a", "stage=ci"]);
    assert.equal(await driver.getUrl(), "tcp://203.0.113.9:2376");
    assert.equal(await driver.getState(signal), "Running");
    await driver.stop(signal);
    assert.equal(await driver.getState(signal), "Stopped");
    await driver.start(signal);
    Object.assign(cloud.instances.get("web") ?? {}, { networkInterfaces: [{ accessConfigs: [{ natIP: "203.0.113.77" }] }] });
    await driver.locate?.(signal);
    assert.equal(await driver.getIp(), "203.0.113.77", "no host keys are waited for");
    await driver.remove(signal);
    assert.deepEqual(cloud.resources, []);
  });
}

test("a record of a machine that took an instance over removes nothing", async () => {
  await using scene = await openScene({ createId: undefined });
  const { cloud, context, signal } = scene;
  cloud.addForeign("web");
  const endpoint = { Endpoint: `${cloud.provider.url}/compute/v1`, Auth: cloud.credentials };
  const driver = driverModule.open(context, JSON.stringify({ ...records["0.16.2"], UseExisting: true, ...endpoint }));
  await driver.remove(signal);
  assert.equal(cloud.instances.size, 1);
});

test("a new record begins with 0.16.2's keys in their order; its old defaults can be had", async () => {
  const computer = { ...bareComputer, env: { MACHINE_COMPAT: "0.16" } };
  await using scene = await openScene({ computer });
  const driver = driverModule.open(scene.context, undefined);
  await driver.setConfigFromFlags(optionsOf(driverModule, fakeFlags(scene.cloud)));
  const config = await configOf(driver);
  const keys = Object.keys({ ...base, ...own });
  assert.deepEqual(Object.keys(config).slice(0, keys.length), keys);
  assert.deepEqual(
    [config["MachineType"], config["DiskType"], config["MachineImage"]],
    [own.MachineType, own.DiskType, own.MachineImage],
  );
  assert.deepEqual(new Set(driverModule.newKeys), new Set(Object.keys(config).slice(keys.length)));
});
