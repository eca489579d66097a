/** What it means for a machine that an earlier command on it was cut off: in words, and for other commands. */
import type { DriverCapabilities } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Store } from "../../store/store.ts";
import type { Host } from "../host/host.ts";
import { readJournal, type JournalReading } from "./journal.ts";

/** The journal of a command that was cut off; undefined while one is at work, here or elsewhere, and where all is well. */
export async function findInterruption(store: Store, name: string): Promise<JournalReading | undefined> {
  const journal = await readJournal(store.machineDir(name));
  if (journal === undefined || journal.active) return undefined;
  const mayGoOn = journal.elsewhere !== undefined && journal.lastState !== "failed";
  return mayGoOn && (await store.isLocked(name)) ? undefined : journal;
}

/** What happened and what to do: `create was interrupted at "ssh"; run …`. */
export function describeInterruption(name: string, journal: JournalReading, capabilities: DriverCapabilities): string {
  return `${whatHappened(journal)}; ${wayOut(name, journal, capabilities)}`;
}

/** `create was interrupted at "ssh"`, or that it failed there, and whose it was where that is another computer's. */
export function whatHappened({
  command,
  lastStep,
  lastState,
  elsewhere,
}: Pick<JournalReading, "command" | "lastStep" | "lastState" | "elsewhere">): string {
  const whose = elsewhere === undefined ? "" : ` (${elsewhere})`;
  return `${command}${whose} ${lastState === "failed" ? "failed" : "was interrupted"} at "${lastStep}"`;
}

/** The commands that end an interruption, as the rest of a sentence. */
export function wayOut(name: string, journal: JournalReading, capabilities: DriverCapabilities): string {
  const remove = `docker-machine rm ${name}`;
  if (journal.command === "rm" || isBeingUndone(journal)) return `run ${remove} to finish it`;
  if (isCreateUncertain(journal, capabilities)) return `look at the provider for what it made, then run ${remove}`;
  const goOn = `run ${nextCommand(name, journal, capabilities)} to go on`;
  // Removing is a way out of what never came into being; a machine that works is not thrown away over its upkeep.
  return journal.command === "create" ? `${goOn}, or ${remove}` : goOn;
}

function nextCommand(name: string, journal: JournalReading, { adopted }: DriverCapabilities): string {
  if (journal.command !== "create") return `docker-machine ${journal.command} ${name}`;
  const hasInstance = adopted || journal.has("instance", "done");
  return hasInstance ? `docker-machine provision ${name}` : "the same create";
}

/** An unfinished create was to be undone, and that was cut off too. */
export function isBeingUndone(journal: JournalReading): boolean {
  return journal.command === "create" && (journal.has("roll-back", "begun") || journal.has("remove-instance", "begun"));
}

/** Nobody can tell whether the driver has made an instance, and asking it again could make another. */
export function isCreateUncertain(journal: JournalReading, { opaque }: DriverCapabilities): boolean {
  return opaque === true && journal.has("instance", "begun") && !journal.has("instance", "done");
}

/** Refuses work on a machine whose create never ended. Throws `machine-interrupted`. */
export async function requireCreated({ name, dir, module }: Pick<Host, "name" | "dir" | "module">): Promise<void> {
  const journal = await readJournal(dir);
  if (journal?.command !== "create") return;
  throw new MachineError("machine-interrupted", `"${name}" is not finished: ${whatHappened(journal)}`, {
    hint: `To have it whole first, ${wayOut(name, journal, module.capabilities)}.`,
  });
}
