/** What is asked of Azure, and what the record says of it. */
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { machineBody, setBody, addressBody } from "../../../src/drivers/azure/bodies.ts";
import { newConfig } from "../../../src/drivers/azure/options.ts";
import { newBaseConfig } from "../../../src/driver-kit/base-config.ts";
import { propertiesOf, tagsOf, type Json } from "./arm-entry.ts";
import { bareComputer, configOf } from "../driver-scene.ts";
import { groupPath, inScene } from "./scene.ts";
import { subscriptionId } from "./catalogue.ts";
import type { VendorAddress, VendorMachine, VendorSet } from "./vendor-types.ts";

const mark = { "docker-machine-create-id": "test-web" };

test("a machine is asked for in the order of what refers to what, with tags on everything", async () => {
  await inScene(async ({ azure, provider, checked, signal, context }) => {
    const driver = await checked({ "azure-tags": "team,a,cost,42" });
    provider.requests.length = 0;
    await driver.create(signal);
    const puts = provider.requests.filter((line) => line.startsWith("PUT")).map((line) => /\/([^/]+)\?/u.exec(line)?.[1]);
    const order = ["docker-machine", "web-firewall", "docker-machine-vnet", "web-ip", "web-nic", "docker-machine", "web"];
    assert.deepEqual(puts, order);
    for (const kind of ["instance", "network-interface", "public-address", "security-group", "disk"])
      assert.deepEqual(tagsOf(azure.one(kind).body), { team: "a", cost: "42", ...mark }, kind);
    for (const kind of ["virtual-network", "availability-set"])
      assert.deepEqual(tagsOf(azure.one(kind).body), { team: "a", cost: "42", "docker-machine": "shared" }, kind);
    assert.deepEqual(tagsOf(azure.groups.get("docker-machine") ?? {}), { team: "a", cost: "42", "docker-machine": "shared" });
    const config = await configOf(driver);
    assert.equal(config["Size"], "Standard_B2s_v2");
    assert.equal(config["Image"], "Canonical:ubuntu-26_04-lts:server:26.04.202610010");
    assert.equal(config["VmId"], azure.one("instance").vmId);
    assert.deepEqual(await readdir(context.machineDir), [], "the private halves are gone once the machine has them");
  });
});

test("the custom data holds host keys that hostKeys tells, the login key is RSA, and it is joined with the user's file", async () => {
  await inScene(async ({ azure, checked, signal, context }) => {
    const file = path.join(context.machineDir, "user.yaml");
    await writeFile(file, "#cloud-config\npackages: [htop]\n");
    const driver = await checked({ "azure-custom-data": file });
    await driver.create(signal);
    const profile = propertiesOf(azure.one("instance").body)["osProfile"] as Json;
    const bytes = Buffer.from(String(profile["customData"]), "base64");
    const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("utf8");
    assert.match(text, /multipart\/mixed/u);
    assert.match(text, /packages: \[htop\]/u);
    const keys = (await driver.hostKeys?.()) ?? [];
    assert.equal(keys.length, 2);
    for (const key of keys) assert.ok(text.includes(key));
    assert.equal(driver.hostKeysExposed, true);
    assert.equal(await driver.getSshUsername(), "docker-user");
  });
});

test("all that can be wished reaches the request", async () => {
  await inScene(async ({ azure, checked, signal, lines }) => {
    const driver = await checked({
      "azure-size": "standard_d2s_v5",
      "azure-image": "debian-13",
      "azure-availability-zone": "2",
      "azure-accelerated-networking": true,
      "azure-encryption-at-host": true,
      "azure-trusted-launch": true,
      "azure-storage-type": "Premium_LRS",
      "azure-disk-size": 64,
      "azure-spot": true,
      "azure-spot-max-price": "0.05",
      "azure-private-ip-address": "192.168.0.77",
      "azure-dns": "web-of-ours",
      "azure-open-cidr": ["203.0.113.0/24", "2001:db8::/32"],
      "azure-open-port": ["80", "53/udp", "8000-8100/*"],
      "azure-docker-port": 2377,
      "swarm-master": true,
      "swarm-host": "tcp://0.0.0.0:3376",
    });
    await driver.create(signal);
    const { body } = azure.one("instance");
    const { hardwareProfile, storageProfile, priority, evictionPolicy, billingProfile, securityProfile, availabilitySet } =
      propertiesOf(body) as Record<string, Json>;
    assert.deepEqual(body["zones"], ["2"]);
    assert.deepEqual(azure.one("public-address").body["zones"], ["2"]);
    assert.equal(availabilitySet, undefined);
    assert.deepEqual(hardwareProfile, { vmSize: "Standard_D2s_v5" });
    assert.deepEqual([priority, evictionPolicy, billingProfile], ["Spot", "Deallocate", { maxPrice: 0.05 }]);
    assert.deepEqual(securityProfile, {
      encryptionAtHost: true,
      securityType: "TrustedLaunch",
      uefiSettings: { secureBootEnabled: true, vTpmEnabled: true },
    });
    const { name, ...disk } = (storageProfile ?? {})["osDisk"] as Json;
    assert.match(String(name), /^web-os-disk-[0-9a-f]{8}$/u);
    assert.deepEqual(disk, {
      ...{ createOption: "FromImage", caching: "ReadWrite", diskSizeGB: 64, deleteOption: "Delete" },
      managedDisk: { storageAccountType: "Premium_LRS" },
    });
    const rules = propertiesOf(azure.one("security-group").body)["securityRules"] as { name: string; properties: Json }[];
    assert.deepEqual(
      rules.map((rule) => [
        rule.name,
        rule.properties["priority"],
        rule.properties["protocol"],
        rule.properties["destinationPortRange"],
      ]),
      [
        ["SSHAllowAny", 100, "Tcp", "22"],
        ["SSHAllowAny6", 101, "Tcp", "22"],
        ["DockerAllowAny", 300, "Tcp", "2377"],
        ["DockerAllowAny6", 301, "Tcp", "2377"],
        ["DockerSwarmAllowAny", 500, "Tcp", "3376"],
        ["DockerSwarmAllowAny6", 501, "Tcp", "3376"],
        ["Port80-TcpAllowAny", 1000, "Tcp", "80"],
        ["Port80-TcpAllowAny6", 2500, "Tcp", "80"],
        ["Port53-UdpAllowAny", 1001, "Udp", "53"],
        ["Port53-UdpAllowAny6", 2501, "Udp", "53"],
        ["Port8000-8100-AsteriskAllowAny", 1002, "*", "8000-8100"],
        ["Port8000-8100-AsteriskAllowAny6", 2502, "*", "8000-8100"],
      ],
    );
    assert.deepEqual(rules[0]?.properties["sourceAddressPrefixes"], ["203.0.113.0/24"]);
    assert.ok(!lines().some((line) => line.includes("lets everybody in")));
    await driver.locate?.(signal);
    assert.equal(await driver.getUrl(), "tcp://web-of-ours.westus.cloudapp.azure.com:2377");
  });
});

test("an architecture of the size chooses the image, a generation too", async () => {
  for (const [size, image] of [
    ["Standard_D2ps_v5", "Canonical:ubuntu-24_04-lts:server-arm64:24.04.202610010"],
    ["Standard_A1", "Canonical:ubuntu-24_04-lts:server-gen1:24.04.202610010"],
  ] as const)
    await inScene(async ({ checked }) => {
      const driver = await checked({ "azure-size": size, "azure-image": "ubuntu-24.04" });
      assert.equal((await configOf(driver))["Image"], image);
    });
});

test("a machine without a public address is reached by its own", async () => {
  await inScene(async ({ azure, checked, reopened, provider, signal, lines }) => {
    const driver = await checked({ "azure-no-public-ip": true, "azure-open-cidr": ["10.0.0.0/8"] });
    await driver.create(signal);
    await driver.locate?.(signal);
    assert.equal(
      azure.list().some(({ kind }) => kind === "public-address"),
      false,
    );
    assert.match(await driver.getIp(), /^192\.168\.0\./u);
    assert.ok(lines().some((line) => line.includes("NAT gateway")));
    provider.requests.length = 0;
    assert.equal(await (await reopened(driver)).getIp(), await driver.getIp());
    assert.deepEqual(provider.requests, [], "an address is told from the record");
  });
});

test("what the user has is used, and stays", async () => {
  await inScene(async ({ azure, checked, signal }) => {
    azure.groups.set("docker-machine", { location: "westus" });
    azure.groups.set("nets", { location: "westus" });
    const network = groupPath("Microsoft.Network/virtualNetworks/corp", "nets");
    azure.add(network, { location: "westus" });
    azure.add(`${network}/subnets/dev`, {});
    azure.add(groupPath("Microsoft.Network/networkSecurityGroups/corp-nsg"), { location: "westus" });
    azure.add(groupPath("Microsoft.Compute/availabilitySets/corp-set"), { location: "westus", sku: { name: "Aligned" } });
    const before = azure.list();
    const driver = await checked({
      "azure-vnet": "nets:corp",
      "azure-subnet": "dev",
      "azure-nsg": "corp-nsg",
      "azure-availability-set": "corp-set",
    });
    await driver.create(signal);
    assert.ok(
      (propertiesOf(azure.one("network-interface").body)["networkSecurityGroup"] as Json)["id"]?.toString().endsWith("corp-nsg"),
    );
    await driver.remove(signal);
    assert.deepEqual(azure.list(), before);
    assert.ok(azure.groups.has("docker-machine"));
  });
});

test("two machines share network and set, which go with the last one", async () => {
  await inScene(async ({ azure, provider, checked, signal, context }) => {
    const first = await checked();
    await first.create(signal);
    const second = driverModule.open({ ...context, machineName: "db", createId: "test-db" }, undefined);
    const { optionsOf } = await import("../../../src/testing/flag-values.ts");
    await second.setConfigFromFlags(
      optionsOf(driverModule, { "azure-subscription-id": subscriptionId, "azure-endpoint": provider.url }),
    );
    await second.preCreateCheck(signal);
    await second.create(signal);
    assert.equal(
      (await second.findResources?.(signal))?.some(({ kind }) => kind === "virtual-network"),
      false,
    );
    await first.remove(signal);
    const left = azure
      .list()
      .map(({ kind }) => kind)
      .toSorted();
    assert.deepEqual(left, [
      ...[
        "availability-set",
        "disk",
        "instance",
        "network-interface",
        "public-address",
        "security-group",
        "subnet",
        "virtual-network",
      ],
    ]);
    await second.remove(signal);
    assert.deepEqual(azure.list(), []);
  });
});

test("stop gives the place back; power-off and 0.16.2 keep it; kill does not wait for the guest", async () => {
  const cases = [
    [{}, {}, "deallocated", ["deallocate"]],
    [{ "azure-stop": "power-off" }, {}, "stopped", ["powerOff"]],
    [{}, { MACHINE_COMPAT: "0.16" }, "stopped", ["powerOff"]],
  ] as const;
  for (const [flags, env, power, actions] of cases) {
    await inScene(
      async ({ azure, provider, checked, signal, lines }) => {
        const driver = await checked({ "azure-size": "Standard_B2s_v2", "azure-image": "ubuntu", ...flags });
        await driver.create(signal);
        provider.requests.length = 0;
        const asked = (): readonly string[] =>
          provider.requests.filter((line) => line.startsWith("POST")).map((line) => /\/(\w+)\?/u.exec(line)?.[1] ?? "");
        await driver.stop(signal);
        await driver.stop(signal);
        assert.equal(azure.one("instance").power, power);
        assert.deepEqual(asked(), actions);
        assert.equal(
          lines().some((line) => line.includes("just going to power it off")),
          power === "stopped",
        );
        assert.equal(await driver.getState(signal), "Stopped");
        await driver.start(signal);
        await driver.start(signal);
        assert.equal(await driver.getState(signal), "Running");
        provider.requests.length = 0;
        await driver.kill(signal);
        assert.equal(azure.one("instance").power, power);
        assert.ok(provider.requests.some((line) => line.includes("skipShutdown=true")));
      },
      { computer: { ...bareComputer, env } },
    );
  }
});

test("the bodies are of the vendor's types", async () => {
  const config = {
    ...newBaseConfig("web", "/store"),
    ...newConfig(),
    Resources: [],
    HostKeys: [],
    Image: "a:b:c:1",
    MachineName: "web",
  };
  const place = { config, context: { machineName: "web", createId: "c" } } as unknown as Parameters<typeof setBody>[0];
  const machine: VendorMachine = machineBody(place, "ssh-rsa AAAA", "");
  const set: VendorSet = setBody(place);
  const address: VendorAddress = addressBody(place);
  assert.deepEqual([machine.location, set.sku?.name, address.sku?.name], ["westus", "Aligned", "Standard"]);
});

test("opening, and asking the record, loads no package and asks nobody", async () => {
  await inScene(async ({ provider, configured, reopened }) => {
    const driver = await reopened(await configured());
    assert.deepEqual([await driver.getIp(), await driver.getUrl(), await driver.getSshPort()], ["", "", 22]);
    assert.deepEqual(provider.requests, []);
  });
});

test("az's own choice of a subscription is taken where none is given", async () => {
  await inScene(async ({ context, provider }) => {
    const home = path.join(context.storePath, "home");
    await mkdir(path.join(home, ".azure"), { recursive: true });
    const profile = { subscriptions: [{ id: "other" }, { id: subscriptionId, isDefault: true }] };
    await writeFile(path.join(home, ".azure/azureProfile.json"), `\uFEFF${JSON.stringify(profile)}`);
    const driver = driverModule.open({ ...context, computer: { ...bareComputer, homeDir: home } }, undefined);
    const { optionsOf } = await import("../../../src/testing/flag-values.ts");
    await driver.setConfigFromFlags(optionsOf(driverModule, { "azure-endpoint": provider.url }));
    assert.equal((await configOf(driver))["SubscriptionID"], subscriptionId);
  });
});
