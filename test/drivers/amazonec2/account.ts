/** What is in the account at moto, seen by AWS's SDK itself and not by the driver. */
import {
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
} from "@aws-sdk/client-ec2";
import type { Moto } from "./moto.ts";

export interface Account {
  readonly client: EC2Client;
  /** Those that are not terminated. */
  instances(): Promise<readonly Instance[]>;
  /** Everything that a create makes and an `rm` must take away. */
  left(): Promise<readonly string[]>;
}

/** There before, or meant to stay. */
const lasting = ["default", "docker-machine"];

export function accountAt({ url }: Moto): Account {
  const credentials = { accessKeyId: "test-id", secretAccessKey: "test" };
  const client = new EC2Client({ region: "eu-central-1", endpoint: url, credentials });
  const instances = async (): Promise<readonly Instance[]> => {
    const { Reservations = [] } = await client.send(new DescribeInstancesCommand({}));
    return Reservations.flatMap(({ Instances = [] }) => Instances).filter(({ State }) => State?.Name !== "terminated");
  };
  const left = async (): Promise<readonly string[]> => {
    const { KeyPairs = [] } = await client.send(new DescribeKeyPairsCommand({}));
    const { SecurityGroups = [] } = await client.send(new DescribeSecurityGroupsCommand({}));
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({}));
    return [
      ...(await instances()).map(({ InstanceId = "" }) => InstanceId),
      ...KeyPairs.map(({ KeyName = "" }) => KeyName),
      ...SecurityGroups.flatMap(({ GroupName = "" }) => (lasting.includes(GroupName) ? [] : [GroupName])),
      ...Volumes.map(({ VolumeId = "" }) => VolumeId),
    ];
  };
  return { client, instances, left };
}
