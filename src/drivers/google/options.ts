/** What a Compute Engine machine is: the options and the record they become. No I/O. */
import * as path from "node:path";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { absoluteFile, takeOldDefaults, wrongOptions } from "../../driver-kit/given-options.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { parseCidrs, parseOpenPorts } from "../../driver-kit/open-ports.ts";
import { bool, defineOptions, int, list, secret, text, url, userName, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import type { Computer } from "../../system/computer.ts";
import { parseAccelerator } from "./accelerator.ts";
import { labelsFromFlags, parseLabels, parsePairs } from "./labels.ts";

const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;

/** Flags and variables of 0.16.2 up to `OpenPorts`, in the order of its record; then Rancher's, GitLab's and ours. */
const recorded = {
  Zone: text("zone", { usage: "GCE Zone", envVar: "GOOGLE_ZONE,CLOUDSDK_COMPUTE_ZONE", value: "us-central1-a" }),
  MachineType: text("machine-type", { usage: "GCE Machine Type", envVar: "GOOGLE_MACHINE_TYPE", value: "e2-small" }),
  MachineImage: text("machine-image", {
    usage: "GCE Machine Image: a system (ubuntu, ubuntu-24.04, debian-13), PROJECT/global/images/NAME or …/family/NAME",
    envVar: "GOOGLE_MACHINE_IMAGE",
    value: "ubuntu",
  }),
  DiskType: text("disk-type", { usage: "GCE Instance Disk type", envVar: "GOOGLE_DISK_TYPE", value: "pd-balanced" }),
  Address: text("address", { usage: "GCE Instance External IP, or the name of a static address", envVar: "GOOGLE_ADDRESS" }),
  Network: text("network", { usage: "Specify network in which to provision vm", envVar: "GOOGLE_NETWORK", value: "default" }),
  Subnetwork: text("subnetwork", { usage: "Specify subnetwork in which to provision vm", envVar: "GOOGLE_SUBNETWORK" }),
  Preemptible: bool("preemptible", {
    usage: "GCE Instance Preemptibility: a spot instance, which Google may stop at any time",
    envVar: "GOOGLE_PREEMPTIBLE",
  }),
  UseInternalIP: bool("use-internal-ip", {
    usage: "Use internal GCE Instance IP rather than public one",
    envVar: "GOOGLE_USE_INTERNAL_IP",
  }),
  UseInternalIPOnly: bool("use-internal-ip-only", {
    usage: "Configure GCE instance to not have an external IP address",
    envVar: "GOOGLE_USE_INTERNAL_IP_ONLY",
  }),
  ServiceAccount: text("service-account", {
    usage: "GCE Service Account for the VM (email address); none attaches none",
    envVar: "GOOGLE_SERVICE_ACCOUNT",
    value: "default",
  }),
  Scopes: text("scopes", {
    usage: "GCE Scopes (comma-separated if multiple scopes)",
    envVar: "GOOGLE_SCOPES",
    value: ["devstorage.read_only", "logging.write", "monitoring.write"].map(scope).join(","),
  }),
  DiskSize: int("disk-size", {
    usage: "GCE Instance Disk Size (in GB)",
    envVar: "GOOGLE_DISK_SIZE",
    unit: "GB",
    value: 10,
    atLeast: 1,
  }),
  Project: text("project", {
    usage: "GCE Project",
    envVar: "GOOGLE_PROJECT,CLOUDSDK_CORE_PROJECT,GOOGLE_CLOUD_PROJECT",
  }),
  Tags: text("tags", { usage: "GCE Instance Tags (comma-separated)", envVar: "GOOGLE_TAGS" }),
  UseExisting: bool("use-existing", { usage: "Don't create a new VM, use an existing one", envVar: "GOOGLE_USE_EXISTING" }),
  OpenPorts: list("open-port", {
    usage: "Make the specified port number accessible from the Internet, e.g, 8080/tcp",
    envVar: "GOOGLE_OPEN_PORT",
  }),
  Auth: secret("auth-encoded-json", {
    usage: "Credentials of Google as JSON, plain or in base64",
    envVar: "GOOGLE_AUTH_ENCODED_JSON",
  }),
  OpenCidrs: list("open-cidr", {
    usage: "Range of addresses that may reach the machine; gives it a firewall rule of its own",
    envVar: "GOOGLE_OPEN_CIDR",
  }),
  Userdata: text("userdata", { usage: "Path to file with cloud-init user-data", envVar: "GOOGLE_USERDATA" }),
  MetadataItems: list("metadata", { usage: "Custom metadata of the instance, as key=value" }),
  MetadataFiles: list("metadata-from-file", { usage: "Custom metadata whose values are files, as key=path" }),
  MinCPUPlatform: text("min-cpu-platform", { usage: "Minimal CPU platform of the instance", envVar: "GOOGLE_MIN_CPU_PLATFORM" }),
  Accelerator: text("accelerator", { usage: "Accelerators, as count=N,type=TYPE", envVar: "GOOGLE_ACCELERATOR" }),
  MaintenancePolicy: text("maintenance-policy", {
    usage: "What happens when Google maintains the host: MIGRATE or TERMINATE",
    envVar: "GOOGLE_MAINTENANCE_POLICY",
    oneOf: ["MIGRATE", "TERMINATE"],
  }),
  SkipFirewall: bool("skip-firewall-create", {
    usage: "Make no firewall rule: the network lets the engine's port in already",
    envVar: "GOOGLE_SKIP_FIREWALL_CREATE",
  }),
  ProvisionedIops: int("provisioned-iops", {
    usage: "IOPS of the disk, for types that take a figure",
    envVar: "GOOGLE_PROVISIONED_IOPS",
    atLeast: 0,
  }),
  ProvisionedThroughput: int("provisioned-throughput", {
    usage: "Throughput of the disk in MB/s, for types that take a figure",
    envVar: "GOOGLE_PROVISIONED_THROUGHPUT",
    atLeast: 0,
  }),
  ExternalFirewallRulePrefix: text("external-firewall-rule-prefix", {
    usage: "Accepted and recorded, of no effect: a firewall of Rancher's clusters",
    envVar: "GOOGLE_EXTERNAL_FIREWALL_RULE_PREFIX",
  }),
  InternalFirewallRulePrefix: text("internal-firewall-rule-prefix", {
    usage: "Accepted and recorded, of no effect: a firewall of Rancher's clusters",
    envVar: "GOOGLE_INTERNAL_FIREWALL_RULE_PREFIX",
  }),
  IPv6: bool("ipv6", { usage: "Give the instance an external IPv6 address too", envVar: "GOOGLE_IPV6" }),
  DiskKmsKey: text("disk-kms-key", {
    usage: "Key of Cloud KMS that encrypts the disk",
    envVar: "GOOGLE_DISK_KMS_KEY",
    matches: {
      pattern: /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+(?:\/cryptoKeyVersions\/\d+)?$/u,
      wanted: "a key as projects/P/locations/L/keyRings/R/cryptoKeys/K",
    },
  }),
  SecureBoot: bool("shielded-secure-boot", { usage: "Boot only what the image's makers have signed" }),
  Endpoint: url("endpoint", {
    usage: "URL of the Compute Engine API",
    envVar: "GOOGLE_COMPUTE_CUSTOM_ENDPOINT",
    value: "https://compute.googleapis.com/compute/v1",
  }),
} as const;

/** Flags whose values are recorded in another form, or not at all. */
const unrecorded = {
  Username: text("username", { usage: "GCE User Name", envVar: "GOOGLE_USERNAME", value: "docker-user" }),
  VmLabelsText: text("vm-labels", { usage: "Labels of the VM, as key,value,key,value", envVar: "GOOGLE_VM_LABELS" }),
  LabelList: list("label", { usage: "Label of the VM, as key:value" }),
  BackoffInitial: int("operation-backoff-initial-interval", { usage: "Accepted, of no effect", value: 1 }),
  BackoffFactor: text("operation-backoff-randomization-factor", { usage: "Accepted, of no effect", value: "0.5" }),
  BackoffMultiplier: text("operation-backoff-multipler", { usage: "Accepted, of no effect", value: "2" }),
  BackoffMost: int("operation-backoff-max-interval", { usage: "Accepted, of no effect", value: 30 }),
  BackoffElapsed: int("operation-backoff-max-elapsed-time", {
    usage: "Longest time in seconds that is waited for an operation of Google; DOCKER_MACHINE's own bound unless given",
    value: 300,
    atLeast: 1,
  }),
  BulkInsert: bool("bulk-insert", { usage: "Not supported: machines are made one by one", envVar: "GOOGLE_BULK_INSERT" }),
  Region: text("region", { usage: "Not supported: needs bulk-insert", envVar: "GOOGLE_REGION" }),
  FlexMachineTypes: list("flex-machine-type", { usage: "Not supported: needs bulk-insert", envVar: "GOOGLE_FLEX_MACHINE_TYPE" }),
  LocationZones: list("location-zone", { usage: "Not supported: needs bulk-insert", envVar: "GOOGLE_LOCATION_ZONE" }),
} as const;

export const googleOptions = defineOptions("google", { ...recorded, ...unrecorded });
const recordedOptions = defineOptions("google", recorded);
const { flagOf, isSet, read } = googleOptions;

export interface GoogleConfig extends ProviderConfig, ConfigOf<typeof recordedOptions> {
  /** As asked for; "" while nothing was. */
  InstanceName: string;
  /** Google's own id of the instance, 64 bits; "" while it is not known. Another instance of the name has another. */
  InstanceNumericId: string;
  /** `key=value`. */
  VmLabels: string[];
  /** Another after each instance that was asked for in vain: a further request must not be taken for the one that failed. */
  InsertNonce: string;
  /** `X86_64` or `ARM64`. */
  Architecture: string;
  /** The static address behind `Address`; "" = one that Google lends. */
  StaticIP: string;
  /** Seconds; 0 = the program's own. */
  OperationBound: number;
  /** Whether the guest was given private host keys of ours as user data, which anybody on it can read. */
  KeysInUserData: boolean;
  /** How long Google lets it run from its start on before it deletes it; 0 = for ever. */
  MaxRunSeconds: number;
  /** Whether Google was asked for the guest's host keys to the end: later boots are not asked again. */
  HostKeysAsked: boolean;
}

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<GoogleConfig, keyof ProviderConfig> & { SSHUser: string } {
  return {
    SSHUser: "docker-user",
    ...recordedOptions.defaults(),
    ...{ InstanceName: "", InstanceNumericId: "", VmLabels: [], InsertNonce: "", Architecture: "", StaticIP: "" },
    ...{ OperationBound: 0, KeysInUserData: false, HostKeysAsked: false, MaxRunSeconds: 0 },
  };
}

const firstNew = Object.keys(recorded).indexOf("OpenPorts") + 1;

/** What 0.16.2 drops when it saves. */
export const newKeys: readonly string[] = [
  ...Object.keys(recorded).slice(firstNew),
  ...["InstanceName", "InstanceNumericId", "VmLabels", "InsertNonce", "Architecture", "StaticIP", "OperationBound"],
  ...["KeysInUserData", "HostKeysAsked", "MaxRunSeconds", "Resources", "HostKeys"],
];

/** Of 0.16.2; its image is gone from Google, and may be there again on a private endpoint. */
const oldDefaults = {
  MachineType: "n1-standard-1",
  MachineImage: "ubuntu-os-cloud/global/images/ubuntu-1604-xenial-v20170721",
  DiskType: "pd-standard",
} as const;

/** Takes the flags. Throws `driver-options`. */
export function configure(config: GoogleConfig, options: DriverOptions, computer: Computer): void {
  const { cwd } = computer;
  const given = read(options);
  refuseBulk(given);
  for (const field of Object.keys(recorded) as (keyof typeof recorded)[]) Object.assign(config, { [field]: given[field] });
  takeOldDefaults(config, oldDefaults, computer, (field) => isSet(options, field));
  config.SSHUser = given.Username;
  config.SSHPort = guestSshPort;
  config.MachineImage = config.MachineImage.replace(apiPrefix, "");
  config.UseInternalIP ||= config.UseInternalIPOnly;
  config.VmLabels = [...labelsFromFlags(given.VmLabelsText, given.LabelList)];
  config.OperationBound = isSet(options, "BackoffElapsed") ? given.BackoffElapsed : 0;
  config.Userdata = absoluteFile(config.Userdata, cwd);
  config.MetadataFiles = parsePairs("google-metadata-from-file", config.MetadataFiles).map(
    ([key, file]) => `${key}=${path.resolve(cwd, file)}`,
  );
  check(config);
}

const apiPrefix = /^https:\/\/(?:www|compute)\.googleapis\.com\/compute\/v1\/projects\//u;

/** 0.16.2's defaults stand for "whatever will do": an image may need a larger disk, and some families another kind. */
export const defaultDisk = { size: 10, type: "pd-balanced" } as const;

function check(config: GoogleConfig): void {
  if (config.SSHUser === "root")
    throw wrongOptions(
      "Images of Google let root in by no key",
      `Give another user with ${flagOf("Username")}, or leave it out.`,
    );
  if (!userName.pattern.test(config.SSHUser))
    throw wrongOptions(
      `${flagOf("Username")} ${JSON.stringify(config.SSHUser)} is no name of a Linux user`,
      "Use lower-case letters, digits, _ and -, a letter first.",
    );
  if (config.Address !== "" && config.UseInternalIPOnly)
    throw wrongOptions(
      `${flagOf("Address")} and ${flagOf("UseInternalIPOnly")} exclude each other`,
      "Leave one of them out: a machine without an external address has no use for one.",
    );
  if (config.SkipFirewall && config.OpenCidrs.length > 0)
    throw wrongOptions(
      `${flagOf("SkipFirewall")} and ${flagOf("OpenCidrs")} exclude each other`,
      "Leave one of them out: ranges are what the rule is made of.",
    );
  if (config.Accelerator !== "") {
    parseAccelerator(config.Accelerator);
    if (config.MaintenancePolicy === "MIGRATE")
      throw wrongOptions(
        "An instance with accelerators cannot migrate",
        `Give ${flagOf("MaintenancePolicy")} TERMINATE, or leave it out.`,
      );
  }
  if (config.Preemptible && config.MaintenancePolicy === "MIGRATE")
    throw wrongOptions(
      "A preemptible instance cannot migrate",
      `Give ${flagOf("MaintenancePolicy")} TERMINATE, or leave it out.`,
    );
  parseLabels(config.VmLabels);
  parsePairs("google-metadata", config.MetadataItems);
  parseCidrs("google-open-cidr", config.OpenCidrs);
  parseOpenPorts("google-open-port", config.OpenPorts);
}

function refuseBulk(given: { BulkInsert: boolean; Region: string; FlexMachineTypes: string[]; LocationZones: string[] }): void {
  const asked = (["BulkInsert", "Region", "FlexMachineTypes", "LocationZones"] as const).find((field) => {
    const value = given[field];
    return Array.isArray(value) ? value.length > 0 : value !== false && value !== "";
  });
  if (asked === undefined) return;
  throw wrongOptions(
    `${flagOf(asked)} is not supported: instances are asked for one by one, not in bulk and not by instance groups`,
    `Leave it out, and choose with ${flagOf("Zone")} and ${flagOf("MachineType")}; a failed create for want of room exits with provider-capacity.`,
  );
}

/** us-central1 of us-central1-a. */
export function regionOf({ Zone }: Pick<GoogleConfig, "Zone">): string {
  return Zone.slice(0, -2);
}
