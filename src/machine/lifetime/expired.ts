/**
 * `gc --expired`: machines whose deadline has passed, and which cost something until they are removed. Only what a create of
 * ours made counts, by the deadline of its own; what is somebody's own is never removed, and what is protected stays.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { formatInstant } from "../../system/time-text.ts";
import { openHost } from "../host/open-host.ts";
import { recordedMachines } from "../list-records.ts";
import type { MachineContext, Outcome } from "../machine-context.ts";
import { forEachMachine } from "../many.ts";
import { removeMachine } from "../remove.ts";
import { deadlineOf, isExpired, isOwnMachine } from "./recorded-lifetime.ts";

export interface ExpiredMachine {
  readonly name: string;
  readonly driverName: string;
  readonly deadline: Date;
  readonly isProtected: boolean;
  /** A machine of the same name that was made since has another. */
  readonly createId: string;
}

const atOnce = 16;

/** By name. Machines whose record or driver cannot be had have no deadline that could be known. */
export async function findExpired(context: MachineContext): Promise<ExpiredMachine[]> {
  const now = context.clock.now();
  const { readable } = await recordedMachines(context);
  const names = readable.filter(({ extra }) => isExpired(extra, now)).map(({ name }) => name);
  const outcomes = await forEachMachine(names.toSorted(), atOnce, async (name) => await expiredMachine(context, name));
  return outcomes.flatMap(({ value }) => value ?? []);
}

async function expiredMachine(context: MachineContext, name: string): Promise<ExpiredMachine | undefined> {
  await using host = await openHost(context, name);
  const { record } = host;
  const deadline = deadlineOf(record.extra);
  if (deadline === undefined || !isExpired(record.extra, context.clock.now()) || !isOwnMachine(host)) return undefined;
  const { CreateId: createId = "", Protected } = record.extra;
  return { name, driverName: record.driverName, deadline, isProtected: Protected === true, createId };
}

/** What is protected stays, and so does what was given another deadline, or made anew, since it was found. */
export async function removeExpired(
  context: MachineContext,
  found: readonly ExpiredMachine[],
  signal: AbortSignal,
): Promise<Outcome<void>[]> {
  const removable = found.filter(({ isProtected }) => !isProtected);
  const expected = new Map(removable.map((machine) => [machine.name, machine]));
  return await forEachMachine([...expected.keys()], atOnce, async (name) => {
    const require = async (): Promise<void> => await requireStillExpired(context, name, expected.get(name)?.createId);
    await removeMachine(context, { name, force: false, restore: false, require }, signal);
  });
}

async function requireStillExpired(context: MachineContext, name: string, createId: string | undefined): Promise<void> {
  const now = await expiredMachine(context, name);
  if (now?.createId === createId) return;
  throw new MachineError(
    "machine-state",
    `"${name}" is not the machine any more whose deadline passed: it was changed meanwhile`,
  );
}

/** One line of a list. */
export function describeExpired({ name, driverName, deadline, isProtected }: ExpiredMachine): string {
  const end = `${name}: ${driverName}, its time was over at ${formatInstant(deadline)}`;
  return isProtected ? `${end}; protected, and kept` : end;
}
