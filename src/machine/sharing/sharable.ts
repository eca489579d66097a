/** Which machines others can be let in to. */
import { MachineError } from "../../errors/machine-error.ts";
import { isProvisioned, type Host } from "../host/host.ts";

/** Throws `driver-unsupported`. */
export function requireSharable(host: Host): void {
  const { onThisComputer } = host.module.capabilities;
  if (isProvisioned(host) && onThisComputer !== true) return;
  const why =
    onThisComputer === true ? "lives on this computer, where nobody else reaches it" : "is looked after by somebody else";
  throw new MachineError("driver-unsupported", `"${host.name}" ${why}, so it cannot be shared`);
}
