/** What an Azure machine is: the options, the record they become, and records of other tools. No I/O. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { parseCidrs, parseOpenPorts } from "../../driver-kit/open-ports.ts";
import { absoluteFile, takeOldDefaults, wordsInPairs, wrongOptions } from "../../driver-kit/given-options.ts";
import { bool, defineOptions, int, list, port, secret, text, url, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import type { Computer } from "../../system/computer.ts";
import { cloudNamed } from "./clouds.ts";
import { madeByOthers } from "./resource-names.ts";

/** Flags and variables of 0.16.2 and, among them, of Rancher's fork, in the order of its record; then ours. */
export const azureOptions = defineOptions("azure", {
  SSHUser: text("ssh-user", { usage: "Username for SSH login", envVar: "AZURE_SSH_USER", value: "docker-user" }),
  ClientID: text("client-id", { usage: "Azure Service Principal Account ID", envVar: "AZURE_CLIENT_ID" }),
  ClientSecret: secret("client-secret", {
    usage: "Azure Service Principal Account password",
    envVar: "AZURE_CLIENT_SECRET",
  }),
  Environment: text("environment", {
    usage: "Azure environment: AzurePublicCloud, AzureUSGovernmentCloud, AzureChinaCloud",
    envVar: "AZURE_ENVIRONMENT",
    value: "AzurePublicCloud",
  }),
  SubscriptionID: text("subscription-id", {
    usage: "Azure Subscription ID; az's own choice when empty",
    envVar: "AZURE_SUBSCRIPTION_ID",
  }),
  ResourceGroup: text("resource-group", {
    usage: "Azure Resource Group name (will be created if missing)",
    envVar: "AZURE_RESOURCE_GROUP",
    value: "docker-machine",
  }),
  TenantID: text("tenant-id", { usage: "Azure Tenant ID; found by the subscription when empty", envVar: "AZURE_TENANT_ID" }),
  DockerPort: port("docker-port", {
    usage: "Port number for Docker engine",
    envVar: "AZURE_DOCKER_PORT",
    value: defaultEnginePort,
  }),
  Location: text("location", {
    usage: "Azure region to create the virtual machine",
    envVar: "AZURE_LOCATION",
    value: "westus",
  }),
  Size: text("size", {
    usage: "Size for Azure Virtual Machine; when empty the first of Standard_B2s_v2 and its like that can be had",
    envVar: "AZURE_SIZE",
  }),
  Image: text("image", {
    usage: "Azure virtual machine OS image: a system (ubuntu, ubuntu-24.04, debian-13), a URN, or the id of an image",
    envVar: "AZURE_IMAGE",
    value: "ubuntu",
  }),
  VirtualNetwork: text("vnet", {
    usage: "Azure Virtual Network name to connect the virtual machine, in [resourcegroup:]name format",
    envVar: "AZURE_VNET",
    value: "docker-machine-vnet",
  }),
  SubnetName: text("subnet", {
    usage: "Azure Subnet Name to be used within the Virtual Network",
    envVar: "AZURE_SUBNET",
    value: "docker-machine",
  }),
  SubnetPrefix: text("subnet-prefix", {
    usage: "Private CIDR block to be used for the new subnet, should comply RFC 1918",
    envVar: "AZURE_SUBNET_PREFIX",
    value: "192.168.0.0/16",
  }),
  AvailabilitySet: text("availability-set", {
    usage: "Azure Availability Set to place the virtual machine into; none for none",
    envVar: "AZURE_AVAILABILITY_SET",
    value: "docker-machine",
  }),
  NSG: text("nsg", {
    usage: "Azure Network Security Group to use, by name or id; it is not changed",
    envVar: "AZURE_NSG",
  }),
  Plan: text("plan", {
    usage: "Purchase plan of an image of the marketplace, in publisher:product:plan format",
    matches: { pattern: /^[^:\s]+:[^:\s]+:[^:\s]+$/u, wanted: "of the form publisher:product:plan" },
  }),
  ManagedDisks: bool("managed-disks", {
    usage: "accepted and of no effect: Azure has managed disks alone",
    envVar: "AZURE_MANAGED_DISKS",
  }),
  FaultCount: int("fault-domain-count", {
    usage: "Fault domains of a new availability set",
    envVar: "AZURE_FAULT_DOMAIN_COUNT",
    value: 3,
    atLeast: 1,
    atMost: 3,
  }),
  UpdateCount: int("update-domain-count", {
    usage: "Update domains of a new availability set",
    envVar: "AZURE_UPDATE_DOMAIN_COUNT",
    value: 5,
    atLeast: 1,
    atMost: 20,
  }),
  DiskSize: int("disk-size", {
    usage: "Size of the disk in GiB",
    envVar: "AZURE_DISK_SIZE",
    value: 30,
    atLeast: 1,
    atMost: 4_095,
  }),
  StorageType: text("storage-type", {
    usage: "Type of the disk: Standard_LRS, StandardSSD_LRS, Premium_LRS and their ZRS forms",
    envVar: "AZURE_STORAGE_TYPE",
    value: "StandardSSD_LRS",
    oneOf: ["Standard_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_LRS", "Premium_ZRS"],
  }),
  Tags: text("tags", { usage: "Tags of all that is made, as key1,value1,key2,value2", envVar: "AZURE_TAGS" }),
  AcceleratedNetworking: bool("accelerated-networking", {
    usage: "Use accelerated networking",
    envVar: "AZURE_ACCELERATED_NETWORKING",
  }),
  AvailabilityZone: text("availability-zone", {
    usage: "Azure availability zone, in the place of an availability set",
    envVar: "AZURE_AVAILABILITY_ZONE",
    matches: { pattern: /^[1-9]\d*$/u, wanted: "the number of a zone" },
  }),
  EnablePublicIPStandardSKU: bool("enable-public-ip-standard-sku", {
    usage: "accepted and of no effect: Azure has standard addresses alone",
    envVar: "AZURE_STANDARD_PUBLIC_IP_SKU",
  }),
  OpenPorts: list("open-port", { usage: "Make the specified port number accessible from the Internet: 80, 53/udp, 8000/*" }),
  PrivateIPAddr: text("private-ip-address", {
    usage: "Specify a static private IP address for the machine",
    matches: { pattern: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/u, wanted: "an IPv4 address" },
  }),
  UsePrivateIP: bool("use-private-ip", { usage: "Use private IP address of the machine to connect" }),
  NoPublicIP: bool("no-public-ip", { usage: "Do not create a public IP address for the machine" }),
  DNSLabel: text("dns", {
    usage: "A unique DNS label for the public IP adddress",
    envVar: "AZURE_DNS_LABEL",
    matches: { pattern: /^[a-z][a-z0-9-]{1,61}[a-z0-9]$/u, wanted: "3 to 63 lower-case letters, digits and dashes" },
  }),
  StaticPublicIP: bool("static-public-ip", {
    usage: "accepted and of no effect: Azure's standard addresses are static",
  }),
  CustomDataFile: text("custom-data", { usage: "Path to file with custom-data", envVar: "AZURE_CUSTOM_DATA_FILE" }),
  OpenCidrs: list("open-cidr", {
    usage: "range of addresses that may reach the machine's ports; from everywhere when absent",
    envVar: "AZURE_OPEN_CIDR",
  }),
  Spot: bool("spot", { usage: "take spare capacity, which Azure may take back at any time", envVar: "AZURE_SPOT" }),
  SpotMaxPrice: text("spot-max-price", {
    usage: "highest price an hour of a spot machine in US dollars; -1: up to the price of others",
    value: "-1",
    matches: { pattern: /^\d+(?:\.\d{1,5})?$/u, wanted: "a price in US dollars, or -1" },
  }),
  DiskEncryptionSet: text("disk-encryption-set", {
    usage: "id of a disk encryption set, for a disk encrypted by a key of your own",
    envVar: "AZURE_DISK_ENCRYPTION_SET",
    matches: { pattern: /^\/subscriptions\/.+\/diskEncryptionSets\/[^/]+$/iu, wanted: "the id of a disk encryption set" },
  }),
  EncryptionAtHost: bool("encryption-at-host", { usage: "encrypt temporary disks and caches on the host too" }),
  TrustedLaunch: bool("trusted-launch", { usage: "secure boot and a virtual TPM; for images of generation 2" }),
  StopMode: text("stop", {
    usage: "what stop does: deallocate (nothing but the disk is billed) or power-off (as 0.16.2, billed on)",
    envVar: "AZURE_STOP",
    oneOf: ["deallocate", "power-off"],
  }),
  Endpoint: url("endpoint", {
    usage: "URL of the resource manager, where it is not the environment's",
    envVar: "AZURE_RESOURCE_MANAGER_ENDPOINT",
  }),
});

export interface AzureConfig extends ProviderConfig, Omit<ConfigOf<typeof azureOptions>, "Tags"> {
  /** Rancher's fork has a map here. */
  Tags: Record<string, string>;
  /** Azure's own id of the virtual machine; "" while it is not known. A name can be taken again by others, this cannot. */
  VmId: string;
  /** "" for machines of other tools. */
  OsDiskName: string;
  /** `V1` or `V2`, as the size and the image have it; "" for machines of other tools. */
  Generation: string;
}

const { defaults, flagOf, isSet, read } = azureOptions;

/** The driver's own fields, in the order of Rancher's record, which holds 0.16.2's. */
export function newConfig(): Omit<AzureConfig, keyof ProviderConfig> & Pick<AzureConfig, "SSHUser"> {
  const all = defaults();
  return {
    ...all,
    Tags: {},
    // Of a record that says nothing, because it is another tool's.
    ...{ SSHUser: all.SSHUser, VmId: "", OsDiskName: "", Generation: "" },
  };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["TenantID", "NSG", "Plan", "ManagedDisks", "FaultCount", "UpdateCount", "DiskSize", "Tags", "AcceleratedNetworking"],
  ...["AvailabilityZone", "EnablePublicIPStandardSKU", "OpenCidrs", "Spot", "SpotMaxPrice", "DiskEncryptionSet"],
  ...["EncryptionAtHost", "TrustedLaunch", "StopMode", "Endpoint", "VmId", "OsDiskName", "Generation", "Resources", "HostKeys"],
] as const satisfies readonly (keyof AzureConfig)[];

/** Defaults of 0.16.2. Azure has neither any more; a private endpoint may. */
const oldDefaults = {
  Size: "Standard_A2",
  Image: "canonical:UbuntuServer:16.04.0-LTS:latest",
  StorageType: "Standard_LRS",
} as const;

/** What Azure takes as an administrator's name on no machine. */
const refusedUsers = new Set(
  (
    "administrator admin user user1 test user2 test1 user3 admin1 1 123 a actuser adm admin2 aspnet backup console david guest " +
    "john owner root server sql support support_388945a0 sys test2 test3 user4 user5"
  ).split(" "),
);

/**
 * Takes the flags. Throws `driver-options`.
 * @param subscription that `az` has chosen
 */
export function configure(config: AzureConfig, options: DriverOptions, computer: Computer, subscription: string): void {
  const { Tags, ...values } = read(options);
  Object.assign(config, values, { Tags: tagsOf(Tags) });
  takeOldDefaults(config, oldDefaults, computer, (field) => isSet(options, field));
  if (config.SubscriptionID === "") config.SubscriptionID = subscription;
  config.CustomDataFile = absoluteFile(config.CustomDataFile, computer.cwd);
  if (config.AvailabilitySet === "none" || (config.AvailabilityZone !== "" && !isSet(options, "AvailabilitySet")))
    config.AvailabilitySet = "";
  config.Location = config.Location.toLowerCase().replaceAll(" ", "");
  requireFields(config);
  requireTogether(config);
}

const required = [
  "SubscriptionID",
  "ResourceGroup",
  "SSHUser",
  "Location",
  "Image",
  "VirtualNetwork",
  "SubnetName",
  "StorageType",
] as const;

function requireFields(config: AzureConfig): void {
  for (const field of required) {
    if (config[field] !== "") continue;
    const flag = flagOf(field);
    throw wrongOptions(
      `azure driver requires the ${JSON.stringify(flag.slice(2))} option.`,
      field === "SubscriptionID"
        ? `Give it with ${flag}, in AZURE_SUBSCRIPTION_ID, or choose one with az account set.`
        : `Give it with ${flag}.`,
    );
  }
  cloudNamed(config.Environment);
  if (refusedUsers.has(config.SSHUser.toLowerCase()) || !/^[a-z_][\w.-]{0,31}$/iu.test(config.SSHUser))
    throw wrongOptions(
      `Azure takes no machine whose user is named ${JSON.stringify(config.SSHUser)}`,
      `Leave ${flagOf("SSHUser")} out, or choose another name.`,
    );
}

function requireTogether(config: AzureConfig): void {
  parseCidrs("azure-open-cidr", config.OpenCidrs);
  parseSecurityPorts(config.OpenPorts);
  const conflicts: readonly (readonly [boolean, string, string])[] = [
    [
      config.ClientSecret !== "" && config.ClientID === "",
      `${flagOf("ClientSecret")} needs ${flagOf("ClientID")}`,
      "Give both, or neither: then az login and other places are looked at.",
    ],
    [
      config.AvailabilityZone !== "" && config.AvailabilitySet !== "",
      `${flagOf("AvailabilityZone")} and ${flagOf("AvailabilitySet")} exclude each other`,
      "Leave one of them out.",
    ],
    [
      config.Spot && config.AvailabilitySet !== "" && config.AvailabilitySet !== "docker-machine",
      `A spot machine cannot be in an availability set`,
      `Leave ${flagOf("AvailabilitySet")} out.`,
    ],
    [
      config.SpotMaxPrice !== "-1" && !config.Spot,
      `${flagOf("SpotMaxPrice")} is for ${flagOf("Spot")}`,
      `Give ${flagOf("Spot")} too, or leave it out.`,
    ],
    [
      config.NoPublicIP && config.DNSLabel !== "",
      `${flagOf("DNSLabel")} names a public address, and ${flagOf("NoPublicIP")} is given`,
      "Leave one of them out.",
    ],
    [
      config.NSG !== "" && (config.OpenPorts.length > 0 || config.OpenCidrs.length > 0),
      `The group of ${flagOf("NSG")} is not changed, so ${flagOf("OpenPorts")} and ${flagOf("OpenCidrs")} have no effect`,
      "Leave them out, and open the ports in that group.",
    ],
  ];
  const found = conflicts.find(([isSo]) => isSo);
  if (found !== undefined) throw wrongOptions(found[1], found[2]);
  // Azure refuses it, and nobody asked for the set.
  if (config.Spot) config.AvailabilitySet = "";
}

/** In 0.16.2's words. */
export function parseSecurityPorts(given: readonly string[]): ReturnType<typeof parseOpenPorts> {
  for (const one of given) {
    const protocol = one.split("/")[1];
    if (protocol !== undefined && !["tcp", "udp", "*"].includes(protocol))
      throw wrongOptions(
        `cannot parse security rule protocol: invalid protocol ${protocol}`,
        `Give ${flagOf("OpenPorts")} a port, as 8080, 53/udp or 8000/*.`,
      );
  }
  return parseOpenPorts("azure-open-port", given);
}

const mostTags = 48;

/** `k,v,k,v`. Throws `driver-options`; two of Azure's fifty are ours. */
export function tagsOf(given: string): Record<string, string> {
  if (given === "") return {};
  const parts = given.split(",").map((part) => part.trim());
  const pairs = wordsInPairs(parts);
  const isWrong = parts.length % 2 !== 0 || pairs.some(([key]) => key === "" || key.length > 512 || /[<>%&\\?/]/u.test(key));
  if (isWrong || pairs.length > mostTags || pairs.some(([, value]) => value.length > 256))
    throw wrongOptions(
      `Tags ${JSON.stringify(given)} are not pairs of a name and a value that Azure takes`,
      `Write ${flagOf("Tags")} as name1,value1,name2,value2, at most ${mostTags} of them.`,
    );
  return Object.fromEntries(pairs);
}

/**
 * A record without a ledger is of 0.16.2, of Rancher's, or was saved by one of them: what it made goes by the machine's
 * name. Tags are a map in Rancher's; a list or a text of pairs becomes one too.
 */
export const upgrade: Upgrade = (stored) => {
  const { Tags, ...rest } = stored;
  const tags = Tags === undefined ? {} : { Tags: tagMap(Tags) };
  return { ...rest, ...tags, ...(stored["Resources"] === undefined ? { Resources: madeByOthers(stored) } : {}) };
};

function tagMap(tags: unknown): unknown {
  if (typeof tags === "string") return pairsOf(tags.split(","));
  if (Array.isArray(tags)) return pairsOf(tags.flatMap((one) => String(one).split(/[,=]/u)));
  if (typeof tags !== "object" || tags === null) return tags;
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, value === null ? "" : value]));
}

function pairsOf(parts: readonly string[]): Record<string, string> {
  return Object.fromEntries(wordsInPairs(parts).filter(([name]) => name !== ""));
}
