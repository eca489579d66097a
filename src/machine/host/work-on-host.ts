/** Work over SSH on a machine that is whole, under its journal: nothing is noted before the machine can be reached. */
import type { SshExecutor } from "../../ssh/executor.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { readJournal, type JournaledCommand, type JournalStep } from "../interruption/journal.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";
import { locate } from "./locate.ts";

/** What is noted in the journal while the work is done. */
export interface JournaledWork {
  readonly command: JournaledCommand;
  readonly step: JournalStep;
}

/**
 * Logs in where the machine is now, does the work, and saves what the driver learned. What could not begin, or
 * changed nothing, leaves no mark.
 * The caller holds the machine's lock. Throws what connecting and the work throw.
 */
export async function workOnHost<T>(
  context: MachineContext,
  host: Host,
  { command, step }: JournaledWork,
  signal: AbortSignal,
  work: (ssh: SshExecutor) => Promise<T>,
): Promise<T> {
  await locate(context, host, signal);
  await using ssh = await host.openSsh();
  await ssh.connect();
  const earlier = await readJournal(host.dir);
  const journal = await host.openJournal(command);
  try {
    const result = await journal.step(step, async () => await work(ssh));
    await host.save();
    await journal.close();
    return result;
  } catch (error) {
    if (earlier === undefined && isMachineError(error) && error.untouched) await journal.close();
    throw error;
  }
}
