/** What the parts of the driver work on: one machine, its record and its ledger, and the API. */
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import type { Instance } from "@aws-sdk/client-ec2";
import { createMark } from "../../driver-kit/marks.ts";
import { isNotFound } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Pace } from "../../system/waiting.ts";
import type { Ec2Api } from "./api.ts";
import { tagsOf, type Amazonec2Config, type Tag } from "./options.ts";

export type Workplace = DriverPlace<Amazonec2Config, Ec2Api>;

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = {
  instance: "instance",
  keyPair: "key-pair",
  securityGroup: "security-group",
  spotRequest: "spot-request",
  volume: "volume",
} as const;

/** How often EC2 is asked for a state: 20 machines at once stay far below the 20 requests a second that it refills. */
export const pace: Pace = { firstMs: 1_500, mostMs: 6_000, jitter: 0.2 };

/** How long EC2 may answer "not found" to what it has just made. */
export const settleMs = 60_000;

/** Of everything that is made: the machine's name, its mark, the user's own. */
export function allTags({ config, context }: Pick<Workplace, "config" | "context">): readonly Tag[] {
  const mark = createMark(context.createId);
  const own = [
    { Key: "Name", Value: context.machineName },
    ...(mark === undefined ? [] : [{ Key: mark.tag.key, Value: mark.tag.value }]),
  ];
  const names = new Set(own.map(({ Key }) => Key));
  const users = tagsOf(config).filter(({ Key }) => Key !== "docker-machine:create-id");
  // 0.16.2's users give a Name of their own, and see that in the console.
  return [
    ...own.filter(({ Key }) => !users.some((tag) => tag.Key === Key)),
    ...users.filter(({ Key }) => !names.has(Key) || Key === "Name"),
  ];
}

/** A filter for what bears the mark of this create; undefined where it has none. */
export function markFilter({
  context,
}: Pick<Workplace, "context">): { readonly Name: string; readonly Values: string[] } | undefined {
  const mark = createMark(context.createId);
  return mark === undefined ? undefined : { Name: `tag:${mark.tag.key}`, Values: [mark.tag.value] };
}

/** The recorded instance, also one that was terminated within the last hour; undefined where none is recorded, or known. */
export async function recordedInstance({ api, config }: Workplace, signal: AbortSignal): Promise<Instance | undefined> {
  if (config.InstanceId === "") return undefined;
  try {
    const { Reservations = [] } = await api.send("DescribeInstances", { InstanceIds: [config.InstanceId] }, signal);
    return Reservations.flatMap(({ Instances = [] }) => Instances)[0];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/**
 * Instances that bear this create's mark and are not terminated, for while no id is recorded: afterwards the id alone
 * counts, since "launch more like this" copies tags.
 */
export async function markedInstances(place: Workplace, signal: AbortSignal): Promise<readonly Instance[]> {
  const filter = markFilter(place);
  if (filter === undefined) return [];
  const states = ["pending", "running", "shutting-down", "stopping", "stopped"];
  const Filters = [filter, { Name: "instance-state-name", Values: states }];
  const { Reservations = [] } = await place.api.send("DescribeInstances", { Filters }, signal);
  return Reservations.flatMap(({ Instances = [] }) => Instances);
}

export async function requireInstance(place: Workplace, signal: AbortSignal): Promise<Instance> {
  const instance = await recordedInstance(place, signal);
  if (instance !== undefined) return instance;
  throw gone(place);
}

export function gone({ config, context }: Pick<Workplace, "config" | "context">): MachineError {
  const { InstanceId, Region } = config;
  return new MachineError("provider-not-found", `The instance ${InstanceId} of "${context.machineName}" is not in ${Region}`, {
    hint: `If it was terminated, remove the machine: docker-machine rm ${context.machineName}. Credentials of another account do not see it either.`,
  });
}
