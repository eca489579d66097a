/** What others have: a whole machine of the same name in a group of their own, and a network beside ours. */
import { driverModule } from "../../../src/drivers/azure/index.ts";
import type { FakeAzure } from "./fake-azure.ts";
import { groupPath } from "./scene.ts";

const group = "others";

export function addForeign(azure: FakeAzure, name: string): void {
  const location = "westus";
  const id = (rest: string): string => groupPath(rest, group);
  azure.groups.set(group, { location });
  const nic = id(`Microsoft.Network/networkInterfaces/${name}-nic`);
  const address = { id: id(`Microsoft.Network/publicIPAddresses/${name}-ip`), properties: { deleteOption: "Delete" } };
  const subnet = { id: id(`Microsoft.Network/virtualNetworks/docker-machine-vnet/subnets/${driverModule.name}`) };
  azure.add(id("Microsoft.Network/virtualNetworks/docker-machine-vnet"), { location, tags: { "docker-machine": "shared" } });
  azure.add(subnet.id, {});
  azure.add(address.id, { location, tags: { "docker-machine-create-id": "another" } });
  azure.add(id(`Microsoft.Network/networkSecurityGroups/${name}-firewall`), { location });
  azure.add(nic, { location, properties: { ipConfigurations: [{ properties: { subnet, publicIPAddress: address } }] } });
  azure.add(id(`Microsoft.Compute/availabilitySets/docker-machine`), { location, tags: { "docker-machine": "shared" } });
  azure.add(id(`Microsoft.Compute/disks/${name}-os-disk`), { location });
  const properties = {
    networkProfile: { networkInterfaces: [{ id: nic }] },
    storageProfile: { osDisk: { name: `${name}-os-disk` } },
  };
  azure.add(id(`Microsoft.Compute/virtualMachines/${name}`), { location, properties });
}
