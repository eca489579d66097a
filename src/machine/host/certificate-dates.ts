/** Until when a machine's certificates are valid, and saying so in time. */
import * as path from "node:path";
import { isMachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { loadValidity, validityState, validityWarning, type DatedFile } from "../../tls/validity.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";

/** When the certificate of the machine's engine ends; undefined where it has none, or one that cannot be read. */
export async function engineCertificateEnd(host: Pick<Host, "dir">): Promise<Date | undefined> {
  return (await loadIfReadable(engineCertificateOf(host)))?.notAfter;
}

export function engineCertificateOf({ dir }: Pick<Host, "dir">): string {
  return path.join(dir, "server.pem");
}

/** Warns of each certificate that a connection to the machine rests on and that has ended, is about to, or is not valid yet. */
export async function warnOfCertificates(context: MachineContext, host: Host): Promise<void> {
  const { CaCertPath, ClientCertPath } = host.record.hostOptions.AuthOptions;
  const renewAll = `docker-machine regenerate-certs --client-certs ${host.name}`;
  const certificates = [
    { what: "The CA certificate", file: CaCertPath, renew: renewAll },
    { what: "The client certificate", file: ClientCertPath, renew: renewAll },
    {
      what: `The certificate of "${host.name}"`,
      file: engineCertificateOf(host),
      renew: `docker-machine regenerate-certs ${host.name}`,
    },
  ];
  const facts = await Promise.all(certificates.map(async ({ file }) => await loadIfReadable(file)));
  for (const [index, { what, renew }] of certificates.entries()) {
    const found = facts[index];
    const warning = found && warningOf(what, found, renew, context.clock.now());
    if (warning !== undefined) logTo(host.report, "warn", warning);
  }
}

/** One that is not valid yet would be made anew for nothing: the clock of then or now is wrong. */
function warningOf(what: string, facts: DatedFile, renew: string, now: Date): string | undefined {
  const warning = validityWarning(what, facts, now);
  return warning === undefined || validityState(facts, now) === "not-yet-valid" ? warning : `${warning}. Renew it with: ${renew}`;
}

/** What is wrong with a file, the connection that needs it says. */
async function loadIfReadable(file: string): Promise<DatedFile | undefined> {
  try {
    return await loadValidity(file);
  } catch (error) {
    if (isMachineError(error)) return undefined;
    throw error;
  }
}
