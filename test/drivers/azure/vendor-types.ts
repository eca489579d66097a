/**
 * What the vendor's own types say that a body may hold: names that are none of theirs do not compile here, and are refused
 * by the fake. The types have the members of `properties` beside those of the resource itself, as their client does.
 */
import type { AvailabilitySet, Disk, OSDisk, OSProfile, VirtualMachine } from "@azure/arm-compute";
import type {
  NetworkInterface,
  NetworkInterfaceIPConfiguration,
  NetworkSecurityGroup,
  PublicIPAddress,
  SecurityRule,
  Subnet,
  VirtualNetwork,
} from "@azure/arm-network";

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- says whose names they are
function names<Type>(...all: readonly (keyof Type & string)[]): ReadonlySet<string> {
  return new Set(all);
}

/** Beside `properties`, of everything. */
export const topNames: ReadonlySet<string> = new Set([
  ...names<VirtualMachine>("location", "tags", "zones", "plan"),
  ...names<PublicIPAddress>("sku"),
  "properties",
]);

/** Within `properties`, by type in lower case. */
export const propertyNames: Readonly<Record<string, ReadonlySet<string>>> = {
  "microsoft.compute/virtualmachines": names<VirtualMachine>(
    ...(["hardwareProfile", "storageProfile", "osProfile", "networkProfile", "availabilitySet"] as const),
    ...(["securityProfile", "priority", "evictionPolicy", "billingProfile"] as const),
  ),
  "microsoft.compute/disks": names<Disk>("diskSizeGB"),
  "microsoft.compute/availabilitysets": names<AvailabilitySet>("platformFaultDomainCount", "platformUpdateDomainCount"),
  "microsoft.network/networkinterfaces": names<NetworkInterface>(
    ...(["ipConfigurations", "networkSecurityGroup", "enableAcceleratedNetworking"] as const),
  ),
  "microsoft.network/publicipaddresses": names<PublicIPAddress>(
    ...(["publicIPAllocationMethod", "publicIPAddressVersion", "dnsSettings"] as const),
  ),
  "microsoft.network/networksecuritygroups": names<NetworkSecurityGroup>("securityRules"),
  "microsoft.network/virtualnetworks": names<VirtualNetwork>("addressSpace", "subnets"),
  "microsoft.network/virtualnetworks/subnets": names<Subnet>("addressPrefix"),
};

export const osDiskNames = names<OSDisk>("name", "createOption", "caching", "diskSizeGB", "deleteOption", "managedDisk");
export const osProfileNames = names<OSProfile>("computerName", "adminUsername", "customData", "linuxConfiguration");
export const ipConfigurationNames = names<NetworkInterfaceIPConfiguration>(
  ...(["subnet", "primary", "privateIPAllocationMethod", "privateIPAddress", "publicIPAddress"] as const),
);
export const ruleNames = names<SecurityRule>(
  ...(["priority", "protocol", "access", "direction", "sourceAddressPrefix", "sourceAddressPrefixes"] as const),
  ...(["sourcePortRange", "destinationAddressPrefix", "destinationPortRange"] as const),
);

type Wire<Type> = { readonly properties: Partial<Type> };

/** The values of what is put, by the vendor's types: a wrong one does not compile. */
export type VendorMachine = Wire<VirtualMachine> & Pick<VirtualMachine, "location">;
export type VendorSet = Wire<AvailabilitySet> & Pick<AvailabilitySet, "location" | "sku">;
export type VendorAddress = Wire<PublicIPAddress> & Pick<PublicIPAddress, "location" | "sku">;
