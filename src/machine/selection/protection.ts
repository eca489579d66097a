/**
 * `protect`: a machine that no command removes or cuts off until it is unprotected; nothing overrides it. 0.16.2 does not
 * know of it, and removes what it is told to.
 */
import * as path from "node:path";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { protectionIn } from "../../store/kept-keys.ts";
import { keptFileName } from "../../store/paths.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import { openHost } from "../host/open-host.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";

/** Throws `machine-interrupted` for a machine whose create has not ended: to undo that must stay possible. */
export async function setProtection(
  context: MachineContext,
  name: string,
  isProtected: boolean,
  signal: AbortSignal,
): Promise<void> {
  await using _lock = await lockMachine(context, name, isProtected ? "protect" : "unprotect", signal);
  await using host = await openHost(context, name);
  if (isProtected) {
    await requireCreated(host);
    host.record.extra.Protected = true;
  } else {
    delete host.record.extra.Protected;
  }
  await host.save();
}

/** Throws `machine-protected`. The caller holds the machine's lock. A record that cannot be read is asked by what was kept of it. */
export async function requireUnprotected(context: MachineContext, name: string, what: string): Promise<void> {
  if (!(await isProtectedMachine(context, name))) return;
  throw new MachineError("machine-protected", `"${name}" is protected, so that it is not ${what}`, {
    hint: `To allow it: docker-machine unprotect ${name}`,
  });
}

async function isProtectedMachine({ store }: MachineContext, name: string): Promise<boolean> {
  const kept = async (): Promise<boolean> => {
    const text = await readRegularFileIfExists(path.join(store.machineDir(name), keptFileName));
    return text !== undefined && protectionIn(text.toString("utf8"));
  };
  try {
    const { extra } = await store.load(name);
    // 0.16.2 drops all of `Extra` at once.
    return extra.Protected === true || (Object.keys(extra).length === 0 && (await kept()));
  } catch (error) {
    if (isMachineError(error, "machine-not-found")) return false;
    return await kept();
  }
}
