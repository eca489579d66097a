/** `ttl NAME`: when a machine ends, and how far its host is with that. Changes nothing, and takes no lock. */
import { isMachineError } from "../../errors/machine-error.ts";
import { readLifetime, type LifetimeReport } from "../../provision/provision.ts";
import { openHost } from "../host/open-host.ts";
import type { MachineContext } from "../machine-context.ts";
import { loggedIn } from "../provision-machine.ts";
import { deadlineOf } from "./recorded-lifetime.ts";

export interface MachineLifetime {
  readonly name: string;
  readonly deadline?: Date | undefined;
  readonly idleSeconds?: number | undefined;
  /** Its host does not know of it yet. */
  readonly isPending: boolean;
  /** What its host says; undefined where it is not asked, or says nothing. */
  readonly onHost?: LifetimeReport | undefined;
  /** Why its host could not be asked. */
  readonly complaint?: string | undefined;
}

/** Its host is asked only where use is looked at: of a deadline the record knows all. */
export async function tellLifetime(context: MachineContext, name: string, signal: AbortSignal): Promise<MachineLifetime> {
  await using host = await openHost(context, name);
  const { extra } = host.record;
  const recorded = {
    name,
    deadline: deadlineOf(extra),
    idleSeconds: extra.IdleSeconds,
    isPending: extra.LifetimePending === true,
  };
  if (recorded.idleSeconds === undefined || recorded.isPending) return recorded;
  try {
    return { ...recorded, onHost: await loggedIn(context, host, signal, readLifetime) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error)) throw error;
    return { ...recorded, complaint: error.message };
  }
}
