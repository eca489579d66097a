/**
 * What must hold before anything is made, and what is looked up for it: each found value goes into the record, so that a
 * repeated create sends the same request. The last question is the create's own request as a dry run.
 */
import type { InstanceTypeInfo } from "@aws-sdk/client-ec2";
import { failureKindOf } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { codeOf } from "./failures.ts";
import { checkUserData } from "./first-boot.ts";
import { findImage, type Architecture, type FoundImage } from "./image.ts";
import { launchRequest } from "./launch.ts";
import { checkKey } from "./login-key.ts";
import { chooseNetwork } from "./network.ts";
import { findGroups } from "./security-groups.ts";
import type { Workplace } from "./workplace.ts";

/** Throws with nothing made. */
export async function checkBeforeCreate(place: Workplace, signal: AbortSignal): Promise<void> {
  const { config, context } = place;
  if (config.BlockDurationMinutes !== 0)
    logTo(
      context.report,
      "warn",
      "--amazonec2-block-duration-minutes has no effect: AWS has withdrawn spot instances of a fixed duration",
    );
  await chooseRegion(place, signal);
  const type = await checkType(place, signal);
  takeImage(place, await findImage(place, architecturesOf(type), signal));
  await chooseNetwork(place, await zonesOf(place, signal), signal);
  await checkKey(place, signal);
  await checkUserData(place);
  await checkPermission(place, signal);
}

/** One question proves credentials, region and the way to AWS. */
async function chooseRegion({ api, config }: Workplace, signal: AbortSignal): Promise<void> {
  if (config.Region === "") config.Region = (await api.regionOfProfile()) ?? "us-east-1";
  const { AvailabilityZones = [] } = await api.send("DescribeAvailabilityZones", {}, signal);
  if (AvailabilityZones.length > 0) return;
  throw new MachineError("provider-not-found", `The region ${config.Region} has no zone that is open`, {
    hint: "See aws ec2 describe-regions; give another with --amazonec2-region.",
  });
}

async function checkType({ api, config }: Workplace, signal: AbortSignal): Promise<InstanceTypeInfo> {
  const InstanceTypes = [config.InstanceType as NonNullable<InstanceTypeInfo["InstanceType"]>];
  const [type] = (await api.send("DescribeInstanceTypes", { InstanceTypes }, signal)).InstanceTypes ?? [];
  if (type === undefined)
    throw new MachineError("provider-not-found", `AWS has no instance type ${config.InstanceType} in ${config.Region}`, {
      hint: "See aws ec2 describe-instance-types; give another with --amazonec2-instance-type.",
    });
  if (config.RequestSpotInstance && type.SupportedUsageClasses?.includes("spot") === false)
    throw new MachineError("provider-unsupported", `${config.InstanceType} cannot be had as a spot instance`, {
      hint: "Leave --amazonec2-request-spot-instance out, or give another --amazonec2-instance-type.",
    });
  if (config.Ipv6AddressCount > 0 && type.NetworkInfo?.Ipv6Supported === false)
    throw new MachineError("provider-unsupported", `${config.InstanceType} has no IPv6`, {
      hint: "Leave --amazonec2-ipv6-address-count out, or give another --amazonec2-instance-type.",
    });
  return type;
}

function architecturesOf({ InstanceType, ProcessorInfo }: InstanceTypeInfo): readonly Architecture[] {
  const known = (ProcessorInfo?.SupportedArchitectures ?? []).filter((name) => name === "x86_64" || name === "arm64");
  if (known.length > 0) return known;
  throw new MachineError("provider-unsupported", `${InstanceType} is neither x86_64 nor arm64, and there are no systems for it`, {
    hint: "Give another --amazonec2-instance-type.",
  });
}

async function zonesOf({ api, config }: Workplace, signal: AbortSignal): Promise<readonly string[]> {
  const Filters = [{ Name: "instance-type", Values: [config.InstanceType] }];
  const request = { LocationType: "availability-zone" as const, Filters };
  const { InstanceTypeOfferings = [] } = await api.send("DescribeInstanceTypeOfferings", request, signal);
  return InstanceTypeOfferings.flatMap(({ Location }) => Location ?? []).toSorted();
}

function takeImage({ config }: Workplace, { image, user }: FoundImage): void {
  config.AMI = image.ImageId ?? config.AMI;
  const root = image.RootDeviceName ?? "/dev/sda1";
  if (config.DeviceName === "") config.DeviceName = root;
  if (config.SSHUser === "") config.SSHUser = user;
  const least = image.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === root)?.Ebs?.VolumeSize ?? 0;
  if (config.RootSize >= least || config.DeviceName !== root) return;
  throw new MachineError(
    "driver-options",
    `The image ${config.AMI} needs a root disk of ${least} GB, and --amazonec2-root-size is ${config.RootSize}`,
    {
      hint: `Give --amazonec2-root-size ${least} or more.`,
    },
  );
}

/** Its success is an error: DryRunOperation. Quota and capacity are not looked at by AWS. */
async function checkPermission(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  const groups = await findGroups(place, signal);
  const ids = groups.flatMap((group) => group?.GroupId ?? []);
  await dryRun(async () => {
    const request = launchRequest({ ...place, config: { ...config, SecurityGroupIds: ids } }, undefined);
    await api.send("RunInstances", { ...request, DryRun: true }, signal);
  });
  if (!config.ExistingKey)
    await dryRun(async () => {
      const PublicKeyMaterial = Buffer.from(`ssh-ed25519 ${"A".repeat(68)}`);
      await api.send("ImportKeyPair", { KeyName: `docker-machine-dry-run`, PublicKeyMaterial, DryRun: true }, signal);
    });
  if (groups.includes(undefined))
    await dryRun(async () => {
      const request = { GroupName: "docker-machine-dry-run", Description: "Docker Machine", VpcId: config.VpcId };
      await api.send("CreateSecurityGroup", { ...request, DryRun: true }, signal);
    });
}

/** Where AWS takes no more requests for now, nothing is known: the create itself waits longer, and tells. */
async function dryRun(ask: () => Promise<void>): Promise<void> {
  try {
    await ask();
  } catch (error) {
    if (codeOf(error) !== "DryRunOperation" && failureKindOf(error) !== "rate-limit") throw error;
  }
}
