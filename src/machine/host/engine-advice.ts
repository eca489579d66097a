/** What to do about an engine that cannot be used. Loaded where one cannot: who asks for an address needs none of it. */
import type { ErrorCode } from "../../errors/codes.ts";
import { isTakenAndSilent } from "../../engine/engine-timeout-error.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { isProvisioned, type Host } from "./host.ts";

/** 0.16.2's words for `env` and `config`; where new certificates are no way out, what is one. */
export function certificateAdvice(host: Host, url: string, error: unknown): MachineError {
  const code = isMachineError(error) ? error.code : "engine-unreachable";
  const advice = silences.includes(code) ? "" : `\n${regenerationAdvice}`;
  return new MachineError(code, `${validationText(url, error)}${advice}`, { cause: error, hint: truerAdvice(host, error) });
}

/** In the same words, that a file of ours is at fault and not the engine. */
export function notOfTheEngine(url: string, error: MachineError): MachineError {
  return new MachineError(error.code, validationText(url, error), { cause: error, hint: error.hint });
}

function validationText(url: string, error: unknown): string {
  const address = url.replace(/^[a-z]+:\/\//u, "");
  return `Error checking and/or regenerating the certs: There was an error validating certificates for host "${address}": ${messageOf(error)}`;
}

/** Errors of an engine that showed no certificate, so that none can be to blame. */
export const silences: readonly ErrorCode[] = ["engine-unreachable", "engine-timeout"];

/** 0.16.2 gives it whatever is wrong. */
export const regenerationAdvice =
  "You can attempt to regenerate them using 'docker-machine regenerate-certs [name]'.\n" +
  "Be advised that this will trigger a Docker daemon restart which might stop running containers.\n";

/** 0.16.2's sentence sends everybody to `regenerate-certs`, which mends certificates and nothing else. */
function truerAdvice(host: Host, error: unknown): string | undefined {
  if (!isMachineError(error)) return undefined;
  if (error.code === "engine-unreachable") {
    const start = isProvisioned(host) ? `; start it with: docker-machine provision ${host.name}` : "";
    return (
      `The machine runs and its engine does not answer, so its certificates are not to blame. ` +
      `See why with: docker-machine doctor ${host.name}${start}`
    );
  }
  if (error.code === "engine-timeout") return waysOut["engine-timeout"](host, error);
  if (!/expired|not yet valid/u.test(error.message)) return undefined;
  return `If the certificate's dates are right, a clock is wrong; which one, says: docker-machine doctor ${host.name}`;
}

const waysOut = {
  "engine-unreachable": (host: Host): string =>
    `Nothing listens on the engine's port. See why with: docker-machine doctor ${host.name}`,
  "engine-timeout": (host: Host, error: MachineError): string =>
    isTakenAndSilent(error)
      ? "The engine takes connections and does not answer: it hangs, or what forwards its port leads nowhere. " +
        `See which with: docker-machine doctor ${host.name}`
      : "Something between here and the machine drops the packets: a firewall on the machine, or a security group at the provider, must let the engine's port in. " +
        `Which it is, says: docker-machine doctor ${host.name}`,
  "engine-certificate": (host: Host): string =>
    `Another program or another owner's engine answers at that address. Check it, then: docker-machine regenerate-certs ${host.name}`,
} as const;

/** For an engine that was set up and cannot be used from here: `what` is a clause. */
export function unreachable(host: Host, error: unknown, what: string): unknown {
  if (!isMachineError(error)) return error;
  const wayOut = waysOut[error.code as keyof typeof waysOut];
  if (wayOut === undefined) return error;
  const message = `The engine of "${host.name}" was set up but ${what}: ${error.message}`;
  return new MachineError(error.code, message, { cause: error, hint: wayOut(host, error) });
}
