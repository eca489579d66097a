/** Which machines others can be let in to. */
import { MachineError } from "../../errors/machine-error.ts";
import { isProvisioned, type Host } from "../host/host.ts";

const reasons = {
  local: {
    why: "lives on this computer, where nobody else reaches it",
    hint: "Share a machine that they reach: one in a cloud, or a box that was adopted with --driver generic.",
  },
  guest: {
    why: "is looked after by somebody else",
    hint: "Its owner shares it with others too: they print what is needed with docker-machine share request.",
  },
  unmanaged: {
    why: "is looked after by somebody else",
    hint: "To share an engine by SSH, adopt its box with: docker-machine create --driver generic --generic-ip-address ADDRESS NAME",
  },
} as const;

/** Throws `driver-unsupported`. */
export function requireSharable(host: Host): void {
  const { onThisComputer, guest } = host.module.capabilities;
  if (isProvisioned(host) && onThisComputer !== true) return;
  const { why, hint } = reasons[onThisComputer === true ? "local" : guest === true ? "guest" : "unmanaged"];
  throw new MachineError("driver-unsupported", `"${host.name}" ${why}, so it cannot be shared`, { hint });
}
