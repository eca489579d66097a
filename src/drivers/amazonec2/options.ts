/** What an EC2 machine is: the options and the record they become, in 0.16.2's order. No I/O. */
import type { CreateFlag, DriverOptions } from "../../driver-kit/create-flag.ts";
import { absoluteFile, takeOldDefaults, wordsInPairs, wrongOptions } from "../../driver-kit/given-options.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { markedName } from "../../driver-kit/marks.ts";
import { parseCidrs, parseOpenPorts } from "../../driver-kit/open-ports.ts";
import { bool, defineOptions, int, list, port, secret, text, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import type { Computer } from "../../system/computer.ts";

const onOff = ["enabled", "disabled"];

/** Flags and variables of 0.16.2 with its spelling, then Rancher's and ours. */
const amazonec2Options = defineOptions("amazonec2", {
  AccessKey: secret("access-key", { usage: "AWS Access Key", envVar: "AWS_ACCESS_KEY_ID" }),
  SecretKey: secret("secret-key", { usage: "AWS Secret Key", envVar: "AWS_SECRET_ACCESS_KEY" }),
  SessionToken: secret("session-token", { usage: "AWS Session Token", envVar: "AWS_SESSION_TOKEN" }),
  Region: text("region", {
    usage: "AWS region; when not given, the profile's",
    envVar: "AWS_DEFAULT_REGION,AWS_REGION",
    value: "us-east-1",
    matches: { pattern: /^[a-z0-9-]+$/u, wanted: "the name of a region, as eu-central-1" },
  }),
  AMI: text("ami", {
    usage: "AWS machine image: a system (ubuntu, ubuntu-24.04, debian-13, al2023), an id, or resolve:ssm:NAME",
    envVar: "AWS_AMI",
    value: "ubuntu",
  }),
  KeyName: text("keypair-name", {
    usage: "AWS keypair to use; its private key is that of --amazonec2-ssh-keypath, or in the SSH agent",
    envVar: "AWS_KEYPAIR_NAME",
  }),
  InstanceType: text("instance-type", { usage: "AWS instance type", envVar: "AWS_INSTANCE_TYPE", value: "t3.micro" }),
  SecurityGroupNames: list("security-group", {
    usage: "AWS VPC security group, by name (made if missing) or id",
    envVar: "AWS_SECURITY_GROUP",
    value: ["docker-machine"],
  }),
  SecurityGroupReadOnly: bool("security-group-readonly", {
    usage: "Skip adding default rules to security groups",
    envVar: "AWS_SECURITY_GROUP_READONLY",
  }),
  OpenPorts: list("open-port", { usage: "Make the specified port number accessible from the Internet: 80, 53/udp" }),
  Tags: text("tags", { usage: "AWS Tags (e.g. key1,value1,key2,value2)", envVar: "AWS_TAGS" }),
  DeviceName: text("device-name", {
    usage: "AWS root device name; when not given, the image's",
    envVar: "AWS_DEVICE_NAME",
    value: "/dev/sda1",
  }),
  RootSize: int("root-size", { usage: "AWS root disk size (in GB)", envVar: "AWS_ROOT_SIZE", unit: "GB", value: 16, atLeast: 1 }),
  VolumeType: text("volume-type", {
    usage: "Amazon EBS volume type",
    envVar: "AWS_VOLUME_TYPE",
    value: "gp3",
    oneOf: ["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"],
  }),
  IamInstanceProfile: text("iam-instance-profile", {
    usage: "AWS IAM Instance Profile, by name or ARN",
    envVar: "AWS_INSTANCE_PROFILE",
  }),
  VpcId: text("vpc-id", { usage: "AWS VPC id; the default VPC when empty", envVar: "AWS_VPC_ID" }),
  SubnetId: text("subnet-id", { usage: "AWS VPC subnet id", envVar: "AWS_SUBNET_ID" }),
  Zone: text("zone", {
    usage: "AWS zone for instance (i.e. a,b,c,d,e); when not given, the first that offers the instance type",
    envVar: "AWS_ZONE",
    value: "a",
  }),
  RequestSpotInstance: bool("request-spot-instance", { usage: "Set this flag to request spot instance" }),
  SpotPrice: text("spot-price", {
    usage: "AWS spot instance bid price (in dollar); when not given, up to the price on demand",
    matches: { pattern: /^\d*\.?\d+$/u, wanted: "a price in dollars, as 0.50" },
  }),
  BlockDurationMinutes: int("block-duration-minutes", { usage: "accepted and of no effect: AWS has withdrawn spot blocks" }),
  PrivateIPOnly: bool("private-address-only", { usage: "Only use a private IP address" }),
  UsePrivateIP: bool("use-private-address", { usage: "Force the usage of private IP address" }),
  UseEbsOptimizedInstance: bool("use-ebs-optimized-instance", { usage: "Create an EBS optimized instance" }),
  Monitoring: bool("monitoring", { usage: "Set this flag to enable CloudWatch monitoring" }),
  SSHUser: text("ssh-user", {
    usage: "SSH username; when not given, the image's",
    envVar: "AWS_SSH_USER",
    value: "ubuntu",
  }),
  SSHPort: port("ssh-port", { usage: "SSH port", envVar: "AWS_SSH_PORT", value: guestSshPort }),
  SSHPrivateKeyPath: text("ssh-keypath", { usage: "SSH Key for Instance", envVar: "AWS_SSH_KEYPATH" }),
  RetryCount: int("retries", {
    usage: "Set retry count for recoverable failures (use -1 to disable)",
    value: 5,
    atLeast: -1,
    atMost: 50,
  }),
  Endpoint: text("endpoint", {
    usage: "Optional endpoint URL (hostname only or fully qualified URI)",
    envVar: "AWS_ENDPOINT,AWS_ENDPOINT_URL_EC2,AWS_ENDPOINT_URL",
    matches: { pattern: /^(?:https?:\/\/)?[^\s/]+\/?$/u, wanted: "a host or a URL" },
  }),
  DisableSSL: bool("insecure-transport", {
    usage: "Disable SSL when sending requests",
    envVar: "AWS_INSECURE_TRANSPORT",
  }),
  UserDataFile: text("userdata", { usage: "path to file with cloud-init user data", envVar: "AWS_USERDATA" }),
  VolumeIops: int("volume-iops", { usage: "IOPS of the root disk (gp3, io1, io2); 0 = AWS's default", atLeast: 0 }),
  VolumeThroughput: int("volume-throughput", {
    usage: "throughput of the root disk in MiB/s (gp3); 0 = AWS's default",
    atLeast: 0,
  }),
  VolumeEncrypted: bool("encrypt-ebs-volume", { usage: "encrypt the root disk", envVar: "AWS_ENCRYPT_EBS_VOLUME" }),
  VolumeKmsKeyId: text("kms-key", { usage: "KMS key that encrypts the root disk", envVar: "AWS_KMS_KEY", secret: false }),
  HttpEndpoint: text("http-endpoint", {
    usage: "instance metadata service: enabled or disabled",
    envVar: "AWS_HTTP_ENDPOINT",
    oneOf: onOff,
  }),
  HttpTokens: text("http-tokens", {
    usage: "tokens of the instance metadata service (IMDSv2): required or optional",
    envVar: "AWS_HTTP_TOKENS",
    value: "required",
    oneOf: ["required", "optional"],
    secret: false,
  }),
  HttpPutResponseHopLimit: int("http-put-response-hop-limit", {
    usage: "how many hops the metadata service's tokens travel; 2 reaches containers",
    value: 2,
    atLeast: 1,
    atMost: 64,
  }),
  HttpProtocolIpv6: text("http-protocol-ipv6", {
    usage: "the metadata service's IPv6 address: enabled or disabled",
    envVar: "AWS_HTTP_PROTOCOL_IPV6",
    value: "disabled",
    oneOf: onOff,
  }),
  Ipv6AddressCount: int("ipv6-address-count", {
    usage: "number of IPv6 addresses",
    envVar: "AWS_IPV6_ADDRESS_COUNT",
    atLeast: 0,
  }),
  Ipv6AddressOnly: bool("ipv6-address-only", {
    usage: "no public IPv4 address; the machine is reached by IPv6",
    envVar: "AWS_IPV6_ADDRESS_ONLY",
  }),
  EnablePrimaryIpv6: bool("enable-primary-ipv6", {
    usage: "make the first IPv6 address the primary one, which stays",
    envVar: "AWS_ENABLE_PRIMARY_IPV6",
  }),
  OpenCidrs: list("open-cidr", {
    usage: "range of addresses that may reach the machine; makes a security group of its own",
    envVar: "AWS_OPEN_CIDR",
  }),
  Profile: text("profile", { usage: "named profile of ~/.aws/config", envVar: "AWS_PROFILE" }),
  SpotInterruption: text("spot-interruption", {
    usage: "what AWS does when it takes a spot instance back: terminate, or stop (it may be started again)",
    value: "terminate",
    oneOf: ["terminate", "stop"],
  }),
});

/** GitLab's names for options that have others. Not stored. */
const aliases = defineOptions("amazonec2", {
  VolumeEncrypted: bool("volume-encrypted", { usage: "same as --amazonec2-encrypt-ebs-volume" }),
  VolumeKmsKeyId: text("volume-kms-key", {
    usage: "same as --amazonec2-kms-key",
    envVar: "AWS_VOLUME_KMS_KEY",
    secret: false,
  }),
  HttpTokens: text("metadata-token", {
    usage: "same as --amazonec2-http-tokens",
    oneOf: ["required", "optional"],
    secret: false,
  }),
  HttpPutResponseHopLimit: int("metadata-token-response-hop-limit", {
    usage: "same as --amazonec2-http-put-response-hop-limit",
    atLeast: 1,
    atMost: 64,
    or: 0,
    secret: false,
  }),
});

export const amazonec2Flags: readonly CreateFlag[] = [...amazonec2Options.flags, ...aliases.flags];

export interface Amazonec2Config extends ProviderConfig, ConfigOf<typeof amazonec2Options> {
  /** 0.16.2's, random and unused; so are the next ones that say so. */
  Id: string;
  /** Unused. */
  SSHKeyID: number;
  /** The key pair is the user's. */
  ExistingKey: boolean;
  /** "" while it is not known. */
  InstanceId: string;
  PrivateIPAddress: string;
  /** Of versions before 0.16.2; read, never written. */
  SecurityGroupId: string;
  SecurityGroupIds: string[];
  /** Of versions before 0.16.2; read, never written. */
  SecurityGroupName: string;
  /** Unused. */
  ReservationId: string;
  IPv6Address: string;
  SpotInstanceRequestId: string;
  KeyPairId: string;
  /** The account that the instance is in: credentials of another would find nothing, and take that for gone. */
  OwnerId: string;
  /** A group of the machine's own, which goes with it. */
  OwnSecurityGroup: boolean;
  /** A power-off from within ends it for good. */
  TerminateOnShutdown: boolean;
}

const { defaults, flagOf, isSet, read } = amazonec2Options;

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<Amazonec2Config, keyof ProviderConfig> {
  const { SSHUser: _user, SSHPort: _port, ...all } = defaults();
  const { AccessKey, SecretKey, SessionToken, Region, AMI, KeyName, InstanceType } = all;
  const { SecurityGroupNames, SecurityGroupReadOnly, OpenPorts, Tags, ...afterTags } = all;
  const { DeviceName, RootSize, VolumeType, IamInstanceProfile, VpcId, SubnetId, Zone, ...rest } = afterTags;
  return {
    ...{ Id: "", AccessKey, SecretKey, SessionToken, Region, AMI, SSHKeyID: 0, ExistingKey: false, KeyName },
    ...{ InstanceId: "", InstanceType, PrivateIPAddress: "", SecurityGroupId: "", SecurityGroupIds: [] },
    ...{ SecurityGroupName: "", SecurityGroupNames, SecurityGroupReadOnly, OpenPorts, Tags, ReservationId: "" },
    ...{ DeviceName, RootSize, VolumeType, IamInstanceProfile, VpcId, SubnetId, Zone },
    ...rest,
    ...{ IPv6Address: "", SpotInstanceRequestId: "", KeyPairId: "", OwnerId: "", OwnSecurityGroup: false },
    TerminateOnShutdown: false,
  };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["VolumeIops", "VolumeThroughput", "VolumeEncrypted", "VolumeKmsKeyId", "HttpEndpoint", "HttpTokens"],
  ...["HttpPutResponseHopLimit", "HttpProtocolIpv6", "Ipv6AddressCount", "Ipv6AddressOnly", "EnablePrimaryIpv6"],
  ...["OpenCidrs", "Profile", "SpotInterruption", "IPv6Address", "SpotInstanceRequestId", "KeyPairId", "OwnerId"],
  ...["OwnSecurityGroup", "TerminateOnShutdown", "Resources", "HostKeys"],
] as const satisfies readonly (keyof Amazonec2Config)[];

/** 0.16.2's defaults where ours differ. */
const oldDefaults = {
  InstanceType: "t2.micro",
  VolumeType: "gp2",
  SpotPrice: "0.50",
  HttpTokens: "optional",
} as const satisfies Partial<Amazonec2Config>;

/** Looked up before the create where the user gave none: then they are the profile's, the image's, the subnet's. */
const lookedUp = ["Region", "DeviceName", "Zone", "SSHUser"] as const;

/** Takes the flags. Throws `driver-options`. */
export function configure(
  config: Amazonec2Config,
  options: DriverOptions,
  {
    createId,
    computer,
    machineName,
  }: { readonly createId: string | undefined; readonly computer: Computer; readonly machineName: string },
): void {
  const isCompat = computer.env["MACHINE_COMPAT"] === "0.16";
  Object.assign(config, read(options));
  takeAliases(config, options);
  takeOldDefaults(config, oldDefaults, computer, (field) => isSet(options, field));
  if (!isCompat) {
    for (const field of lookedUp) if (!isSet(options, field)) config[field] = "";
    forgetVariables(config, options);
  }
  config.SSHPrivateKeyPath = absoluteFile(config.SSHPrivateKeyPath, computer.cwd);
  config.UserDataFile = absoluteFile(config.UserDataFile, computer.cwd);
  config.ExistingKey = config.KeyName !== "";
  config.VolumeEncrypted ||= config.VolumeKmsKeyId !== "";
  config.Id = (createId ?? "").replaceAll("-", "");
  requireTogether(config, isCompat);
  if (config.OpenCidrs.length === 0 || isSet(options, "SecurityGroupNames") || createId === undefined) return;
  // A group that others share cannot be narrow for one machine.
  config.SecurityGroupNames = [markedName(`docker-machine-${machineName}`, createId)];
  config.OwnSecurityGroup = true;
}

function takeAliases(config: Amazonec2Config, options: DriverOptions): void {
  const given = aliases.read(options);
  for (const field of ["VolumeEncrypted", "VolumeKmsKeyId", "HttpTokens", "HttpPutResponseHopLimit"] as const)
    if (aliases.isSet(options, field)) Object.assign(config, { [field]: given[field] });
}

/** AWS's own variables are found again by whoever needs credentials; stored, they would be stale after an hour. */
function forgetVariables(config: Amazonec2Config, options: DriverOptions): void {
  const names = { AccessKey: "access-key", SecretKey: "secret-key", SessionToken: "session-token" } as const;
  for (const [field, name] of Object.entries(names))
    if (options.variableOf(`amazonec2-${name}`) !== undefined) config[field as keyof typeof names] = "";
}

function requireTogether(config: Amazonec2Config, isCompat: boolean): void {
  if ((config.AccessKey === "") !== (config.SecretKey === ""))
    throw wrongOptions(
      `${flagOf("AccessKey")} and ${flagOf("SecretKey")} go together, and only one of them was given`,
      "Give both, or neither: then the credentials of the environment, of ~/.aws or of the instance's role are used.",
    );
  if (isCompat && config.ExistingKey && config.SSHPrivateKeyPath === "")
    throw wrongOptions(
      "using --amazonec2-keypair-name also requires --amazonec2-ssh-keypath",
      `Give ${flagOf("SSHPrivateKeyPath")} too.`,
    );
  if (config.DisableSSL && config.Endpoint === "")
    throw wrongOptions(
      "using --amazonec2-insecure-transport also requires --amazonec2-endpoint",
      `Give ${flagOf("Endpoint")} too.`,
    );
  if (config.Ipv6AddressOnly && config.Ipv6AddressCount === 0)
    throw wrongOptions(`${flagOf("Ipv6AddressOnly")} needs an IPv6 address`, `Give ${flagOf("Ipv6AddressCount")} 1.`);
  if (config.EnablePrimaryIpv6 && config.Ipv6AddressCount === 0)
    throw wrongOptions(`${flagOf("EnablePrimaryIpv6")} needs an IPv6 address`, `Give ${flagOf("Ipv6AddressCount")} 1.`);
  if (config.HttpEndpoint === "disabled")
    throw wrongOptions(
      "Without the metadata service the instance gets no user data and no SSH key, so nobody could log in",
      `Leave ${flagOf("HttpEndpoint")} disabled out; ${flagOf("HttpPutResponseHopLimit")} 1 keeps the service from containers.`,
    );
  if (config.VolumeThroughput > 0 && config.VolumeType !== "gp3")
    throw wrongOptions(
      `${flagOf("VolumeThroughput")} is for gp3, and ${flagOf("VolumeType")} is ${config.VolumeType}`,
      "Leave one of them out.",
    );
  if (config.VolumeIops > 0 && !["gp3", "io1", "io2"].includes(config.VolumeType))
    throw wrongOptions(
      `${flagOf("VolumeIops")} is for gp3, io1 and io2, and ${flagOf("VolumeType")} is ${config.VolumeType}`,
      "Leave one of them out.",
    );
  if (["io1", "io2"].includes(config.VolumeType) && config.VolumeIops === 0)
    throw wrongOptions(
      `${flagOf("VolumeType")} ${config.VolumeType} needs ${flagOf("VolumeIops")}`,
      `Give ${flagOf("VolumeIops")} too, or take gp3.`,
    );
  parseCidrs("amazonec2-open-cidr", config.OpenCidrs);
  parseOpenPorts("amazonec2-open-port", config.OpenPorts);
  tagsOf(config);
}

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Of `k,v,k,v`; a last key without a value is dropped, as 0.16.2 does. Throws `driver-options`. */
export function tagsOf({ Tags }: Pick<Amazonec2Config, "Tags">): readonly Tag[] {
  const words = Tags === "" ? [] : Tags.split(",").map((word) => word.trim());
  const whole = words.slice(0, words.length - (words.length % 2));
  const tags = wordsInPairs(whole).map(([Key, Value]) => ({ Key, Value }));
  const bad = tags.find(({ Key, Value }) => Key === "" || Key.length > 128 || Value.length > 256 || /^aws:/iu.test(Key));
  if (bad !== undefined)
    throw wrongOptions(
      `--amazonec2-tags has the tag ${JSON.stringify(bad.Key)}, which AWS does not take`,
      "Write key,value,key,value; keys have at most 128 characters and do not begin with aws:, values at most 256.",
    );
  if (tags.length > 47)
    throw wrongOptions("--amazonec2-tags has more tags than AWS takes", "Give at most 47; three are the machine's own.");
  return tags;
}

/** `us-east-1a`, from the letter that 0.16.2 stores, or the whole name that it stores beside an endpoint. */
export function zoneName({ Region, Zone }: Pick<Amazonec2Config, "Region" | "Zone">): string {
  return Zone === "" || Zone.startsWith(Region) ? Zone : `${Region}${Zone}`;
}
