/**
 * Whom we speak with at vSphere. Its certificate is believed because this computer's roots do, or a file of roots that was
 * given, or because it is the one whose fingerprint was given. Records of older tools, which believed anyone, have the
 * certificate pinned that they meet first, and that is said.
 */
import type { DriverContext } from "../../../driver-kit/driver.ts";
import type { HttpTransport, HttpTrust } from "../../../driver-kit/http-transport.ts";
import { MachineError } from "../../../errors/machine-error.ts";
import { logTo } from "../../../log/event.ts";
import { readFileIfExists } from "../../../system/files.ts";
import { isHttpFailure } from "../../../system/http-failure.ts";
import type { VsphereConfig } from "../options.ts";

/** Asks who is there, without showing anything that is secret. */
type Greeting<T> = (http: HttpTransport) => Promise<T>;

/** @throws `provider-untrusted` with the fingerprint in the hint, before anything was sent */
export async function openConnection<T>(
  context: DriverContext,
  config: VsphereConfig,
  signal: AbortSignal,
  greet: Greeting<T>,
): Promise<{ readonly http: HttpTransport; readonly found: T }> {
  const trust = await trustOf(config);
  const http = trust === undefined ? context.http : context.http.trusting(trust);
  try {
    return { http, found: await greet(http) };
  } catch (error) {
    if (!isHttpFailure(error) || error.reason !== "certificate") throw error;
    if (config.TlsThumbprint !== "") throw changed(config, await shownBy(context, config, signal), error);
    const seen = await shownBy(context, config, signal);
    if (!config.PinsOnFirstUse) throw unknown(config, seen, error);
    const pinned = context.http.trusting({ fingerprint: seen });
    const found = await greet(pinned);
    config.TlsThumbprint = colonSeparated(seen);
    logTo(
      context.report,
      "warn",
      `The certificate of ${config.IP} is signed by nobody this computer knows. It is believed from now on: SHA-256 ${config.TlsThumbprint}`,
    );
    await context.save();
    return { http: pinned, found };
  }
}

async function trustOf({ TlsThumbprint, TlsCaCert, Insecure }: VsphereConfig): Promise<HttpTrust | undefined> {
  if (TlsThumbprint !== "") return { fingerprint: TlsThumbprint };
  if (Insecure) return { insecure: true };
  if (TlsCaCert === "") return undefined;
  const roots = await readFileIfExists(TlsCaCert);
  if (roots !== undefined) return { roots: roots.toString("utf8") };
  throw new MachineError("driver-options", `The file of --vmwarevsphere-tls-ca-cert, ${TlsCaCert}, does not exist`, {
    hint: "Name a file with the PEM certificates of the authority that signed vCenter's.",
  });
}

async function shownBy({ http }: DriverContext, { IP, Port }: VsphereConfig, signal: AbortSignal): Promise<string> {
  return await http.fingerprint(`https://${IP.includes(":") ? `[${IP}]` : IP}:${Port}/`, signal);
}

function unknown({ IP, TlsCaCert }: VsphereConfig, seen: string, cause: unknown): MachineError {
  const by = TlsCaCert === "" ? "nobody this computer knows" : `nobody in ${TlsCaCert}`;
  return new MachineError("provider-untrusted", `The certificate of ${IP} is signed by ${by}`, {
    cause,
    hint:
      `Its SHA-256 fingerprint is ${colonSeparated(seen)}. If that is what vCenter's own page of certificates shows, give it with ` +
      "--vmwarevsphere-tls-thumbprint; or give the authority's certificates (from https://VCENTER/certs/download.zip) with --vmwarevsphere-tls-ca-cert.",
  });
}

function changed({ IP, TlsThumbprint }: VsphereConfig, seen: string, cause: unknown): MachineError {
  return new MachineError("provider-untrusted", `${IP} shows another certificate than the expected one`, {
    cause,
    hint:
      `Expected was ${TlsThumbprint}, shown is SHA-256 ${colonSeparated(seen)}. Nothing was sent. If the certificate was renewed, ` +
      "put the new fingerprint into TlsThumbprint of the machine's config.json; otherwise somebody stands between.",
  });
}

/** As vCenter and browsers show it. */
export function colonSeparated(hex: string): string {
  return (hex.toUpperCase().match(/../gu) ?? []).join(":");
}
