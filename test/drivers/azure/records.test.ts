/** Records of 0.16.2 and of Rancher's fork: loaded, answered from, written back, removed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/azure/index.ts";
import { subscriptionId } from "./catalogue.ts";
import { groupPath, inScene } from "./scene.ts";

/** As 0.16.2 stores a new machine: its keys, its order, its types. */
function recordOf016(endpoint: string): Readonly<Record<string, unknown>> {
  return {
    ...{
      IPAddress: "",
      MachineName: "web",
      SSHUser: "docker-user",
      SSHPort: 22,
      SSHKeyPath: "",
      StorePath: "/home/u/.docker/machine",
    },
    ...{ SwarmMaster: false, SwarmHost: "tcp://0.0.0.0:3376", SwarmDiscovery: "" },
    ...{ ClientID: "", ClientSecret: "", Environment: "AzurePublicCloud", SubscriptionID: subscriptionId },
    ...{ ResourceGroup: "docker-machine", DockerPort: 2376, Location: "westus", Size: "Standard_A2" },
    ...{
      Image: "canonical:UbuntuServer:16.04.0-LTS:latest",
      VirtualNetwork: "docker-machine-vnet",
      SubnetName: "docker-machine",
    },
    ...{ SubnetPrefix: "192.168.0.0/16", AvailabilitySet: "docker-machine", StorageType: "Standard_LRS", OpenPorts: null },
    ...{ PrivateIPAddr: "", UsePrivateIP: false, NoPublicIP: false, DNSLabel: "", StaticPublicIP: false, CustomDataFile: "" },
    Endpoint: endpoint,
  };
}

const ofRancher = {
  ...{ TenantID: "t", NSG: "", Plan: "", ManagedDisks: true, FaultCount: 2, UpdateCount: 5, DiskSize: 50 },
  ...{ AcceleratedNetworking: false, AvailabilityZone: "", EnablePublicIPStandardSKU: true },
};

test("records come back as they were, lists and maps of Go with them", async () => {
  await inScene(async ({ context }) => {
    for (const extra of [{}, { ...ofRancher, Tags: null }, { ...ofRancher, Tags: { team: "a" } }]) {
      const stored = { ...recordOf016(""), ...extra };
      const driver = driverModule.open({ ...context, createId: undefined }, JSON.stringify(stored));
      const written = JSON.parse(await driver.configText()) as Record<string, unknown>;
      const same = Object.fromEntries(Object.keys(stored).map((key) => [key, written[key]]));
      assert.deepEqual(same, stored);
      assert.equal(await driver.getSshUsername(), "docker-user");
      assert.equal(await driver.getIp(), "");
    }
  });
});

test("tags of other forms become a map", async () => {
  await inScene(async ({ context }) => {
    const read = async (Tags: unknown): Promise<unknown> => {
      const driver = driverModule.open(context, JSON.stringify({ ...recordOf016(""), Tags }));
      return (JSON.parse(await driver.configText()) as { Tags: unknown }).Tags;
    };
    assert.deepEqual(await read("team,a,cost,42"), { team: "a", cost: "42" });
    assert.deepEqual(await read(["team", "a"]), { team: "a" });
    assert.deepEqual(await read({ team: null }), { team: "" });
  });
});

test("a machine of 0.16.2 is worked on, located and removed by its names; what is not surely its own stays", async () => {
  await inScene(async ({ azure, provider, context, signal }) => {
    const location = "westus";
    azure.groups.set("docker-machine", { location });
    azure.add(groupPath("Microsoft.Network/virtualNetworks/docker-machine-vnet"), { location });
    azure.add(groupPath("Microsoft.Network/virtualNetworks/docker-machine-vnet/subnets/docker-machine"), {});
    azure.add(groupPath("Microsoft.Network/networkSecurityGroups/web-firewall"), { location });
    const address = azure.add(groupPath("Microsoft.Network/publicIPAddresses/web-ip"), { location });
    address.address = "198.51.100.9";
    const nic = azure.add(groupPath("Microsoft.Network/networkInterfaces/web-nic"), {
      location,
      properties: { ipConfigurations: [{ properties: { publicIPAddress: { id: address.id } } }] },
    });
    const machine = azure.add(groupPath("Microsoft.Compute/virtualMachines/web"), {
      location,
      properties: {
        networkProfile: { networkInterfaces: [{ id: nic.id }] },
        storageProfile: { osDisk: { name: "web-os-disk" } },
      },
    });
    machine.power = "running";
    const driver = driverModule.open({ ...context, createId: undefined }, JSON.stringify(recordOf016(provider.url)));
    assert.equal(await driver.getState(signal), "Running");
    await driver.locate?.(signal);
    assert.equal(await driver.getUrl(), "tcp://198.51.100.9:2376");
    const kinds = (await driver.findResources?.(signal))?.map(({ kind }) => kind).toSorted();
    assert.deepEqual(kinds, ["instance", "network-interface", "public-address", "security-group"]);
    await driver.remove(signal);
    assert.deepEqual(
      azure.list().map(({ kind }) => kind),
      ["virtual-network", "subnet"],
    );
  });
});
