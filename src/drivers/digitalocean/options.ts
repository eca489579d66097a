/** What a DigitalOcean machine is: the options, the record they become, and records of other tools. No I/O. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { absoluteFile, namesIn, takeOldDefaults, wrongOptions } from "../../driver-kit/given-options.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { parseCidrs, parseOpenPorts } from "../../driver-kit/open-ports.ts";
import { bool, defineOptions, list, port, secret, text, url, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import type { Computer } from "../../system/computer.ts";

/** Flags and variables of 0.16.2 up to `Tags`, in the order of its record; then ours. */
export const digitalOceanOptions = defineOptions("digitalocean", {
  AccessToken: secret("access-token", {
    usage: "Digital Ocean access token",
    envVar: "DIGITALOCEAN_ACCESS_TOKEN,DIGITALOCEAN_TOKEN",
  }),
  SSHUser: text("ssh-user", { usage: "SSH username", envVar: "DIGITALOCEAN_SSH_USER", value: "root" }),
  Image: text("image", {
    usage: "Digital Ocean Image: a system (ubuntu, ubuntu-24.04, debian-13), a slug, or a snapshot's number",
    envVar: "DIGITALOCEAN_IMAGE",
    value: "ubuntu",
  }),
  Region: text("region", { usage: "Digital Ocean region", envVar: "DIGITALOCEAN_REGION", value: "nyc3" }),
  SSHKeyFingerprint: text("ssh-key-fingerprint", {
    usage: "SSH key fingerprint (MD5, with colons) of a key that the account has",
    envVar: "DIGITALOCEAN_SSH_KEY_FINGERPRINT",
    matches: {
      pattern: /^(?:\d+|[0-9a-f]{2}(?::[0-9a-f]{2}){15})$/iu,
      wanted: "an MD5 fingerprint; ssh-keygen -l -E md5 -f KEY prints it behind MD5:",
    },
  }),
  SSHKey: text("ssh-key-path", {
    usage: "SSH private key path, of the key that the account has",
    envVar: "DIGITALOCEAN_SSH_KEY_PATH",
  }),
  SSHPort: port("ssh-port", { usage: "SSH port", envVar: "DIGITALOCEAN_SSH_PORT", value: guestSshPort }),
  Size: text("size", { usage: "Digital Ocean size", envVar: "DIGITALOCEAN_SIZE", value: "s-1vcpu-1gb" }),
  IPv6: bool("ipv6", { usage: "enable ipv6 for droplet", envVar: "DIGITALOCEAN_IPV6" }),
  Backups: bool("backups", { usage: "enable backups for droplet", envVar: "DIGITALOCEAN_BACKUPS" }),
  PrivateNetworking: bool("private-networking", {
    usage: "accepted and of no effect: every droplet has a private address in its VPC",
    envVar: "DIGITALOCEAN_PRIVATE_NETWORKING",
  }),
  UserDataFile: text("userdata", { usage: "path to file with cloud-init user-data", envVar: "DIGITALOCEAN_USERDATA" }),
  Monitoring: bool("monitoring", { usage: "enable monitoring for droplet", envVar: "DIGITALOCEAN_MONITORING" }),
  Tags: text("tags", {
    usage: "comma-separated list of tags to apply to the Droplet",
    envVar: "DIGITALOCEAN_TAGS",
    matches: {
      pattern: /^[\w:-]{1,255}(?:\s*,\s*[\w:-]{1,255})*\s*,?\s*$/u,
      wanted: "a list of tags of letters, digits, _ - and :",
    },
  }),
  VpcUuid: text("vpc-uuid", {
    usage: "VPC of the droplet; the region's default one when empty",
    envVar: "DIGITALOCEAN_VPC_UUID",
  }),
  UsePrivateAddress: bool("use-private-address", {
    usage: "connect to the droplet by its private address",
    envVar: "DIGITALOCEAN_USE_PRIVATE_ADDRESS",
  }),
  PrivateAddressOnly: bool("private-address-only", {
    usage: "give the droplet no public address",
    envVar: "DIGITALOCEAN_PRIVATE_ADDRESS_ONLY",
  }),
  OpenCidrs: list("open-cidr", {
    usage: "range of addresses that may reach the droplet; makes a firewall for it",
    envVar: "DIGITALOCEAN_OPEN_CIDR",
  }),
  OpenPorts: list("open-port", { usage: "further port that the firewall of --digitalocean-open-cidr lets in: 80, 53/udp" }),
  Project: text("project", {
    usage: "project that the droplet is put into, by its name or id; the account's default one when empty",
    envVar: "DIGITALOCEAN_PROJECT",
  }),
  DropletAgent: bool("droplet-agent", { usage: "install DigitalOcean's agent for its web console" }),
  ApiUrl: url("api-url", {
    usage: "URL of the API",
    envVar: "DIGITALOCEAN_API_URL",
    value: "https://api.digitalocean.com",
  }),
});

export interface DigitalOceanConfig extends ProviderConfig, ConfigOf<typeof digitalOceanOptions> {
  /** 0 while it is not known. */
  DropletID: number;
  /** 0.16.2's, which never filled it. */
  DropletName: string;
  /** In the account; 0 while it is not known. */
  SSHKeyID: number;
  PrivateIPAddress: string;
  IPv6Address: string;
  /** Of the request that made the droplet; 0 where another call found it. */
  CreateActionId: number;
  /** When a droplet was asked for last, in ISO 8601; "" while none was. */
  RequestedAt: string;
  /** Of the project that is wanted; "" where none is. */
  ProjectId: string;
}

const { defaults, flagOf, isSet, read } = digitalOceanOptions;

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<DigitalOceanConfig, keyof ProviderConfig> {
  const { SSHUser: _user, SSHPort: _port, AccessToken, Image, Region, ...rest } = defaults();
  return {
    ...{ AccessToken, DropletID: 0, DropletName: "", Image, Region, SSHKeyID: 0 },
    ...rest,
    ...{ PrivateIPAddress: "", IPv6Address: "", CreateActionId: 0, RequestedAt: "", ProjectId: "" },
  };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["VpcUuid", "UsePrivateAddress", "PrivateAddressOnly", "OpenCidrs", "OpenPorts", "DropletAgent", "ApiUrl"],
  ...["Project", "ProjectId", "PrivateIPAddress", "IPv6Address", "CreateActionId", "RequestedAt", "Resources", "HostKeys"],
] as const satisfies readonly (keyof DigitalOceanConfig)[];

/** Of 0.16.2; the image is gone from DigitalOcean, and may be there again on a private endpoint. */
const oldDefaults = { Image: "ubuntu-16-04-x64" } as const;

/** Takes the flags. Throws `driver-options`. */
export function configure(config: DigitalOceanConfig, options: DriverOptions, computer: Computer): void {
  const { cwd } = computer;
  Object.assign(config, read(options));
  config.SSHKey = absoluteFile(config.SSHKey, cwd);
  config.UserDataFile = absoluteFile(config.UserDataFile, cwd);
  takeOldDefaults(config, oldDefaults, computer, (field) => isSet(options, field));
  requireTogether(config);
}

function requireTogether(config: DigitalOceanConfig): void {
  if (config.SSHKey !== "" && config.SSHKeyFingerprint === "")
    throw wrongOptions(
      `ssh-key-fingerprint needs to be provided for ${JSON.stringify(config.SSHKey)}`,
      `Give ${flagOf("SSHKeyFingerprint")} too, or neither: then the machine gets a key of its own.`,
    );
  if (config.PrivateAddressOnly && config.IPv6)
    throw wrongOptions(
      `${flagOf("IPv6")} and ${flagOf("PrivateAddressOnly")} exclude each other: a droplet's IPv6 address is public`,
      "Leave one of them out.",
    );
  if (config.OpenPorts.length > 0 && config.OpenCidrs.length === 0)
    throw wrongOptions(
      `${flagOf("OpenPorts")} needs ${flagOf("OpenCidrs")}: without it there is no firewall, and every port is open`,
      `Give ${flagOf("OpenCidrs")} 0.0.0.0/0 for a firewall that lets these ports in from everywhere.`,
    );
  parseCidrs("digitalocean-open-cidr", config.OpenCidrs);
  parseOpenPorts("digitalocean-open-port", config.OpenPorts);
}

export function tagsOf({ Tags }: DigitalOceanConfig): readonly string[] {
  return namesIn(Tags);
}

/**
 * A record without a ledger is of 0.16.2, of Rancher's, or was saved by one of them: what it made is in its own fields.
 * A key whose fingerprint the user gave is the user's.
 */
export const upgrade: Upgrade = (stored) => {
  if (stored["Resources"] !== undefined) return stored;
  const { DropletID, SSHKeyID, SSHKeyFingerprint } = stored;
  const made = [
    ...(typeof DropletID === "number" && DropletID !== 0 ? [`instance=${DropletID}`] : []),
    ...(typeof SSHKeyID === "number" && SSHKeyID !== 0 && (SSHKeyFingerprint ?? "") === "" ? [`ssh-key=${SSHKeyID}`] : []),
  ];
  return { ...stored, Resources: made };
};
