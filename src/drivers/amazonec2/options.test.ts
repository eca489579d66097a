/** Flags, and records of other tools: no request is made here. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { defaultValue, driverOptions, type FlagValue } from "../../driver-kit/create-flag.ts";
import type { Driver } from "../../driver-kit/driver.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { thisComputer } from "../../system/computer.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { endpointOf } from "./endpoint.ts";
import { systemsOf } from "./image.ts";
import { driverModule } from "./index.ts";
import { tagsOf, zoneName } from "./options.ts";

async function configured(
  given: Readonly<Record<string, FlagValue>>,
  env: Readonly<Record<string, string>> = {},
  variables: readonly (readonly [string, string])[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  await using test = await testDriverContext("web", { computer: { ...thisComputer(), env, cwd: "/home/me" } });
  const driver = driverModule.open(test.context, undefined);
  const defaults = Object.fromEntries(driverModule.flags.map((flag) => [flag.name, defaultValue(flag)]));
  await driver.setConfigFromFlags(driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)), new Map(variables)));
  return JSON.parse(await driver.configText()) as Record<string, unknown>;
}

const refused = async (given: Readonly<Record<string, FlagValue>>, words: RegExp): Promise<void> => {
  await assert.rejects(configured(given), (error) => {
    assert.ok(isMachineError(error, "driver-options"), String(error));
    assert.match(error.message, words);
    return true;
  });
};

test("a new record has 0.16.2's keys in its order, and ours behind them", async () => {
  const keys = Object.keys(await configured({}));
  const theirs =
    "IPAddress MachineName SSHUser SSHPort SSHKeyPath StorePath SwarmMaster SwarmHost SwarmDiscovery Id AccessKey SecretKey SessionToken Region AMI SSHKeyID ExistingKey KeyName InstanceId InstanceType PrivateIPAddress SecurityGroupId SecurityGroupIds SecurityGroupName SecurityGroupNames SecurityGroupReadOnly OpenPorts Tags ReservationId DeviceName RootSize VolumeType IamInstanceProfile VpcId SubnetId Zone RequestSpotInstance SpotPrice BlockDurationMinutes PrivateIPOnly UsePrivateIP UseEbsOptimizedInstance Monitoring SSHPrivateKeyPath RetryCount Endpoint DisableSSL UserDataFile".split(
      " ",
    );
  assert.deepEqual(keys.slice(0, theirs.length), theirs);
  assert.deepEqual(keys.slice(theirs.length).toSorted(), [...(driverModule.newKeys ?? [])].toSorted());
});

test("every flag of 0.16.2 and the forks is there with its spelling and variable", () => {
  const flags = new Map(driverModule.flags.map(({ name, envVar }) => [name, envVar]));
  const known = {
    "access-key": "AWS_ACCESS_KEY_ID",
    "secret-key": "AWS_SECRET_ACCESS_KEY",
    "session-token": "AWS_SESSION_TOKEN",
    ami: "AWS_AMI",
    region: "AWS_DEFAULT_REGION,AWS_REGION",
    "vpc-id": "AWS_VPC_ID",
    zone: "AWS_ZONE",
    "subnet-id": "AWS_SUBNET_ID",
    "security-group": "AWS_SECURITY_GROUP",
    "security-group-readonly": "AWS_SECURITY_GROUP_READONLY",
    "open-port": undefined,
    tags: "AWS_TAGS",
    "instance-type": "AWS_INSTANCE_TYPE",
    "device-name": "AWS_DEVICE_NAME",
    "root-size": "AWS_ROOT_SIZE",
    "volume-type": "AWS_VOLUME_TYPE",
    "iam-instance-profile": "AWS_INSTANCE_PROFILE",
    "ssh-user": "AWS_SSH_USER",
    "ssh-port": "AWS_SSH_PORT",
    "ssh-keypath": "AWS_SSH_KEYPATH",
    "keypair-name": "AWS_KEYPAIR_NAME",
    "request-spot-instance": undefined,
    "spot-price": undefined,
    "block-duration-minutes": undefined,
    "private-address-only": undefined,
    "use-private-address": undefined,
    monitoring: undefined,
    "use-ebs-optimized-instance": undefined,
    retries: undefined,
    endpoint: "AWS_ENDPOINT,AWS_ENDPOINT_URL_EC2,AWS_ENDPOINT_URL",
    "insecure-transport": "AWS_INSECURE_TRANSPORT",
    userdata: "AWS_USERDATA",
    "encrypt-ebs-volume": "AWS_ENCRYPT_EBS_VOLUME",
    "kms-key": "AWS_KMS_KEY",
    "http-endpoint": "AWS_HTTP_ENDPOINT",
    "http-tokens": "AWS_HTTP_TOKENS",
    "http-protocol-ipv6": "AWS_HTTP_PROTOCOL_IPV6",
    "ipv6-address-count": "AWS_IPV6_ADDRESS_COUNT",
    "ipv6-address-only": "AWS_IPV6_ADDRESS_ONLY",
    "enable-primary-ipv6": "AWS_ENABLE_PRIMARY_IPV6",
    "volume-encrypted": undefined,
    "volume-kms-key": "AWS_VOLUME_KMS_KEY",
    "metadata-token": undefined,
    "metadata-token-response-hop-limit": undefined,
  };
  for (const [name, variable] of Object.entries(known)) {
    assert.ok(flags.has(`amazonec2-${name}`), name);
    assert.equal(flags.get(`amazonec2-${name}`), variable, name);
  }
});

test("defaults are today's, and with MACHINE_COMPAT=0.16 the old ones", async () => {
  const pick = ({
    InstanceType,
    VolumeType,
    SpotPrice,
    HttpTokens,
    Zone,
    DeviceName,
    SSHUser,
    Region,
  }: Readonly<Record<string, unknown>>) =>
    [InstanceType, VolumeType, SpotPrice, HttpTokens, Zone, DeviceName, SSHUser, Region].join(" ");
  assert.equal(pick(await configured({})), "t3.micro gp3  required    ");
  assert.equal(pick(await configured({}, { MACHINE_COMPAT: "0.16" })), "t2.micro gp2 0.50 optional a /dev/sda1 ubuntu us-east-1");
});

test("GitLab's names set the same, and what is given wins over today's default", async () => {
  const { VolumeEncrypted, VolumeKmsKeyId, HttpTokens, HttpPutResponseHopLimit } = await configured({
    "amazonec2-volume-kms-key": "alias/fleet",
    "amazonec2-metadata-token": "optional",
    "amazonec2-metadata-token-response-hop-limit": 1,
  });
  assert.deepEqual([VolumeEncrypted, VolumeKmsKeyId, HttpTokens, HttpPutResponseHopLimit], [true, "alias/fleet", "optional", 1]);
});

test("credentials of the environment are not stored, those of the command line are", async () => {
  const keys = { "amazonec2-access-key": "id", "amazonec2-secret-key": "key" };
  const variables = [
    ["amazonec2-access-key", "AWS_ACCESS_KEY_ID"],
    ["amazonec2-secret-key", "AWS_SECRET_ACCESS_KEY"],
  ] as const;
  assert.equal((await configured(keys))["SecretKey"], "key");
  assert.equal((await configured(keys, {}, variables))["SecretKey"], "");
});

test("flags that do not go together are refused in one sentence", async () => {
  await refused({ "amazonec2-access-key": "id" }, /go together/u);
  await refused(
    { "amazonec2-insecure-transport": true },
    /^using --amazonec2-insecure-transport also requires --amazonec2-endpoint$/u,
  );
  await refused({ "amazonec2-ipv6-address-only": true }, /needs an IPv6 address/u);
  await refused({ "amazonec2-http-endpoint": "disabled" }, /nobody could log in/u);
  await refused({ "amazonec2-volume-type": "gp2", "amazonec2-volume-throughput": 200 }, /is for gp3/u);
  await refused({ "amazonec2-volume-type": "io2" }, /needs --amazonec2-volume-iops/u);
  await refused({ "amazonec2-open-cidr": ["home"] }, /no range of addresses/u);
  await refused({ "amazonec2-open-port": ["x"] }, /invalid port number x/u);
  await refused({ "amazonec2-tags": "aws:x,1" }, /does not take/u);
});

test("tags, zones, endpoints", () => {
  assert.deepEqual(tagsOf({ Tags: "a,1,b,2,odd" }), [
    { Key: "a", Value: "1" },
    { Key: "b", Value: "2" },
  ]);
  assert.equal(zoneName({ Region: "us-east-1", Zone: "a" }), "us-east-1a");
  assert.equal(zoneName({ Region: "us-east-1", Zone: "us-east-1a" }), "us-east-1a");
  assert.equal(endpointOf({ Endpoint: "", DisableSSL: false }), undefined);
  assert.equal(endpointOf({ Endpoint: "cloud.example", DisableSSL: false }), "https://cloud.example");
  assert.equal(endpointOf({ Endpoint: "cloud.example", DisableSSL: true }), "http://cloud.example");
  assert.equal(endpointOf({ Endpoint: "http://127.0.0.1:5000", DisableSSL: false }), "http://127.0.0.1:5000");
  assert.throws(
    () => endpointOf({ Endpoint: "http://cloud.example", DisableSSL: false }),
    (error) => isMachineError(error, "driver-options"),
  );
});

test("a long-term release is taken by the word alone from its first point release on", () => {
  const words = (at: string): readonly string[] => systemsOf("ubuntu", new Date(at)).map(({ word }) => word);
  assert.equal(words("2026-07-01")[0], "ubuntu-24.04");
  assert.equal(words("2026-11-01")[0], "ubuntu-26.04");
  assert.deepEqual(
    systemsOf("ubuntu-26.04", new Date("2026-05-01")).map(({ word }) => word),
    ["ubuntu-26.04"],
  );
});

/** As 0.16.2 stores it after a create. */
const record = {
  IPAddress: "203.0.113.7",
  MachineName: "old",
  SSHUser: "ubuntu",
  SSHPort: 22,
  SSHKeyPath: "/store/machines/old/id_rsa",
  StorePath: "/store",
  SwarmMaster: false,
  SwarmHost: "tcp://0.0.0.0:3376",
  SwarmDiscovery: "",
  Id: "6b1e6c6d6d4b4e0f8f3f3c5d0a1b2c3d",
  AccessKey: "AKIAEXAMPLE",
  SecretKey: "x",
  SessionToken: "",
  Region: "us-east-1",
  AMI: "ami-c60b90d1",
  SSHKeyID: 0,
  ExistingKey: false,
  KeyName: "old",
  InstanceId: "i-0123456789abcdef0",
  InstanceType: "t2.micro",
  PrivateIPAddress: "172.31.0.7",
  SecurityGroupId: "",
  SecurityGroupIds: ["sg-1"],
  SecurityGroupName: "",
  SecurityGroupNames: ["docker-machine"],
  SecurityGroupReadOnly: false,
  OpenPorts: null,
  Tags: "",
  ReservationId: "",
  DeviceName: "/dev/sda1",
  RootSize: 16,
  VolumeType: "gp2",
  IamInstanceProfile: "",
  VpcId: "vpc-1",
  SubnetId: "subnet-1",
  Zone: "a",
  RequestSpotInstance: false,
  SpotPrice: "0.50",
  BlockDurationMinutes: 0,
  PrivateIPOnly: false,
  UsePrivateIP: false,
  UseEbsOptimizedInstance: false,
  Monitoring: false,
  SSHPrivateKeyPath: "",
  RetryCount: 5,
  Endpoint: "",
  DisableSSL: false,
  UserDataFile: "",
};

async function reopened(
  stored: object,
  work: (driver: Driver, config: Readonly<Record<string, unknown>>) => Promise<void>,
): Promise<void> {
  await using test = await testDriverContext("old", { createId: undefined });
  const driver = driverModule.open(test.context, JSON.stringify(stored));
  await work(driver, JSON.parse(await driver.configText()) as Record<string, unknown>);
}

for (const [tool, more, expected] of [
  ["0.16.2", {}, {}],
  [
    "Rancher",
    {
      IPv6Address: "",
      OS: "ubuntu",
      EncryptEbsVolume: true,
      HttpEndpoint: "",
      HttpTokens: "optional",
      HttpProtocolIpv6: "",
      EnablePrimaryIpv6: false,
      Ipv6AddressCount: 0,
      Ipv6AddressOnly: false,
    },
    { VolumeEncrypted: true, HttpTokens: "optional" },
  ],
  [
    "GitLab",
    { VolumeEncrypted: true, VolumeKmsKeyId: "k", MetadataTokenSetting: "optional", MetadataTokenResponseHopLimit: 3 },
    { VolumeEncrypted: true, HttpTokens: "optional", HttpPutResponseHopLimit: 3 },
  ],
] as const)
  test(`a record of ${tool} answers from what it says, and is written back with all its values in their order`, async () => {
    const stored = { ...record, ...more };
    await reopened(stored, async (driver, config) => {
      assert.equal(await driver.getUrl(), "tcp://203.0.113.7:2376");
      assert.equal(await driver.getSshKeyPath(), record.SSHKeyPath);
      assert.equal(await driver.hostKeys?.(), "none");
      const kept = Object.fromEntries(Object.keys(stored).map((key) => [key, config[key]]));
      assert.deepEqual(kept, stored);
      assert.deepEqual(Object.keys(config).slice(0, Object.keys(stored).length), Object.keys(stored));
      assert.deepEqual({ ...config, ...expected }, config);
      assert.deepEqual(config["Resources"], ["key-pair=old", "instance=i-0123456789abcdef0"]);
    });
  });

test("a key pair that was the user's is none of the driver's", async () => {
  await reopened({ ...record, ExistingKey: true }, async (_driver, config) => {
    assert.deepEqual(config["Resources"], ["instance=i-0123456789abcdef0"]);
  });
});

test("opening a machine loads no package", () => {
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { if (url.includes("node_modules")) loaded.push(url); return next(url, context); } });
    const { driverModule } = await import("./src/drivers/amazonec2/index.ts");
    const driver = driverModule.open({ machineName: "old", storePath: "/store" }, ${JSON.stringify(JSON.stringify(record))});
    await driver.getUrl();
    console.log(loaded.length);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.equal(stdout, "0\n", stderr);
});
