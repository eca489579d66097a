/**
 * Connections for HTTP: directly or through a proxy, and to nobody but whom the trust allows. Agents of `node:http` and
 * `node:https`, so that SDKs can be given them; both runtimes use their `createConnection`. A connection is handed over
 * when it stands and its certificate is believed: what fails before has sent nothing. Loaded on the first request.
 */
import { createHash, X509Certificate } from "node:crypto";
import * as http from "node:http";
import * as https from "node:https";
import * as net from "node:net";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";
import { messageOf } from "../errors/machine-error.ts";
import type { Clock } from "./clock.ts";
import { noteDialFailure } from "./http-failure.ts";
import { bareHost, portOf, proxyCredentials, proxyFor, type Environment } from "./proxy-choice.ts";
import { unlessAborted, within } from "./waiting.ts";

/** Whom a client believes, besides servers with a certificate of this computer's roots. */
export interface HttpTrust {
  /** PEM of further roots. */
  readonly roots?: string | undefined;
  /**
   * SHA-256 of the one certificate that is believed, by whomever it was signed: hex, colons allowed. SHA-1, told by its
   * length, where a product names its peers' certificates by nothing else.
   */
  readonly fingerprint?: string | undefined;
  /** Anyone is believed. Only where the user asked for it. */
  readonly insecure?: boolean | undefined;
  /** What the client shows of itself. PEM texts. */
  readonly client?: { readonly certificate: string; readonly key: string } | undefined;
  /** The endpoint was given by the user, and may be plain http on another computer than this. */
  readonly plainHttp?: boolean | undefined;
}

export interface DialSettings {
  readonly env: Environment;
  readonly trust: HttpTrust;
  readonly clock: Clock;
  /** Bound on a connection to stand, where no signal ends it first. */
  readonly connectTimeoutMs: number;
}

export interface AgentSettings extends DialSettings {
  /** Connections are kept for the next request. */
  readonly keepAlive: boolean;
}

/** What agents are given for one connection; `dialSignal` comes from the options of the request. */
interface Target extends tls.ConnectionOptions {
  readonly dialSignal?: AbortSignal | undefined;
}

type Done = (error: Error | null, socket: Duplex) => void;

export class DirectAgent extends http.Agent {
  readonly #settings: DialSettings;

  constructor(settings: AgentSettings) {
    super({ keepAlive: settings.keepAlive });
    this.#settings = settings;
  }

  override createConnection(options: http.ClientRequestArgs, done?: Done): undefined {
    const target = options as Target;
    const socket = net.connect({ host: target.host ?? "", port: Number(target.port) });
    void hand(standing(socket, "connect", this.#settings, target.dialSignal), done);
  }
}

export class TrustingAgent extends https.Agent {
  readonly #settings: DialSettings;

  constructor(settings: AgentSettings) {
    // A resumed session proves no certificate anew.
    const sessions = settings.trust.fingerprint === undefined ? {} : { maxCachedSessions: 0 };
    super({ keepAlive: settings.keepAlive, ...sessions });
    this.#settings = settings;
  }

  override createConnection(options: https.RequestOptions, done?: Done): undefined {
    void hand(this.dial(options as Target), done);
  }

  async dial(target: Target): Promise<tls.TLSSocket> {
    const host = target.host ?? "";
    const url = new URL(`https://${net.isIPv6(host) ? `[${host}]` : host}:${target.port}`);
    const proxy = proxyFor(url, this.#settings.env);
    const tunnel = proxy && (await openTunnel(proxy, url, this.#settings, target.dialSignal));
    const given = { ...target, ...tlsOptions(this.#settings.trust), ...(tunnel === undefined ? {} : { socket: tunnel }) };
    const socket = super.createConnection(given as https.RequestOptions) as tls.TLSSocket;
    await standing(socket, "secureConnect", this.#settings, target.dialSignal);
    requireFingerprint(socket, this.#settings.trust);
    return socket;
  }
}

/** What {@link TrustingAgent} would pin. */
export async function fingerprintAt(url: URL, settings: DialSettings, dialSignal: AbortSignal): Promise<string> {
  const agent = new TrustingAgent({ ...settings, trust: { insecure: true }, keepAlive: false });
  const host = bareHost(url);
  const name = net.isIP(host) === 0 ? { servername: host } : {};
  const socket = await agent.dial({ host, port: portOf(url), ...name, dialSignal }).catch((error: unknown) => {
    throw noteDialFailure(error);
  });
  const seen = fingerprintOf(socket);
  socket.destroy();
  return seen;
}

async function hand(dialled: Promise<Duplex>, done: Done | undefined): Promise<void> {
  try {
    const socket = await dialled;
    done?.(null, socket);
  } catch (error) {
    done?.(noteDialFailure(error), undefined as unknown as Duplex);
  }
}

/** The socket, once the event has come. Rejects with the socket's error, that it is late, or the signal's reason. */
async function standing<S extends net.Socket>(
  socket: S,
  event: "connect" | "secureConnect",
  settings: DialSettings,
  signal: AbortSignal | undefined,
): Promise<S> {
  const late = `no connection within ${settings.connectTimeoutMs / 1000} s`;
  const begin = (resolve: (nothing: void) => void, reject: (error: unknown) => void): void => {
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("the connection was closed")));
    socket.once(event, () => resolve());
  };
  await bounded({ begin, leave: () => socket.destroy(), late }, settings, signal);
  return socket;
}

/** A connection to the address through the proxy's CONNECT (RFC 9110, 9.3.6). */
async function openTunnel(proxy: URL, target: URL, settings: DialSettings, signal: AbortSignal | undefined): Promise<net.Socket> {
  const { request: open } = proxy.protocol === "https:" ? https : http;
  const place = `${target.hostname}:${portOf(target)}`;
  const sent = open({
    host: bareHost(proxy),
    port: portOf(proxy),
    method: "CONNECT",
    path: place,
    headers: { host: place, ...proxyCredentials(proxy) },
    agent: false,
    ...(proxy.protocol === "https:" ? tlsOptions({ roots: settings.trust.roots }) : {}),
  });
  const begin = (resolve: (socket: net.Socket) => void, reject: (error: unknown) => void): void => {
    const refused = ({ statusCode, statusMessage }: http.IncomingMessage): void =>
      reject(new Error(`refused ${place} with status ${statusCode} ${statusMessage ?? ""}`.trimEnd()));
    sent.on("error", (error) => reject(new Error(`cannot be used: ${error.message || "no connection"}`, { cause: error })));
    sent.on("response", refused);
    sent.on("connect", (answer, socket: net.Socket) => (answer.statusCode === 200 ? resolve(socket) : refused(answer)));
    sent.end();
  };
  const late = `did not answer within ${settings.connectTimeoutMs / 1000} s`;
  try {
    return await bounded({ begin, leave: () => sent.destroy(), late }, settings, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw noteDialFailure(new Error(`the proxy ${proxy.host} ${messageOf(error)}`, { cause: error }), "proxy");
  }
}

interface Dialling<T> {
  begin(resolve: (value: T) => void, reject: (error: unknown) => void): void;
  /** Called when nothing came of it. */
  leave(): void;
  readonly late: string;
}

/** What a connection comes to, within its bound. */
async function bounded<T>(dialling: Dialling<T>, settings: DialSettings, signal: AbortSignal | undefined): Promise<T> {
  const patience = { ms: settings.connectTimeoutMs, clock: settings.clock, signal };
  const dial = async (ended: AbortSignal): Promise<T> =>
    await unlessAborted(new Promise<T>((resolve, reject) => dialling.begin(resolve, reject)), ended);
  try {
    return await within(patience, dial, () => new Error(dialling.late));
  } catch (error) {
    dialling.leave();
    throw error;
  }
}

function tlsOptions(trust: HttpTrust): tls.ConnectionOptions {
  const anyone = trust.insecure === true || trust.fingerprint !== undefined;
  return { secureContext: contextOf(trust), ...(anyone ? { rejectUnauthorized: false } : {}) };
}

/** Made once for all connections of a trust: reading hundreds of roots takes longer than a handshake. */
const contexts = new WeakMap<HttpTrust, tls.SecureContext>();

function contextOf(trust: HttpTrust): tls.SecureContext {
  const made = contexts.get(trust) ?? makeContext(trust);
  contexts.set(trust, made);
  return made;
}

function makeContext({ roots: further, client }: HttpTrust): tls.SecureContext {
  const pair = client === undefined ? {} : { cert: client.certificate, key: client.key };
  try {
    return tls.createSecureContext({ ...pair, ca: rootsWith(further) });
  } catch {
    // Without the cause: it might quote the key.
    throw noteDialFailure(new Error("the roots or the client's certificate given for it cannot be used"), "certificate");
  }
}

/** Roots of the runtime and of this computer, as Go takes them (a company's own are among the second), and further ones. Throws for a text without any. */
export function rootsWith(further: string | undefined): string[] {
  if (further === undefined) return ownRoots();
  const certificates = further.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----.*?-----END \1?CERTIFICATE-----/gsu) ?? [];
  if (certificates.length === 0) throw new Error("no certificate");
  // Node passes over what is none, and would then believe nobody.
  return [...ownRoots(), ...certificates.map((certificate) => new X509Certificate(certificate).toString())];
}

let cachedRoots: string[] | undefined;

function ownRoots(): string[] {
  cachedRoots ??= [...new Set([...tls.getCACertificates("default"), ...tls.getCACertificates("system")])];
  return cachedRoots;
}

function requireFingerprint(socket: tls.TLSSocket, trust: HttpTrust): void {
  if (trust.fingerprint === undefined) return;
  const expected = trust.fingerprint.replaceAll(":", "").toLowerCase();
  if (fingerprintOf(socket, expected.length === sha1Digits ? "sha1" : "sha256") === expected) return;
  const seen = fingerprintOf(socket);
  socket.destroy();
  throw noteDialFailure(new Error(`its certificate has the SHA-256 fingerprint ${seen}, not the expected one`), "certificate");
}

const sha1Digits = 40;

function fingerprintOf(socket: tls.TLSSocket, algorithm: "sha1" | "sha256" = "sha256"): string {
  return createHash(algorithm).update(socket.getPeerCertificate().raw).digest("hex");
}
