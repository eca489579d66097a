/** What vCenter's index finds at once: by UUID, and by a path of the inventory. */
import { refOf } from "./api/answers.ts";
import type { Ref } from "./api/wire.ts";
import { childOf } from "./api/xml.ts";
import type { Workplace } from "./workplace.ts";

/** @param isInstance by vCenter's own UUID of the VM, not by the one that its BIOS shows, which copies share */
export async function findByUuid(
  { api }: Workplace,
  uuid: string,
  isInstance: boolean,
  signal: AbortSignal,
): Promise<Ref | undefined> {
  const index = (await api.content(signal)).manager("searchIndex");
  const answer = await api.call("FindByUuid", index, { uuid, vmSearch: true, instanceUuid: isInstance }, signal);
  return refOf(childOf(answer, "returnval"));
}

/** @param inventoryPath with the slashes of its names escaped */
export async function findByPath({ api }: Workplace, inventoryPath: string, signal: AbortSignal): Promise<Ref | undefined> {
  const index = (await api.content(signal)).manager("searchIndex");
  const answer = await api.call("FindByInventoryPath", index, { inventoryPath }, signal);
  return refOf(childOf(answer, "returnval"));
}

/** A slash in a name, as inventory paths have it. */
export function escapeSegment(name: string): string {
  return name.replaceAll("%", "%25").replaceAll("/", "%2f").replaceAll("\\", "%5c");
}
