/** What the parts of the driver work on: one machine, its record and its ledger, and the API. */
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import type { Resource } from "../../driver-kit/driver.ts";
import { createMark } from "../../driver-kit/marks.ts";
import type { Pace } from "../../system/waiting.ts";
import type { ArmResource, AzureApi } from "./api.ts";
import type { AzureConfig } from "./options.ts";
import { idsOf, kinds, sharedTag, types, versionOf, type Ids, type Kind } from "./resource-names.ts";

export type Workplace = DriverPlace<AzureConfig, AzureApi>;

/** How often the core asks for a machine's state: Azure takes 12,000 reads an hour of one subscription. */
export const pace: Pace = { firstMs: 2_000, mostMs: 10_000, jitter: 0.2 };

export function idsFor({ config, context }: Pick<Workplace, "config" | "context">): Ids {
  return idsOf({ ...config, MachineName: context.machineName });
}

export interface VirtualMachine extends ArmResource {
  readonly properties?: MachineProperties | undefined;
}

interface MachineProperties {
  readonly provisioningState?: string | undefined;
  readonly vmId?: string | undefined;
  readonly instanceView?: { readonly statuses?: readonly { readonly code?: string | undefined }[] | undefined } | undefined;
}

/** The virtual machine of our name, whoever made it; undefined where there is none. */
export async function findMachine(place: Workplace, signal: AbortSignal): Promise<VirtualMachine | undefined> {
  const request = { path: idsFor(place).instance, version: types.instance.version, query: { $expand: "instanceView" } };
  return await place.api.find<VirtualMachine>(request, signal);
}

/** Whether it is this machine's: by Azure's own id once that is recorded, else by mark; one of 0.16.2 goes by its name. */
export function isOurMachine({ config, context }: Workplace, found: VirtualMachine): boolean {
  if (config.VmId !== "") return found.properties?.vmId === config.VmId;
  return isMarked(context.createId, found) ?? markOf(found) === undefined;
}

/** Whether it bears the mark of a create; undefined for a machine that has none. */
function isMarked(createId: string | undefined, { tags }: ArmResource): boolean | undefined {
  const mark = createMark(createId);
  return mark === undefined ? undefined : tags?.[mark.label.key] === mark.label.value;
}

const markKey = "docker-machine-create-id";

export function markOf({ tags }: ArmResource): string | undefined {
  return tags?.[markKey];
}

/**
 * Whether this create made it: it bears its mark, or was noted as made and bears no other's. A record that has lost its
 * create's id, and has Azure's own of the machine, stands by its notes.
 */
export function isOurs({ config, context }: Workplace, found: ArmResource, intended: boolean): boolean {
  const marked = isMarked(context.createId, found);
  if (marked === true || intended) return marked === true;
  return markOf(found) === undefined || (marked === undefined && config.VmId !== "");
}

export function isShared({ tags }: ArmResource): boolean {
  return tags?.["docker-machine"] === sharedTag["docker-machine"];
}

const sharedKinds: ReadonlySet<string> = new Set([kinds.set, kinds.subnet, kinds.network]);

/** Whether several machines may use what is of this kind. */
export function isSharedKind(kind: string): boolean {
  return sharedKinds.has(kind);
}

/** What is at Azure under an identifier of a ledger; undefined where there is nothing. */
export async function lookAt(place: Workplace, { kind, id }: Resource, signal: AbortSignal): Promise<ArmResource | undefined> {
  return await place.api.find({ path: id, version: versionOf(kind as Kind) }, signal);
}
