/** A guest's state on its way to a file or from one, which QEMU calls a migration. */
import { MachineError } from "../../errors/machine-error.ts";
import type { Clock } from "../../system/clock.ts";
import { poll } from "../../system/waiting.ts";
import type { QmpClient } from "./qmp.ts";

export const transferTimeoutMs = 5 * 60_000;
const transferPollMs = 15;

/** Waits until the transfer that was begun is over. Throws `driver-failed` with QEMU's reason, and `timeout`. */
export async function stateTransferred(monitor: QmpClient, clock: Clock, signal: AbortSignal): Promise<void> {
  const ask = async (): Promise<true | undefined> => {
    const { status, "error-desc": reason } = (await monitor.execute("query-migrate")) as {
      status?: string;
      "error-desc"?: string;
    };
    if (status === "failed" || status === "cancelled")
      throw new MachineError("driver-failed", `QEMU could not transfer the state: ${reason ?? status}`);
    return status === "completed" || undefined;
  };
  await poll({ ms: transferTimeoutMs, clock, signal }, transferPollMs, ask, "QEMU did not transfer the state");
}
