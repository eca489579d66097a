/** Where an instance goes: VPC, zone and subnet, those that the user named or the first that will do. */
import type { Subnet } from "@aws-sdk/client-ec2";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { zoneName } from "./options.ts";
import type { Workplace } from "./workplace.ts";

/** Takes VPC, subnet and zone into the record. @param zones those that offer the instance type */
export async function chooseNetwork(place: Workplace, zones: readonly string[], signal: AbortSignal): Promise<void> {
  const { config } = place;
  const subnet = config.SubnetId === "" ? await firstSubnet(place, zones, signal) : await namedSubnet(place, signal);
  const zone = subnet.AvailabilityZone ?? "";
  if (!zones.includes(zone)) throw notOffered(place, zone, zones);
  const hasIpv6 = (subnet.Ipv6CidrBlockAssociationSet ?? []).length > 0;
  if (config.Ipv6AddressCount > 0 && !hasIpv6)
    throw new MachineError("provider-unsupported", `The subnet ${subnet.SubnetId} has no IPv6 addresses`, {
      hint: "Give one that has with --amazonec2-subnet-id, or leave --amazonec2-ipv6-address-count out.",
    });
  if (subnet.AvailableIpAddressCount === 0)
    throw new MachineError("provider-quota", `The subnet ${subnet.SubnetId} has no free addresses`, {
      hint: "Give another with --amazonec2-subnet-id or --amazonec2-zone.",
    });
  config.SubnetId = subnet.SubnetId ?? "";
  config.VpcId = subnet.VpcId ?? "";
  // 0.16.2 stores the letter, and the whole name beside an endpoint.
  config.Zone = config.Endpoint === "" && zone.startsWith(config.Region) ? zone.slice(config.Region.length) : zone;
}

async function namedSubnet({ api, config }: Workplace, signal: AbortSignal): Promise<Subnet> {
  const { Subnets = [] } = await api.send("DescribeSubnets", { SubnetIds: [config.SubnetId] }, signal);
  const [subnet] = Subnets;
  if (subnet === undefined)
    throw new MachineError(
      "provider-not-found",
      "The desired subnet could not be located in this region. Is '--amazonec2-subnet-id' or AWS_SUBNET_ID configured correctly?",
      { hint: "See aws ec2 describe-subnets." },
    );
  if (config.VpcId !== "" && subnet.VpcId !== config.VpcId)
    throw new MachineError("provider-not-found", `SubnetId: ${config.SubnetId} does not belong to VpcId: ${config.VpcId}`, {
      hint: "Leave --amazonec2-vpc-id out: the subnet tells its VPC.",
    });
  const wanted = zoneName(config);
  if (wanted !== "" && subnet.AvailabilityZone !== wanted)
    throw new MachineError(
      "provider-not-found",
      `The subnet ${config.SubnetId} is in ${subnet.AvailabilityZone}, and --amazonec2-zone says ${wanted}`,
      {
        hint: "Leave --amazonec2-zone out: the subnet tells its zone.",
      },
    );
  return subnet;
}

async function firstSubnet(place: Workplace, zones: readonly string[], signal: AbortSignal): Promise<Subnet> {
  const { api, config } = place;
  const vpc = config.VpcId === "" ? await defaultVpc(place, signal) : config.VpcId;
  const wanted = zoneName(config);
  if (wanted !== "" && !zones.includes(wanted)) throw notOffered(place, wanted, zones);
  const Filters = [
    { Name: "vpc-id", Values: [vpc] },
    ...(wanted === "" ? [] : [{ Name: "availability-zone", Values: [wanted] }]),
  ];
  const { Subnets = [] } = await api.send("DescribeSubnets", { Filters }, signal);
  const rank = ({ DefaultForAz, AvailabilityZone = "", AvailableIpAddressCount = 1 }: Subnet): string =>
    `${AvailableIpAddressCount === 0 ? 1 : 0}${DefaultForAz === true ? 0 : 1}${AvailabilityZone}`;
  const [subnet] = Subnets.filter(({ AvailabilityZone = "" }) => zones.includes(AvailabilityZone)).toSorted((a, b) =>
    rank(a).localeCompare(rank(b)),
  );
  if (subnet !== undefined) return subnet;
  const sentence =
    wanted === ""
      ? `The VPC ${vpc} has no subnet in a zone that offers ${config.InstanceType}: ${zones.join(", ")}`
      : `unable to find a subnet that is both in the zone ${wanted} and belonging to VPC ID ${vpc}`;
  throw new MachineError("provider-not-found", sentence, {
    hint: "Give a subnet with --amazonec2-subnet-id, or another --amazonec2-zone or --amazonec2-vpc-id.",
  });
}

async function defaultVpc({ api }: Workplace, signal: AbortSignal): Promise<string> {
  const { Vpcs = [] } = await api.send("DescribeVpcs", { Filters: [{ Name: "is-default", Values: ["true"] }] }, signal);
  const id = Vpcs[0]?.VpcId;
  if (id !== undefined) return id;
  throw new MachineError(
    "provider-not-found",
    "amazonec2 driver requires either the --amazonec2-subnet-id or --amazonec2-vpc-id option or an AWS Account with a default vpc-id",
    { hint: "See aws ec2 describe-subnets; or make one: aws ec2 create-default-vpc." },
  );
}

function notOffered({ config }: Workplace, zone: string, zones: readonly string[]): MachineError {
  return new MachineError("provider-unsupported", `${config.InstanceType} is not offered in ${zone}`, {
    hint: `It is in ${zones.join(", ")}: give another --amazonec2-zone, or leave it and --amazonec2-subnet-id out.`,
  });
}

/** Whether the account of the credentials is the one that owns the machine's instance: undefined where that is not recorded. */
export async function isSameAccount({ api, config }: Workplace, signal: AbortSignal): Promise<boolean | undefined> {
  if (config.OwnerId === "") return undefined;
  try {
    const Filters = [{ Name: "owner-id", Values: [config.OwnerId] }];
    const { SecurityGroups = [] } = await api.send("DescribeSecurityGroups", { Filters, MaxResults: 5 }, signal);
    // Every account has at least the default group of its VPC, and sees others' only where a VPC is shared.
    return SecurityGroups.some(({ OwnerId }) => OwnerId === config.OwnerId);
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
