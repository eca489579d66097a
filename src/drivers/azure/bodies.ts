/** What is put at Azure, as its API describes it (versions in `resource-names.ts`). No I/O. */
import { hostNameOf } from "../../driver-kit/guest/guest-identity.ts";
import { requireMark } from "../../driver-kit/marks.ts";
import { securityRules } from "./firewall-rules.ts";
import { imageReference } from "./image.ts";
import type { AzureConfig } from "./options.ts";
import { idOf, kinds, sharedTag } from "./resource-names.ts";
import { idsFor, type Workplace } from "./workplace.ts";

type Place = Pick<Workplace, "config" | "context">;

/** The user's tags, and the create's mark. */
export function ownTags({ config, context }: Place): Record<string, string> {
  const { label } = requireMark(context.createId);
  return { ...config.Tags, [label.key]: label.value };
}

function sharedTags({ config }: Place): Record<string, string> {
  return { ...config.Tags, ...sharedTag };
}

export function groupBody(place: Place): object {
  return { location: place.config.Location, tags: sharedTags(place) };
}

export function firewallBody(place: Place) {
  return {
    location: place.config.Location,
    tags: ownTags(place),
    properties: { securityRules: [...securityRules(place.config)] },
  };
}

/** As 0.16.2 made them: machines of both stand in one network. */
const addressSpace = { addressPrefixes: ["192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12"] };

export function subnetBody({ SubnetPrefix }: AzureConfig) {
  return { properties: { addressPrefix: SubnetPrefix } };
}

export function networkBody(place: Place) {
  const { config } = place;
  const subnets = [{ name: config.SubnetName, ...subnetBody(config) }];
  return { location: config.Location, tags: sharedTags(place), properties: { addressSpace, subnets } };
}

/** Azure has no other addresses than standard ones any more, which are static. */
export function addressBody(place: Place) {
  const { config } = place;
  const dns = config.DNSLabel === "" ? {} : { dnsSettings: { domainNameLabel: config.DNSLabel } };
  return {
    location: config.Location,
    tags: ownTags(place),
    sku: { name: "Standard" as const },
    ...zonesOf(config),
    properties: { publicIPAllocationMethod: "Static" as const, publicIPAddressVersion: "IPv4" as const, ...dns },
  };
}

export function nicBody(place: Place) {
  const { config } = place;
  const ids = idsFor(place);
  const allocation =
    config.PrivateIPAddr === ""
      ? { privateIPAllocationMethod: "Dynamic" as const }
      : { privateIPAllocationMethod: "Static" as const, privateIPAddress: config.PrivateIPAddr };
  const address = config.NoPublicIP
    ? {}
    : { publicIPAddress: { id: ids.address, properties: { deleteOption: "Delete" as const } } };
  return {
    location: config.Location,
    tags: ownTags(place),
    properties: {
      ipConfigurations: [{ name: "ip", properties: { subnet: { id: ids.subnet }, primary: true, ...allocation, ...address } }],
      networkSecurityGroup: { id: config.NSG === "" ? ids.firewall : givenFirewallId(config) },
      enableAcceleratedNetworking: config.AcceleratedNetworking,
    },
  };
}

/** `--azure-nsg` is a name in the machine's group, or an id. */
export function givenFirewallId(config: AzureConfig): string {
  return config.NSG.startsWith("/") ? config.NSG : idOf(config, kinds.firewall, config.NSG);
}

export function setBody(place: Place) {
  const { config } = place;
  return {
    location: config.Location,
    tags: sharedTags(place),
    sku: { name: "Aligned" as const },
    properties: { platformFaultDomainCount: config.FaultCount, platformUpdateDomainCount: config.UpdateCount },
  };
}

/** @param customData in base64 */
export function machineBody(place: Place, publicKey: string, customData: string) {
  const { config, context } = place;
  const ids = idsFor(place);
  return {
    location: config.Location,
    tags: ownTags(place),
    ...zonesOf(config),
    ...planOf(config),
    properties: {
      hardwareProfile: { vmSize: config.Size },
      storageProfile: { imageReference: imageReference(config.Image), osDisk: osDisk(config) },
      osProfile: {
        computerName: hostNameOf(context.machineName),
        adminUsername: config.SSHUser,
        customData,
        linuxConfiguration: {
          disablePasswordAuthentication: true,
          ssh: { publicKeys: [{ path: `/home/${config.SSHUser}/.ssh/authorized_keys`, keyData: publicKey }] },
        },
      },
      networkProfile: { networkInterfaces: [{ id: ids.nic, properties: { primary: true, deleteOption: "Delete" as const } }] },
      ...(config.AvailabilitySet === "" ? {} : { availabilitySet: { id: ids.set } }),
      ...securityOf(config),
      ...spotOf(config),
    },
  };
}

function osDisk(config: AzureConfig) {
  const encryption = config.DiskEncryptionSet === "" ? {} : { diskEncryptionSet: { id: config.DiskEncryptionSet } };
  return {
    name: config.OsDiskName,
    createOption: "FromImage" as const,
    caching: "ReadWrite" as const,
    diskSizeGB: config.DiskSize,
    deleteOption: "Delete" as const,
    managedDisk: { storageAccountType: config.StorageType, ...encryption },
  };
}

function zonesOf({ AvailabilityZone }: AzureConfig): { zones?: string[] } {
  return AvailabilityZone === "" ? {} : { zones: [AvailabilityZone] };
}

function planOf({ Plan }: AzureConfig) {
  if (Plan === "") return {};
  const [publisher = "", product = "", name = ""] = Plan.split(":");
  return { plan: { publisher, product, name } };
}

function securityOf({ EncryptionAtHost, TrustedLaunch }: AzureConfig) {
  if (!EncryptionAtHost && !TrustedLaunch) return {};
  const launch = { securityType: "TrustedLaunch" as const, uefiSettings: { secureBootEnabled: true, vTpmEnabled: true } };
  return { securityProfile: { ...(EncryptionAtHost ? { encryptionAtHost: true } : {}), ...(TrustedLaunch ? launch : {}) } };
}

/** What Azure takes back is stopped and keeps its disk, so that `start` can have it again. */
function spotOf({ Spot, SpotMaxPrice }: AzureConfig) {
  if (!Spot) return {};
  return { priority: "Spot" as const, evictionPolicy: "Deallocate" as const, billingProfile: { maxPrice: Number(SpotMaxPrice) } };
}
