/** A machine's time as its record has it: what is asked of its host, whose machine it is, and what comes after the end. */
import { MachineError } from "../../errors/machine-error.ts";
import type { Lifetime } from "../../provision/provision-request.ts";
import type { HostExtra } from "../../store/host-record.ts";
import { formatInstant } from "../../system/time-text.ts";
import { isProvisioned, type Host } from "../host/host.ts";
import { formatSpan } from "./deadline.ts";

/** Undefined where there is none. */
export function deadlineOf({ Expires }: Pick<HostExtra, "Expires">): Date | undefined {
  const ms = Expires === undefined ? Number.NaN : Date.parse(Expires);
  return Number.isNaN(ms) ? undefined : new Date(ms);
}

export function isExpired(extra: HostExtra, now: Date): boolean {
  const deadline = deadlineOf(extra);
  return deadline !== undefined && deadline.getTime() <= now.getTime();
}

/** What its host is to know; undefined where it lives until it is removed. */
export function lifetimeOf(extra: HostExtra, { ttlGraceMs }: { readonly ttlGraceMs: number }): Lifetime | undefined {
  const deadline = deadlineOf(extra);
  const idleSeconds = extra.IdleSeconds;
  if (deadline === undefined && idleSeconds === undefined) return undefined;
  return { deadline, idleSeconds, graceSeconds: Math.ceil(ttlGraceMs / 1000) };
}

/** Made by a create of ours: not adopted, and not by an earlier program. */
export function isOwnMachine({ module, record }: Pick<Host, "module" | "record">): boolean {
  return !module.capabilities.adopted && record.extra.CreateId !== undefined;
}

/** Throws `driver-unsupported` where no system of ours runs that could end it, and `usage` for what is somebody's own. */
export function requireEndable(host: Host): void {
  const { Expires, IdleSeconds, TtlPowerOff } = host.record.extra;
  if (Expires === undefined && IdleSeconds === undefined) return;
  if (!isProvisioned(host)) {
    throw new MachineError("driver-unsupported", `"${host.name}" is not provisioned, so that nothing on it could end its time`, {
      hint: "It goes on until it is removed: leave out what would end it.",
    });
  }
  if (isOwnMachine(host) || TtlPowerOff === true) return;
  throw new MachineError("usage", `"${host.name}" was there before, and its owner may want it to go on`, {
    hint: "To have it powered off all the same, and never removed, give --ttl-power-off too; in a fleet's file: ttl-power-off: true.",
  });
}

/** What will become of a machine, and what it costs after that; undefined where it lives until it is removed. */
export function describeEnd(host: Host): string | undefined {
  const deadline = deadlineOf(host.record.extra);
  const { IdleSeconds } = host.record.extra;
  const ends = [
    ...(deadline === undefined ? [] : [`at ${formatInstant(deadline)}`]),
    ...(IdleSeconds === undefined ? [] : [`after ${formatSpan(IdleSeconds)} without use`]),
  ];
  if (ends.length === 0) return undefined;
  return `"${host.name}" is powered off ${ends.join(", or ")}${isOwnMachine(host) ? `; ${aftermath(host, deadline)}` : ""}`;
}

function aftermath({ name, module, driver }: Host, deadline: Date | undefined): string {
  const remove = deadline === undefined ? `docker-machine rm ${name}` : "docker-machine gc --expired";
  const { onThisComputer, whenPoweredOff } = module.capabilities;
  if (whenPoweredOff === "deleted" || (deadline !== undefined && driver.setLifetime !== undefined))
    return "its provider deletes it then";
  if (onThisComputer === true) return `its disks stay until: ${remove}`;
  if (whenPoweredOff === "free") return `its disks may still be billed until somebody runs: ${remove}`;
  if (whenPoweredOff === "billed") return `it is still billed until somebody runs: ${remove}`;
  return `it may still be billed until somebody runs: ${remove}`;
}
