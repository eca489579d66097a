/** The name by which an engine's certificate is its machine's, whatever address that has. */
import type { PeerCertificate } from "node:tls";

/** To the letter: `web.` and `Web` are other machines than `web`, and a wildcard is no machine. */
export function bears({ subjectaltname = "" }: PeerCertificate, machineName: string | undefined): boolean {
  return machineName !== undefined && subjectaltname.split(", ").includes(`DNS:${machineName}`);
}
