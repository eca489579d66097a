/** The contract of drivers, its crashes, and a whole life: what is asked of Google, and what the record says of it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { driverModule } from "../../../src/drivers/google/index.ts";
import { crashMachineName, describeDriverCrashes } from "../../../src/testing/crash-suite.ts";
import { describeDriverContract } from "../../../src/testing/driver-contract.ts";
import { optionsOf } from "../../../src/testing/flag-values.ts";
import { HastyClock } from "../../support/hasty-clock.ts";
import { FakeCompute } from "./fake-compute.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { fakeFlags, openScene } from "./scene.ts";

describe("google", () => {
  let cloud: FakeCompute;
  before(async () => {
    cloud = await FakeCompute.start();
  });
  after(async () => {
    assert.deepEqual(cloud.resources, []);
    await cloud[Symbol.asyncDispose]();
  });

  describeDriverContract(
    "google",
    async () => ({
      module: driverModule,
      flags: { ...fakeFlags(cloud), "google-open-cidr": ["203.0.113.0/24", "2001:db8::/32"] },
      context: { clock: new HastyClock(), computer: bareComputer },
      loseInstance: () => {
        cloud.instances.clear();
        cloud.disks.clear();
      },
    }),
    { refusedFlags: { "google-bulk-insert": true }, lifecycle: { timeoutMs: 60_000 } },
  );
});

describeDriverCrashes("google", async (step) => {
  const cloud = await FakeCompute.start(step);
  cloud.addForeign("other");
  cloud.firewalls.set("docker-machines", { name: "docker-machines" });
  cloud.firewalls.set(`docker-machine-${crashMachineName}`, { name: `docker-machine-${crashMachineName}` });
  return {
    module: driverModule,
    flags: { ...fakeFlags(cloud), "google-open-cidr": ["203.0.113.0/24"] },
    context: { clock: new HastyClock(), computer: bareComputer },
    resources: () => cloud.resources,
    [Symbol.asyncDispose]: async () => await cloud[Symbol.asyncDispose](),
  };
});

test("an instance is asked for with all that was wished", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked({
    "google-address": "web-ip",
    "google-subnetwork": "sub",
    "google-ipv6": true,
    "google-preemptible": true,
    "google-tags": "http, ci",
    "google-vm-labels": "team,a",
    "google-label": ["stage:ci"],
    "google-accelerator": "count=1,type=nvidia-tesla-t4",
    "google-disk-type": "pd-ssd",
    "google-disk-size": 30,
    "google-provisioned-iops": 3000,
    "google-disk-kms-key": "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "google-min-cpu-platform": "Intel Skylake",
    "google-shielded-secure-boot": true,
    "google-metadata": ["colour=blue", "enable-oslogin=TRUE"],
  });
  await driver.create(signal);
  const [asked] = cloud.asked;
  const { metadata, ...rest } = asked ?? {};
  const labels = { team: "a", stage: "ci", "docker-machine-create-id": "test-web" };
  assert.deepEqual(rest, {
    name: "web",
    description: "Docker Machine",
    machineType: "zones/us-central1-a/machineTypes/e2-small",
    labels,
    tags: { items: ["docker-machine", "http", "ci"] },
    disks: [
      {
        boot: true,
        autoDelete: true,
        type: "PERSISTENT",
        mode: "READ_WRITE",
        diskEncryptionKey: { kmsKeyName: "projects/p/locations/l/keyRings/r/cryptoKeys/k" },
        initializeParams: {
          diskName: "web-disk",
          sourceImage: "projects/ubuntu-os-cloud/global/images/ubuntu-2604-noble-v1",
          diskSizeGb: "30",
          diskType: "zones/us-central1-a/diskTypes/pd-ssd",
          labels,
          provisionedIops: "3000",
        },
      },
    ],
    networkInterfaces: [
      {
        network: "projects/acme-123/global/networks/custom",
        subnetwork: "projects/acme-123/regions/us-central1/subnetworks/sub",
        stackType: "IPV4_IPV6",
        ipv6AccessConfigs: [{ type: "DIRECT_IPV6", name: "External IPv6", networkTier: "PREMIUM" }],
        accessConfigs: [{ type: "ONE_TO_ONE_NAT", name: "External NAT", natIP: "203.0.113.5" }],
      },
    ],
    serviceAccounts: [
      {
        email: "default",
        scopes: ["devstorage.read_only", "logging.write", "monitoring.write"].map(
          (name) => `https://www.googleapis.com/auth/${name}`,
        ),
      },
    ],
    scheduling: {
      preemptible: true,
      provisioningModel: "SPOT",
      instanceTerminationAction: "STOP",
      automaticRestart: false,
      onHostMaintenance: "TERMINATE",
    },
    minCpuPlatform: "Intel Skylake",
    guestAccelerators: [
      { acceleratorCount: 1, acceleratorType: "projects/acme-123/zones/us-central1-a/acceleratorTypes/nvidia-tesla-t4" },
    ],
    shieldedInstanceConfig: { enableSecureBoot: true },
  });
  const items = itemsOf(metadata);
  assert.equal(items["colour"], "blue");
  assert.equal(items["enable-oslogin"], "FALSE", "ours win");
  assert.match(items["ssh-keys"] ?? "", /^docker-user:ssh-ed25519 \S+ docker-user$/u);
  const { MachineImage, StaticIP } = await configOf(driver);
  assert.deepEqual([MachineImage, StaticIP], ["ubuntu-os-cloud/global/images/ubuntu-2604-noble-v1", "203.0.113.5"]);
});

test("an address that was lent changes with a restart, and is followed; one that is one's own stays", async () => {
  for (const [flags, changes] of [
    [{}, true],
    [{ "google-address": "web-ip" }, false],
  ] as const) {
    await using scene = await openScene();
    const { signal } = scene;
    const driver = await scene.checked(flags);
    await driver.create(signal);
    await driver.locate?.(signal);
    const before = await driver.getIp();
    await driver.stop(signal);
    assert.equal(await driver.getState(signal), "Stopped");
    assert.equal(await driver.getIp(), changes ? "" : before);
    const later = await scene.reopened(driver);
    await later.start(signal);
    await later.locate?.(signal);
    assert.equal((await later.getIp()) !== before, changes);
    assert.notEqual(await later.getIp(), "");
  }
});

test("injected host keys hold until the guest tells others; what was injected is withdrawn", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked();
  await driver.create(signal);
  assert.equal(driver.hostKeysExposed, true);
  const injected = (await driver.hostKeys?.()) as readonly string[];
  const userData = itemsOf(cloud.instances.get("web")?.metadata)["user-data"] ?? "";
  assert.ok(userData.includes("PRIVATE KEY") && userData.includes("set_host_keys = false"));
  cloud.hostKeys = Object.fromEntries(injected.map((line) => line.split(" ") as [string, string]));
  await driver.locate?.(signal);
  assert.deepEqual(await driver.hostKeys?.(), injected);
  assert.equal(driver.hostKeysExposed, true);
  await driver.withdrawSecrets?.(signal);
  await driver.withdrawSecrets?.(signal);
  const left = itemsOf(cloud.instances.get("web")?.metadata);
  assert.deepEqual(Object.keys(left).toSorted(), [
    "block-project-ssh-keys",
    "enable-guest-attributes",
    "enable-oslogin",
    "ssh-keys",
  ]);
  await using other = await openScene();
  const second = await other.checked();
  await second.create(other.signal);
  await second.locate?.(other.signal);
  assert.deepEqual(await second.hostKeys?.(), ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="]);
  assert.equal(second.hostKeysExposed, false);
});

test("Debian's images are given no host keys: those that the guest tells are waited for, not for ever", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  cloud.hostKeys = undefined;
  const driver = await scene.checked({ "google-machine-image": "debian" });
  await driver.create(signal);
  assert.equal(itemsOf(cloud.instances.get("web")?.metadata)["user-data"], undefined);
  await driver.locate?.(signal);
  assert.equal(await driver.getIp(), "", "the core asks again");
  cloud.hostKeys = { "ssh-ed25519": "AAAA" };
  await driver.locate?.(signal);
  assert.notEqual(await driver.getIp(), "");
  assert.deepEqual(await driver.hostKeys?.(), ["ssh-ed25519 AAAA"]);
  await using dumb = await openScene();
  dumb.cloud.guestAttributesForbidden = true;
  const other = await dumb.checked({ "google-machine-image": "debian-13" });
  await other.create(dumb.signal);
  await other.locate?.(dumb.signal);
  await dumb.context.clock.sleep(90_000);
  await other.locate?.(dumb.signal);
  assert.notEqual(await other.getIp(), "");
  assert.equal(await other.hostKeys?.(), "none");
  assert.ok(dumb.lines().some((line) => line.includes("cannot be verified")));
});

test("the shared rule is made once, gets the ports it lacks, and stays", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  const driver = await scene.checked();
  await driver.create(signal);
  assert.deepEqual(cloud.firewalls.get("docker-machines")?.allowed, [{ IPProtocol: "tcp", ports: ["2376"] }]);
  assert.deepEqual(cloud.firewalls.get("docker-machines")?.targetTags, ["docker-machine"]);
  await driver.remove(signal);
  const next = driverModule.open({ ...scene.context, createId: "another" }, undefined);
  await next.setConfigFromFlags(optionsOf(driverModule, { ...fakeFlags(cloud), "google-open-port": ["8080", "53/udp"] }));
  await next.preCreateCheck(signal);
  await next.create(signal);
  await next.create(signal);
  assert.deepEqual(cloud.firewalls.get("docker-machines")?.allowed, [
    { IPProtocol: "tcp", ports: ["2376"] },
    { IPProtocol: "tcp", ports: ["8080"] },
    { IPProtocol: "udp", ports: ["53"] },
  ]);
  await next.remove(signal);
  assert.deepEqual(cloud.resources, [{ kind: "firewall", id: "docker-machines" }]);
});

test("an existing instance gets key and tag, and is kept without them", async () => {
  await using scene = await openScene();
  const { cloud, signal } = scene;
  cloud.addForeign("web");
  const driver = await scene.checked({ "google-use-existing": true, "google-open-cidr": ["203.0.113.0/24"] });
  await driver.create(signal);
  await driver.create(signal);
  const instance = cloud.instances.get("web");
  assert.match(itemsOf(instance?.metadata)["ssh-keys"] ?? "", /^docker-user:ssh-ed25519 \S+ docker-user$/u);
  assert.match(instance?.tags?.items?.join() ?? "", /^docker-machine-web-[0-9a-f]{8}$/u);
  await (await scene.reopened(driver)).remove(signal);
  assert.deepEqual(itemsOf(cloud.instances.get("web")?.metadata), {});
  assert.deepEqual(cloud.instances.get("web")?.tags?.items, []);
  assert.equal(cloud.firewalls.size, 0);
});

function itemsOf(metadata: unknown): Readonly<Record<string, string>> {
  const { items = [] } = (metadata ?? {}) as { items?: readonly { key: string; value: string }[] };
  return Object.fromEntries(items.map(({ key, value }) => [key, value]));
}
