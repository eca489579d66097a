/** The request that makes an instance. The same record and the same user data make the same request. */
import type { RunInstancesCommandInput, TagSpecification } from "@aws-sdk/client-ec2";
import { requireMark } from "../../driver-kit/marks.ts";
import type { Amazonec2Config } from "./options.ts";
import { allTags, type Workplace } from "./workplace.ts";

/** @param userData undefined in a dry run, which asks about permission and values alone, and uses up no token */
export function launchRequest(place: Workplace, userData: Uint8Array | undefined): RunInstancesCommandInput {
  const { config, context } = place;
  return {
    MinCount: 1,
    MaxCount: 1,
    ...(userData === undefined ? {} : { ClientToken: requireMark(context.createId).id }),
    ImageId: config.AMI,
    InstanceType: config.InstanceType as NonNullable<RunInstancesCommandInput["InstanceType"]>,
    ...(config.KeyName === "" ? {} : { KeyName: config.KeyName }),
    NetworkInterfaces: [interfaceOf(config)],
    BlockDeviceMappings: [{ DeviceName: config.DeviceName, Ebs: diskOf(config) }],
    MetadataOptions: metadataOf(config),
    ...(userData === undefined ? {} : { UserData: Buffer.from(userData).toString("base64") }),
    ...(config.Monitoring ? { Monitoring: { Enabled: true } } : {}),
    // Today's types are optimised always, and some refuse to be told.
    ...(config.UseEbsOptimizedInstance ? { EbsOptimized: true } : {}),
    ...(config.IamInstanceProfile === "" ? {} : { IamInstanceProfile: profileOf(config.IamInstanceProfile) }),
    ...(config.TerminateOnShutdown ? { InstanceInitiatedShutdownBehavior: "terminate" as const } : {}),
    ...(config.RequestSpotInstance
      ? { InstanceMarketOptions: { MarketType: "spot" as const, SpotOptions: spotOf(config) } }
      : {}),
    TagSpecifications: tagged(place),
  };
}

function interfaceOf(config: Amazonec2Config): NonNullable<RunInstancesCommandInput["NetworkInterfaces"]>[number] {
  return {
    DeviceIndex: 0,
    SubnetId: config.SubnetId,
    Groups: config.SecurityGroupIds,
    AssociatePublicIpAddress: !config.PrivateIPOnly && !config.Ipv6AddressOnly,
    DeleteOnTermination: true,
    ...(config.Ipv6AddressCount === 0 ? {} : { Ipv6AddressCount: config.Ipv6AddressCount }),
    ...(config.EnablePrimaryIpv6 ? { PrimaryIpv6: true } : {}),
  };
}

type Disk = NonNullable<NonNullable<RunInstancesCommandInput["BlockDeviceMappings"]>[number]["Ebs"]>;

function diskOf(config: Amazonec2Config): Disk {
  return {
    VolumeSize: config.RootSize,
    VolumeType: config.VolumeType as NonNullable<Disk["VolumeType"]>,
    DeleteOnTermination: true,
    ...(config.VolumeIops === 0 ? {} : { Iops: config.VolumeIops }),
    ...(config.VolumeThroughput === 0 ? {} : { Throughput: config.VolumeThroughput }),
    // Not "false": the account may have it on by default, and a snapshot may be encrypted.
    ...(config.VolumeEncrypted ? { Encrypted: true } : {}),
    ...(config.VolumeKmsKeyId === "" ? {} : { KmsKeyId: config.VolumeKmsKeyId }),
  };
}

type Metadata = NonNullable<RunInstancesCommandInput["MetadataOptions"]>;

function metadataOf(config: Amazonec2Config): Metadata {
  return {
    HttpEndpoint: "enabled",
    ...(config.HttpTokens === "" ? {} : { HttpTokens: config.HttpTokens as NonNullable<Metadata["HttpTokens"]> }),
    ...(config.HttpPutResponseHopLimit === 0 ? {} : { HttpPutResponseHopLimit: config.HttpPutResponseHopLimit }),
    ...(config.HttpProtocolIpv6 === "enabled" ? { HttpProtocolIpv6: "enabled" as const } : {}),
  };
}

function profileOf(profile: string): { readonly Name?: string; readonly Arn?: string } {
  return profile.startsWith("arn:") ? { Arn: profile } : { Name: profile };
}

type Spot = NonNullable<NonNullable<RunInstancesCommandInput["InstanceMarketOptions"]>["SpotOptions"]>;

/** What may be stopped must be a persistent request; that is cancelled by `rm`. */
function spotOf({ SpotInterruption, SpotPrice }: Amazonec2Config): Spot {
  const stops = SpotInterruption === "stop";
  return {
    SpotInstanceType: stops ? "persistent" : "one-time",
    InstanceInterruptionBehavior: stops ? "stop" : "terminate",
    ...(SpotPrice === "" ? {} : { MaxPrice: SpotPrice }),
  };
}

function tagged(place: Workplace): TagSpecification[] {
  const types = [
    "instance",
    "volume",
    "network-interface",
    ...(place.config.RequestSpotInstance ? ["spot-instances-request"] : []),
  ];
  return types.map((type) => ({
    ResourceType: type as NonNullable<TagSpecification["ResourceType"]>,
    Tags: [...allTags(place)],
  }));
}
