/** What an OpenStack machine is: the options, the record they become, and records of other tools. No I/O but the user's file. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { absoluteFile, namesIn, wordsInPairs, wrongOptions } from "../../driver-kit/given-options.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { parseCidrs, parseOpenPorts } from "../../driver-kit/open-ports.ts";
import { bool, defineOptions, int, list, port, secret, text, url, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import type { Computer } from "../../system/computer.ts";
import { readFileIfExists } from "../../system/files.ts";

/** 0.16.2's. */
export const defaultActiveSeconds = 200;

/** Flags and variables of 0.16.2 up to `ConfigDrive`; then Rancher's, then ours. Of variables the modern names count too. */
export const openStackOptions = defineOptions("openstack", {
  AuthUrl: url("auth-url", {
    usage: "OpenStack authentication URL: Keystone's, with or without /v3",
    envVar: "OS_AUTH_URL",
  }),
  ActiveTimeout: int("active-timeout", {
    usage: "OpenStack active timeout: seconds until the instance must be active",
    envVar: "OS_ACTIVE_TIMEOUT",
    value: defaultActiveSeconds,
    atLeast: 1,
  }),
  Insecure: bool("insecure", { usage: "Disable TLS credential checking.", envVar: "OS_INSECURE" }),
  CaCert: text("cacert", { usage: "CA certificate bundle to verify against", envVar: "OS_CACERT" }),
  DomainID: text("domain-id", {
    usage: "OpenStack domain ID, of user and project",
    envVar: "OS_DOMAIN_ID,OS_DEFAULT_DOMAIN_ID",
  }),
  DomainName: text("domain-name", {
    usage: "OpenStack domain name, of user and project",
    envVar: "OS_DOMAIN_NAME,OS_DEFAULT_DOMAIN_NAME,OS_DEFAULT_DOMAIN",
  }),
  Username: text("username", { usage: "OpenStack username", envVar: "OS_USERNAME" }),
  Password: secret("password", { usage: "OpenStack password", envVar: "OS_PASSWORD" }),
  TenantName: text("tenant-name", { usage: "OpenStack tenant (project) name", envVar: "OS_TENANT_NAME,OS_PROJECT_NAME" }),
  TenantId: text("tenant-id", { usage: "OpenStack tenant (project) id", envVar: "OS_TENANT_ID,OS_PROJECT_ID" }),
  Region: text("region", { usage: "OpenStack region name", envVar: "OS_REGION_NAME" }),
  AvailabilityZone: text("availability-zone", { usage: "OpenStack availability zone", envVar: "OS_AVAILABILITY_ZONE" }),
  EndpointType: text("endpoint-type", {
    usage: "OpenStack endpoint type (adminURL, internalURL or publicURL)",
    envVar: "OS_ENDPOINT_TYPE,OS_INTERFACE",
  }),
  FlavorName: text("flavor-name", {
    usage: "OpenStack flavor name to use for the instance",
    envVar: "OS_FLAVOR_NAME",
  }),
  FlavorId: text("flavor-id", { usage: "OpenStack flavor id to use for the instance", envVar: "OS_FLAVOR_ID" }),
  ImageName: text("image-name", {
    usage: "OpenStack image name to use for the instance; or a system (ubuntu, ubuntu-24.04, debian-13)",
    envVar: "OS_IMAGE_NAME",
  }),
  ImageId: text("image-id", { usage: "OpenStack image id to use for the instance", envVar: "OS_IMAGE_ID" }),
  KeyPairName: text("keypair-name", {
    usage: "OpenStack keypair to use to SSH to the instance",
    envVar: "OS_KEYPAIR_NAME",
  }),
  NetworkName: text("net-name", {
    usage: "OpenStack network name the machine will be connected on",
    envVar: "OS_NETWORK_NAME",
  }),
  NetworkId: text("net-id", { usage: "OpenStack network id the machine will be connected on", envVar: "OS_NETWORK_ID" }),
  UserDataFile: text("user-data-file", {
    usage: "File containing an openstack userdata script, joined with what the machine needs",
    envVar: "OS_USER_DATA_FILE",
  }),
  PrivateKeyFile: text("private-key-file", {
    usage: "Private keyfile to use for SSH, of the keypair (absolute path)",
    envVar: "OS_PRIVATE_KEY_FILE",
  }),
  SecGroups: text("sec-groups", {
    usage: "OpenStack comma separated security groups for the machine",
    envVar: "OS_SECURITY_GROUPS",
  }),
  FloatingIpPool: text("floatingip-pool", {
    usage: "OpenStack floating IP pool (external network) to get an IP from to assign to the instance",
    envVar: "OS_FLOATINGIP_POOL",
  }),
  ComputeNetwork: bool("nova-network", {
    usage: "refused: OpenStack has had no nova-network since 2018",
    envVar: "OS_NOVA_NETWORK",
  }),
  IpVersion: int("ip-version", {
    usage: "OpenStack version of IP address assigned for the machine",
    envVar: "OS_IP_VERSION",
    value: 4,
  }),
  SSHUser: text("ssh-user", { usage: "OpenStack SSH user", envVar: "OS_SSH_USER", value: "root" }),
  SSHPort: port("ssh-port", { usage: "OpenStack SSH port", envVar: "OS_SSH_PORT", value: guestSshPort }),
  ConfigDrive: bool("config-drive", {
    usage: "Enables the OpenStack config drive for the instance",
    envVar: "OS_CONFIG_DRIVE",
  }),
  Metadata: text("metadata", {
    usage: "key,value,key,value…: metadata of the instance, and tags of what is made with it",
    envVar: "OS_METADATA",
  }),
  UserId: text("user-id", { usage: "OpenStack user id", envVar: "OS_USER_ID,OS_USERID" }),
  TenantDomainName: text("tenant-domain-name", {
    usage: "OpenStack tenant (project) domain name",
    envVar: "OS_TENANT_DOMAIN_NAME,OS_PROJECT_DOMAIN_NAME",
  }),
  TenantDomainId: text("tenant-domain-id", {
    usage: "OpenStack tenant (project) domain id",
    envVar: "OS_TENANT_DOMAIN_ID,OS_PROJECT_DOMAIN_ID",
  }),
  UserDomainName: text("user-domain-name", { usage: "OpenStack user domain name", envVar: "OS_USER_DOMAIN_NAME" }),
  UserDomainId: text("user-domain-id", { usage: "OpenStack user domain id", envVar: "OS_USER_DOMAIN_ID" }),
  ApplicationCredentialId: text("application-credential-id", {
    usage: "OpenStack application credential id",
    envVar: "OS_APPLICATION_CREDENTIAL_ID",
  }),
  ApplicationCredentialName: text("application-credential-name", {
    usage: "OpenStack application credential name; needs a user",
    envVar: "OS_APPLICATION_CREDENTIAL_NAME",
  }),
  ApplicationCredentialSecret: secret("application-credential-secret", {
    usage: "OpenStack application credential secret",
    envVar: "OS_APPLICATION_CREDENTIAL_SECRET",
  }),
  ServerGroupName: text("server-group-name", {
    usage: "OpenStack server group name, for where instances may stand",
    envVar: "OS_SERVER_GROUP_NAME",
  }),
  ServerGroupId: text("server-group-id", { usage: "OpenStack server group id", envVar: "OS_SERVER_GROUP_ID" }),
  BootFromVolume: bool("boot-from-volume", { usage: "the instance's root is a new volume, which goes with it" }),
  VolumeName: text("volume-name", { usage: "name of the data volume; the machine's with -data unless told" }),
  VolumeDevicePath: text("volume-device-path", { usage: "device of the data volume, /dev/vdb; chosen by OpenStack unless told" }),
  VolumeId: text("volume-id", { usage: "existing volume to attach, which stays" }),
  VolumeType: text("volume-type", { usage: "type of the volume that is made" }),
  VolumeSize: int("volume-size", {
    usage: "GiB of the root volume with --openstack-boot-from-volume, else of a data volume that is made and attached",
    atLeast: 0,
  }),
  Cloud: text("cloud", {
    usage: "entry of clouds.yaml, which fills what flags and variables leave open",
    envVar: "OS_CLOUD",
  }),
  OpenCidrs: list("open-cidr", {
    usage: "range of addresses that may reach the machine; makes a security group for it",
    envVar: "OS_OPEN_CIDR",
  }),
  OpenPorts: list("open-port", { usage: "further port that the security group lets in: 80, 53/udp; makes the group too" }),
});

type Options = ConfigOf<typeof openStackOptions>;

export interface OpenStackConfig extends ProviderConfig, Omit<Options, "UserDataFile" | "SecGroups"> {
  /** Nova's identifier; "" while it is not known. */
  MachineId: string;
  /** Base64 of the user's file, as Go writes bytes. */
  UserData: string;
  SecurityGroups: string[];
  FloatingIpPoolId: string;
  /** The key pair is the user's and stays. */
  ExistingKey: boolean;
  /** When a server was asked for last, in ISO 8601; "" while none was. */
  RequestedAt: string;
}

const { defaults, flagOf, read } = openStackOptions;

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<OpenStackConfig, keyof ProviderConfig> {
  const { SSHUser: _user, SSHPort: _port, UserDataFile: _file, SecGroups: _groups, ...given } = defaults();
  const { AuthUrl, ActiveTimeout, Insecure, CaCert, DomainID, DomainName, Username, Password, TenantName, TenantId, ...rest } =
    given;
  const { Region, AvailabilityZone, EndpointType, FlavorName, FlavorId, ImageName, ImageId, KeyPairName, ...more } = rest;
  const { NetworkName, NetworkId, PrivateKeyFile, FloatingIpPool, ComputeNetwork, IpVersion, ConfigDrive, ...newer } = more;
  return {
    ...{ AuthUrl, ActiveTimeout, Insecure, CaCert, DomainID, DomainName, Username, Password, TenantName, TenantId },
    ...{ Region, AvailabilityZone, EndpointType, MachineId: "", FlavorName, FlavorId, ImageName, ImageId, KeyPairName },
    ...{ NetworkName, NetworkId, UserData: "", PrivateKeyFile, SecurityGroups: [], FloatingIpPool, ComputeNetwork },
    ...{ FloatingIpPoolId: "", IpVersion, ConfigDrive, ExistingKey: false },
    ...newer,
    RequestedAt: "",
  };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["Metadata", "UserId", "TenantDomainName", "TenantDomainId", "UserDomainName", "UserDomainId"],
  ...["ApplicationCredentialId", "ApplicationCredentialName", "ApplicationCredentialSecret"],
  ...["ServerGroupName", "ServerGroupId", "BootFromVolume", "VolumeName", "VolumeDevicePath", "VolumeId", "VolumeType"],
  ...["VolumeSize", "Cloud", "OpenCidrs", "OpenPorts", "RequestedAt", "Resources", "HostKeys"],
] as const satisfies readonly (keyof OpenStackConfig)[];

/** Takes the flags. Throws `driver-options`. */
export async function configure(config: OpenStackConfig, options: DriverOptions, { cwd }: Computer): Promise<void> {
  const { UserDataFile, SecGroups, ...given } = read(options);
  Object.assign(config, given);
  config.CaCert = absoluteFile(config.CaCert, cwd);
  config.PrivateKeyFile = absoluteFile(config.PrivateKeyFile, cwd);
  config.SecurityGroups = [...namesIn(SecGroups)];
  config.ExistingKey = config.KeyPairName !== "";
  config.EndpointType = storedEndpointType(config.EndpointType);
  config.UserData = UserDataFile === "" ? "" : await readUserData(absoluteFile(UserDataFile, cwd));
  requireTogether(config);
}

async function readUserData(file: string): Promise<string> {
  const bytes = await readFileIfExists(file);
  if (bytes !== undefined) return bytes.toString("base64");
  throw wrongOptions(
    `open ${file}: no such file or directory`,
    `Give its path with ${flagOf("UserDataFile")}, or leave that out.`,
  );
}

const endpointTypes: Readonly<Record<string, string>> = {
  "": "",
  ...{ publicURL: "publicURL", internalURL: "internalURL", adminURL: "adminURL" },
  ...{ public: "publicURL", internal: "internalURL", admin: "adminURL" },
};

/** As 0.16.2 reads it. */
function storedEndpointType(given: string): string {
  const stored = endpointTypes[given];
  if (stored !== undefined) return stored;
  throw wrongOptions("Endpoint type must be 'publicURL', 'adminURL' or 'internalURL'", `Correct ${flagOf("EndpointType")}.`);
}

/** In 0.16.2's words where it had some. */
function requireTogether(config: OpenStackConfig): void {
  for (const [what, name, id] of [
    ["Flavor", config.FlavorName, config.FlavorId],
    ["Image", config.ImageName, config.ImageId],
    ["Network", config.NetworkName, config.NetworkId],
    ["Server group", config.ServerGroupName, config.ServerGroupId],
  ] as const) {
    if (name !== "" && id !== "")
      throw wrongOptions(`Either ${what} name or ${what} id must be specified, not both`, "Leave one of them out.");
  }
  if ((config.KeyPairName === "") !== (config.PrivateKeyFile === ""))
    throw wrongOptions(
      "Both KeyPairName and PrivateKeyFile must be specified",
      `Give ${flagOf("KeyPairName")} and ${flagOf("PrivateKeyFile")}, or neither: then the machine gets a key of its own.`,
    );
  if (config.ComputeNetwork)
    throw wrongOptions(
      `${flagOf("ComputeNetwork")} cannot be used: OpenStack has had no nova-network since its release of 2018`,
      `Leave it out; networks are Neutron's, by ${flagOf("NetworkName")}.`,
    );
  if (config.IpVersion !== 4 && config.IpVersion !== 6)
    throw wrongOptions(`${flagOf("IpVersion")} ${config.IpVersion} is neither 4 nor 6`, "Give one of them.");
  if (config.VolumeId !== "" && (config.VolumeSize > 0 || config.BootFromVolume))
    throw wrongOptions(
      `${flagOf("VolumeId")} attaches a volume that exists, and excludes ${flagOf("VolumeSize")} and ${flagOf("BootFromVolume")}`,
      "Leave one of them out.",
    );
  metadataOf(config);
  parseCidrs("openstack-open-cidr", config.OpenCidrs);
  parseOpenPorts("openstack-open-port", config.OpenPorts);
}

/** The user's pairs. Throws `driver-options` for a key without a value, or what Nova does not take. */
export function metadataOf({ Metadata }: Pick<OpenStackConfig, "Metadata">): Readonly<Record<string, string>> {
  if (Metadata === "") return {};
  const words = Metadata.split(",");
  const how = `Write ${flagOf("Metadata")} as key,value,key,value; keys and values have at most 255 characters.`;
  if (words.length % 2 !== 0) throw wrongOptions("metadata must be in form of key1,value1,key2,value2", how);
  const pairs = wordsInPairs(words).map(([key, value]) => [key.trim(), value] as const);
  const unfit = pairs.find(([key, value]) => !/^[\w:. -]{1,255}$/u.test(key) || value.length > 255);
  if (unfit !== undefined) throw wrongOptions(`OpenStack takes no metadata ${JSON.stringify(unfit[0])}`, how);
  return Object.fromEntries(pairs);
}

/** Whether the machine gets a security group of its own. */
export function hasOwnGroup({ OpenCidrs, OpenPorts }: OpenStackConfig): boolean {
  return OpenCidrs.length > 0 || OpenPorts.length > 0;
}

/** Whether a data volume is made with the machine. */
export function hasOwnVolume({ BootFromVolume, VolumeSize }: OpenStackConfig): boolean {
  return !BootFromVolume && VolumeSize > 0;
}

/**
 * Rancher spells a domain's id differently. A record without a ledger is of 0.16.2, of Rancher's, or was saved by one of
 * them: server and key pair are in its own fields; what else Rancher made is not told from what was there.
 */
export const upgrade: Upgrade = (stored) => {
  const { DomainId, DomainID } = stored;
  const named = typeof DomainId === "string" && DomainID === undefined ? { ...stored, DomainID: DomainId } : stored;
  if (stored["Resources"] !== undefined) return named;
  const { MachineId, KeyPairName, ExistingKey } = stored;
  const made = [
    ...(typeof MachineId === "string" && MachineId !== "" ? [`instance=${MachineId}`] : []),
    ...(typeof KeyPairName === "string" && KeyPairName !== "" && ExistingKey !== true ? [`key-pair=${KeyPairName}`] : []),
  ];
  return { ...named, Resources: made };
};
