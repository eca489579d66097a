/**
 * Whom we speak with at vSphere. Its certificate is believed because this computer's roots do, or a file of roots that was
 * given, or because it is the one whose fingerprint was given. Records of older tools, which believed anyone, have the
 * certificate pinned that they meet first, and that is said.
 */
import * as path from "node:path";
import type { DriverContext } from "../../../driver-kit/driver.ts";
import type { HttpTransport, HttpTrust } from "../../../driver-kit/http-transport.ts";
import { MachineError } from "../../../errors/machine-error.ts";
import { logTo } from "../../../log/event.ts";
import { readFileIfExists, writeFileAtomic } from "../../../system/files.ts";
import { isHttpFailure } from "../../../system/http-failure.ts";
import type { VsphereConfig } from "../options.ts";

/** Asks who is there, without showing anything that is secret. */
type Greeting<T> = (http: HttpTransport) => Promise<T>;

/** Of older tools' machines: the certificate that was met first, beside the record, since any command may be the first. */
const pinFile = "vcenter-certificate";

/** @throws `provider-untrusted` with the fingerprint in the hint, before anything was sent */
export async function openConnection<T>(
  context: DriverContext,
  config: VsphereConfig,
  signal: AbortSignal,
  greet: Greeting<T>,
): Promise<{ readonly http: HttpTransport; readonly found: T }> {
  const pin = await pinOf(context, config);
  const trust = await trustOf(config, pin);
  const http = trust === undefined ? context.http : context.http.trusting(trust);
  try {
    return { http, found: await greet(http) };
  } catch (error) {
    if (!isHttpFailure(error) || error.reason !== "certificate") throw error;
    const seen = await shownBy(context, config, signal);
    if (pin !== undefined) throw changed(context, config, pin, seen, error);
    if (!config.PinsOnFirstUse) throw unknown(config, seen, error);
    return await trustFirst(context, config, seen, greet);
  }
}

async function trustFirst<T>(context: DriverContext, { IP }: VsphereConfig, seen: string, greet: Greeting<T>) {
  const http = context.http.trusting({ fingerprint: seen });
  const found = await greet(http);
  await writeFileAtomic(path.join(context.machineDir, pinFile), `${colonSeparated(seen)}\n`, 0o600);
  const what = `The certificate of ${IP} is signed by nobody this computer knows.`;
  logTo(context.report, "warn", `${what} It is believed from now on: SHA-256 ${colonSeparated(seen)}`);
  return { http, found };
}

async function pinOf(
  { machineDir }: DriverContext,
  { TlsThumbprint, PinsOnFirstUse }: VsphereConfig,
): Promise<string | undefined> {
  if (TlsThumbprint !== "" || !PinsOnFirstUse) return TlsThumbprint === "" ? undefined : TlsThumbprint;
  return (await readFileIfExists(path.join(machineDir, pinFile)))?.toString("utf8").trim();
}

async function trustOf({ TlsCaCert, Insecure }: VsphereConfig, pin: string | undefined): Promise<HttpTrust | undefined> {
  if (pin !== undefined) return { fingerprint: pin };
  if (Insecure) return { insecure: true };
  if (TlsCaCert === "") return undefined;
  const roots = await readFileIfExists(TlsCaCert);
  if (roots !== undefined) return { roots: roots.toString("utf8") };
  throw new MachineError("driver-options", `The file of --vmwarevsphere-tls-ca-cert, ${TlsCaCert}, does not exist`, {
    hint: "Name a file with the PEM certificates of the authority that signed vCenter's.",
  });
}

/** Of all that is asked, without a slash at the end. */
export function baseUrl({ IP, Port }: VsphereConfig): string {
  return `https://${IP.includes(":") ? `[${IP}]` : IP}:${Port}`;
}

async function shownBy({ http }: DriverContext, config: VsphereConfig, signal: AbortSignal): Promise<string> {
  return await http.fingerprint(`${baseUrl(config)}/`, signal);
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

function changed(
  { machineDir }: DriverContext,
  { IP, TlsThumbprint }: VsphereConfig,
  pin: string,
  seen: string,
  cause: unknown,
): MachineError {
  const renewed =
    TlsThumbprint === ""
      ? `remove the file ${path.join(machineDir, pinFile)}`
      : "put the new fingerprint into TlsThumbprint of the machine's config.json";
  return new MachineError("provider-untrusted", `${IP} shows another certificate than the expected one`, {
    cause,
    hint:
      `Expected was ${pin}, shown is SHA-256 ${colonSeparated(seen)}. Nothing was sent. If the certificate was renewed, ` +
      `${renewed}; otherwise somebody stands between.`,
  });
}

/** As vCenter and browsers show it. */
function colonSeparated(hex: string): string {
  return (hex.toUpperCase().match(/../gu) ?? []).join(":");
}
