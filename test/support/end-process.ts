import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** Ends a process that a test started and waits until it is gone; one that has ended already is no wait without an end. */
export async function endProcess(child: ChildProcess, ask: () => unknown = () => child.kill("SIGKILL")): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  ask();
  await ended;
}
