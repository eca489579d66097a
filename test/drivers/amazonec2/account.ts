/** What is in the account at moto, seen by AWS's SDK itself and not by the driver. */
import {
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
} from "@aws-sdk/client-ec2";
import type { Resource } from "../../../src/driver-kit/driver.ts";
import type { Moto } from "./moto.ts";

export interface Account {
  readonly client: EC2Client;
  /** Those that are not terminated. */
  instances(): Promise<readonly Instance[]>;
  /** Everything that a create makes and an `rm` must take away. */
  left(): Promise<readonly string[]>;
  /** The same of everybody, in the driver's words; disks that are attached go with their instance. */
  resources(): Promise<readonly Resource[]>;
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
  const resources = async (): Promise<readonly Resource[]> => {
    const { KeyPairs = [] } = await client.send(new DescribeKeyPairsCommand({}));
    const { SecurityGroups = [] } = await client.send(new DescribeSecurityGroupsCommand({}));
    const Filters = [{ Name: "status", Values: ["available"] }];
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({ Filters }));
    const of = (kind: string, ids: readonly string[]): readonly Resource[] => ids.map((id) => ({ kind, id }));
    return [
      ...of(
        "instance",
        (await instances()).map(({ InstanceId = "" }) => InstanceId),
      ),
      ...of(
        "key-pair",
        KeyPairs.map(({ KeyName = "" }) => KeyName),
      ),
      ...of(
        "security-group",
        SecurityGroups.flatMap(({ GroupId = "", GroupName = "" }) => (lasting.includes(GroupName) ? [] : [GroupId])),
      ),
      ...of(
        "volume",
        Volumes.map(({ VolumeId = "" }) => VolumeId),
      ),
    ];
  };
  const left = async (): Promise<readonly string[]> => {
    const { Volumes = [] } = await client.send(new DescribeVolumesCommand({}));
    const all = (await resources()).map(({ id }) => id);
    return [...new Set([...all, ...Volumes.map(({ VolumeId = "" }) => VolumeId)])];
  };
  return { client, instances, left, resources };
}
