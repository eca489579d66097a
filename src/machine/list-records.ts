/** What `ls -q` needs: nothing is asked of any machine, and nothing loaded that could. */
import type { HostRecord } from "../store/host-record.ts";
import { sideBySideWithin } from "../system/open-files.ts";
import type { MachineContext } from "./machine-context.ts";
import { forEachMachine } from "./many.ts";

const atOnce = { most: 64, openEach: 2 };

/** The records that can be read, by name. */
export async function listRecords({ store }: MachineContext): Promise<HostRecord[]> {
  const names = (await store.list()).sort();
  const places = await sideBySideWithin(Math.min(atOnce.most, names.length), atOnce.openEach);
  const outcomes = await forEachMachine(names, places, async (name) => await store.load(name));
  return outcomes.flatMap(({ value }) => value ?? []);
}
