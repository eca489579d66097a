/**
 * Security groups: each that is named is found or made, and lets in what a machine needs unless it is to be left as it is.
 * Rules are added and never removed. The shared group stays when machines go, as 0.16.2's does; a machine's own goes with it.
 */
import type { IpPermission, SecurityGroup } from "@aws-sdk/client-ec2";
import {
  isOpenToWorld,
  machinePorts,
  parseCidrs,
  parseOpenPorts,
  type PortRange,
  type SourceRanges,
} from "../../driver-kit/open-ports.ts";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { tagsOf, type Amazonec2Config } from "./options.ts";
import { untilVisible } from "./eventually.ts";
import { allTags, kinds, type Workplace } from "./workplace.ts";

/** As 0.16.2 describes it. */
const description = "Docker Machine";

function groupNames({ SecurityGroupName, SecurityGroupNames }: Amazonec2Config): readonly string[] {
  return [...(SecurityGroupName === "" ? [] : [SecurityGroupName]), ...SecurityGroupNames];
}

/** Those of the groups that exist; undefined in the place of one that has to be made. Throws for an id that does not exist. */
export async function findGroups(place: Workplace, signal: AbortSignal): Promise<readonly (SecurityGroup | undefined)[]> {
  const { api, config } = place;
  const wanted = groupNames(config);
  const ids = wanted.filter(isGroupId);
  const names = wanted.filter((name) => !isGroupId(name));
  const byId =
    ids.length === 0 ? [] : ((await api.send("DescribeSecurityGroups", { GroupIds: ids }, signal)).SecurityGroups ?? []);
  const Filters = [
    { Name: "group-name", Values: names },
    { Name: "vpc-id", Values: [config.VpcId] },
  ];
  const byName = names.length === 0 ? [] : ((await api.send("DescribeSecurityGroups", { Filters }, signal)).SecurityGroups ?? []);
  const elsewhere = byId.find(({ VpcId }) => VpcId !== config.VpcId);
  if (elsewhere !== undefined)
    throw new MachineError(
      "provider-not-found",
      `The security group ${elsewhere.GroupId} is in ${elsewhere.VpcId}, and the machine is to be in ${config.VpcId}`,
      {
        hint: "Give groups of that VPC with --amazonec2-security-group, or another --amazonec2-subnet-id.",
      },
    );
  return wanted.map((name) =>
    isGroupId(name) ? byId.find(({ GroupId }) => GroupId === name) : byName.find(({ GroupName }) => GroupName === name),
  );
}

function isGroupId(name: string): boolean {
  return /^sg-[0-9a-f]+$/u.test(name);
}

/** Finds or makes the groups, records their ids, and adds what rules are missing. */
export async function ensureGroups(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config } = place;
  const found = await findGroups(place, signal);
  const ids: string[] = [];
  for (const [index, name] of groupNames(config).entries()) {
    const group = found[index] ?? (await makeGroup(place, name, signal));
    ids.push(group.GroupId ?? "");
    if (!config.SecurityGroupReadOnly) await addRules(place, group, signal);
  }
  config.SecurityGroupIds = ids;
}

async function makeGroup(place: Workplace, name: string, signal: AbortSignal): Promise<SecurityGroup> {
  const { api, config, ledger } = place;
  if (config.OwnSecurityGroup) await ledger.intend(kinds.securityGroup, name);
  // A group that stays, for whoever comes, bears the mark of no machine.
  const tags = config.OwnSecurityGroup ? allTags(place) : tagsOf(config);
  const request = {
    GroupName: name,
    Description: description,
    VpcId: config.VpcId,
    ...(tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType: "security-group" as const, Tags: [...tags] }] }),
  };
  try {
    const { GroupId } = await api.send("CreateSecurityGroup", request, signal);
    if (GroupId === undefined) throw new MachineError("provider-error", "AWS told no id of the security group that it made");
    if (config.OwnSecurityGroup) await ledger.note(kinds.securityGroup, GroupId, name);
    return { GroupId, GroupName: name };
  } catch (error) {
    if (failureKindOf(error) !== "exists") throw error;
    // Made by a lost answer's request, or by another create at the same time.
    const group = await visibleGroup(place, name, signal);
    if (config.OwnSecurityGroup) await ledger.note(kinds.securityGroup, group.GroupId ?? "", name);
    return group;
  }
}

async function visibleGroup(place: Workplace, name: string, signal: AbortSignal): Promise<SecurityGroup> {
  return await untilVisible(place, signal, async () => {
    const at = groupNames(place.config).indexOf(name);
    return (await findGroups(place, signal))[at];
  });
}

interface Rule extends PortRange {
  readonly cidr: string;
}

async function addRules(place: Workplace, group: SecurityGroup, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  const sources = sourcesOf(config);
  const missing = missingRules(config, sources, group.IpPermissions ?? []);
  if (missing.length === 0) return;
  const authorize = async (rules: readonly Rule[]): Promise<void> => {
    const request = { GroupId: group.GroupId, IpPermissions: rules.map(permissionOf) };
    await untilVisible(place, signal, async () => await api.send("AuthorizeSecurityGroupIngress", request, signal));
  };
  try {
    await authorize(missing);
    if (isOpenToWorld(sources))
      logTo(
        context.report,
        "warn",
        `The security group ${group.GroupName} lets everybody reach SSH and the engine, which ask for keys and certificates; --amazonec2-open-cidr narrows that`,
      );
  } catch (error) {
    if (failureKindOf(error) !== "exists") throw error;
    // Another create has added some: one that is there refuses them all.
    for (const rule of missing)
      await authorize([rule]).catch((again: unknown) => {
        if (failureKindOf(again) !== "exists") throw again;
      });
  }
}

/** What is open to everybody is so by IPv6 too, where the machine has it. */
function sourcesOf({ Ipv6AddressCount, OpenCidrs }: Amazonec2Config): SourceRanges {
  const { v4, v6 } = parseCidrs("amazonec2-open-cidr", OpenCidrs);
  return OpenCidrs.length === 0 && Ipv6AddressCount > 0 ? { v4, v6: ["::/0"] } : { v4, v6 };
}

/** Without ranges, a port that is open to anybody counts as open, as 0.16.2 has it: the user has seen to it. */
function missingRules(config: Amazonec2Config, { v4, v6 }: SourceRanges, there: readonly IpPermission[]): readonly Rule[] {
  const ports = machinePorts({
    sshPort: config.SSHPort,
    enginePort: defaultEnginePort,
    swarmMaster: config.SwarmMaster,
    swarmHost: config.SwarmHost,
    openPorts: parseOpenPorts("amazonec2-open-port", config.OpenPorts),
  });
  const all = ports.flatMap((range) => [...v4, ...v6].map((cidr) => ({ ...range, cidr })));
  return all.filter((rule) => !there.some((permission) => covers(permission, rule, config.OpenCidrs.length === 0)));
}

function covers(permission: IpPermission, { protocol, from, to, cidr }: Rule, fromAnywhere: boolean): boolean {
  if (permission.IpProtocol !== protocol || permission.FromPort !== from || (permission.ToPort ?? from) < to) return false;
  const ranges = [
    ...(permission.IpRanges ?? []).map(({ CidrIp }) => CidrIp),
    ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6),
  ];
  return ranges.includes(cidr) || (fromAnywhere && !cidr.includes(":"));
}

function permissionOf({ protocol, from, to, cidr }: Rule): IpPermission {
  const Description = "docker-machine";
  const source = cidr.includes(":")
    ? { Ipv6Ranges: [{ CidrIpv6: cidr, Description }] }
    : { IpRanges: [{ CidrIp: cidr, Description }] };
  return { IpProtocol: protocol, FromPort: from, ToPort: to, ...source };
}
