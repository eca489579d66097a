/** What whoever finds a machine running does for its containers' ports. Kept small: it is on the way of `env` and `ls`. */
import type { Host } from "../host/host.ts";
import type { MachineContext } from "../machine-context.ts";

/**
 * Has the ports of the machine's containers come to this computer, where that is wanted and nobody sees to it: starts the
 * watcher that does. Never throws and waits for nothing.
 * @param moment `begun` where the machine's run may be a new one: the watcher of the one before counts for nothing then
 */
export async function keepPublished(
  context: MachineContext,
  host: Host,
  moment: "begun" | "seen-running" = "seen-running",
): Promise<void> {
  if (context.ownProgram === undefined || host.driver.containerPorts === undefined) return;
  await (await import("./start-watcher.ts")).startWatcher(context, context.ownProgram, host, moment);
}

/** Has whoever sees to the ports of a machine's containers end, whose run has ended. Never throws; waits for a moment at most. */
export async function endPublished(context: MachineContext, host: Host): Promise<void> {
  if (host.driver.containerPorts === undefined) return;
  await (await import("./start-watcher.ts")).endWatcher(context, host);
}
