/**
 * `ttl NAME 4h`: another end, or none. The record comes first, with a mark that it is not told to everybody yet: whoever is
 * cut off, and a machine that is off, is told at its next start.
 */
import { logTo } from "../../log/event.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import type { HostExtra } from "../../store/host-record.ts";
import { isProvisioned, type Host } from "../host/host.ts";
import { openHost } from "../host/open-host.ts";
import { stateOf } from "../host/wait-for-state.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { noteInMark } from "../fleet-mark.ts";
import { deadlineText } from "./deadline.ts";
import { tellHost, tellProvider } from "./apply-lifetime.ts";
import { describeEnd, requireEndable } from "./recorded-lifetime.ts";

export interface LifetimeChange {
  /** `off` takes it away; undefined = as it is. */
  readonly deadline?: Date | "off" | undefined;
  /** In seconds. */
  readonly idle?: number | "off" | undefined;
  /** The machine is somebody's own, and may be powered off all the same. */
  readonly powerOff: boolean;
}

/** Throws `usage` and `driver-unsupported` where it may not be ended, what its provider refuses, and what its host's SSH throws. */
export async function setLifetime(
  context: MachineContext,
  name: string,
  { deadline, idle, powerOff }: LifetimeChange,
  signal: AbortSignal,
): Promise<void> {
  await using lock = await lockMachine(context, name, "ttl", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  const { extra } = host.record;
  const before = { ...extra };
  if (deadline !== undefined) extra.Expires = deadline === "off" ? undefined : deadline.toISOString();
  if (deadline instanceof Date) noteInMark(extra, "ttl", deadlineText(deadline));
  if (idle !== undefined) extra.IdleSeconds = idle === "off" ? undefined : idle;
  if (powerOff) extra.TtlPowerOff = true;
  forgetAbsent(extra);
  const wanted = extra.Expires;
  requireEndable(host);
  if (!isProvisioned(host)) {
    // There is nobody to be told that nothing ends it.
    delete extra.LifetimePending;
    await host.save();
    return sayEnd(host);
  }
  extra.LifetimePending = true;
  await host.save();
  if (extra.Expires !== before.Expires) {
    try {
      await tellProvider(context, host, lock.signal);
    } catch (error) {
      await takeBack(host, before);
      throw error;
    }
  }
  if ((await stateOf(context, host, lock.signal)) === "Running") {
    try {
      await tellHost(context, host, lock.signal);
    } catch (error) {
      // Nothing there would ever end it.
      if (isMachineError(error, "os-unsupported")) {
        await takeBack(host, before);
        if (extra.Expires !== wanted) await tellProvider(context, host, lock.signal);
      }
      throw error;
    }
  } else logTo(host.report, "info", `"${name}" does not run, and is told at its next start`);
  sayEnd(host);
}

async function takeBack(host: Host, before: HostExtra): Promise<void> {
  const { extra } = host.record;
  for (const key of Object.keys(extra)) delete extra[key];
  Object.assign(extra, before);
  await host.save();
}

function sayEnd(host: Host): void {
  logTo(host.report, "info", describeEnd(host) ?? `"${host.name}" goes on until it is removed`);
}

/** A record has no empty keys. */
function forgetAbsent(extra: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(extra)) if (value === undefined) delete extra[key];
  if (extra["Expires"] === undefined && extra["IdleSeconds"] === undefined) delete extra["TtlPowerOff"];
}
