/**
 * Whether a machine's engine answers, and where. The engine's own answer over TLS is the proof that a machine runs; its
 * driver tells what it is when that does not come.
 */
import { join } from "node:path";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { parseEngineUrl } from "../../engine/engine-address.ts";
import { EngineClient, type EngineVersion } from "../../engine/engine-client.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import type { SwarmOptions } from "../../store/host-record.ts";
import { poll, type Attempt } from "../../system/waiting.ts";
import { loadClientCredentials, withAuthorities, type ClientCredentials } from "../../tls/authority-files.ts";
import { warnOfCertificates } from "./certificate-dates.ts";
import { isOverSsh, sshUrlOf } from "./engine-transport.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";
import { askSideBySide, engineGraceMs, headStartMs } from "./side-by-side.ts";

const pollMs = 250;

/**
 * The recorded address of the engine, or with `swarm` of the swarm master. "" while the driver knows none. Throws
 * `machine-not-running` where the driver gives none of a machine that is stopped.
 */
export async function engineUrlOf(host: Host, swarm = false): Promise<string> {
  if (isOverSsh(host) && !swarm) return await sshUrlOf(host);
  const url = await host.driver.getUrl().catch(async (error: unknown) => {
    throw isMachineError(error, "machine-not-running") ? await notRunning(host, "Stopped") : error;
  });
  if (!swarm) return url;
  const { SwarmOptions } = host.record.hostOptions;
  if (!SwarmOptions.Master) {
    const message = `"${host.name}" is not a swarm master. The --swarm flag is intended for use with swarm masters`;
    throw new MachineError("machine-state", message);
  }
  const swarmUrl = swarmUrlOf(url, SwarmOptions);
  if (swarmUrl !== undefined) return swarmUrl;
  const message = `There was an error parsing the url: the swarm host ${JSON.stringify(SwarmOptions.Host)} is not tcp://ADDRESS:PORT`;
  throw new MachineError("machine-state", message, {
    hint: `It is what --swarm-host gave when "${host.name}" was created: Host of SwarmOptions in ${join(host.dir, "config.json")}`,
  });
}

/** The address of a swarm master: the engine's, at the port the master listens on. Undefined where `--swarm-host` tells none. */
export function swarmUrlOf(engineUrl: string, swarm: SwarmOptions): string | undefined {
  const port = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@:]*|\[[0-9a-f:]+\]):(\d+)\/?$/iu.exec(swarm.Host)?.[1];
  return port === undefined ? undefined : engineUrl.replace(/:\d+$/u, `:${port}`);
}

/** The URL of a machine that runs. Throws `machine-not-running` with 0.16.2's sentence, and `machine-state` where it has another address by now. */
export async function requireUrl(context: MachineContext, host: Host, signal: AbortSignal): Promise<string> {
  const url = await engineUrlOf(host);
  if (url === "") return url;
  await warnOfCertificates(context, host);
  const question = {
    askEngine: async (bound: AbortSignal) => await pingEngine(context, host, url, bound),
    // That it runs is all that is asked; only whether it is still there is the engine's to say.
    engineMs: (state: MachineState) => (state !== "Running" ? engineGraceMs : host.driver.locate === undefined ? 0 : headStartMs),
  };
  const seen = await askSideBySide(context, host, question, signal);
  if (!("answer" in seen)) await (await import("./not-running.ts")).requireReachable(context, host, seen.state, signal);
  return url;
}

/** Checks the engine's certificate with ours and gives the URL. Throws the texts that scripts know from `env` and `config`. */
export async function requireConnection(
  context: MachineContext,
  host: Host,
  swarm: boolean,
  signal: AbortSignal,
): Promise<string> {
  const url = await engineUrlOf(host, swarm);
  if (url === "") throw await notRunning(host, "");
  // Before the attempt, because it says why that fails where the dates are to blame.
  await warnOfCertificates(context, host);
  // The docker client that gets the address from us checks the certificate for that, and knows no machine's name.
  const askEngine = orOwnFault(async (bound) => {
    await pingEngine(context, host, url, bound, "by-address");
    return url;
  });
  const seen = await askSideBySide(context, host, { askEngine }, signal);
  if ("state" in seen) {
    await (await import("./not-running.ts")).requireReachable(context, host, seen.state, signal);
    if (isOverSsh(host)) throw seen.silence;
    throw (await import("./engine-advice.ts")).certificateAdvice(host, url, seen.silence);
  }
  if (typeof seen.answer !== "string") throw (await import("./engine-advice.ts")).notOfTheEngine(url, seen.answer);
  return url;
}

/**
 * Polls until the engine answers; a wrong certificate fails at once.
 * @param ssh a connection that is there, for engines that are reached over SSH
 */
export async function waitForEngine(context: MachineContext, host: Host, signal: AbortSignal, ssh?: SshExecutor): Promise<void> {
  if (isOverSsh(host)) return await (await import("./engine-over-ssh.ts")).waitForEngineOverSsh(context, host, ssh, signal);
  const { unreachable } = await import("./engine-advice.ts");
  const { clock, timeouts } = context;
  const url = await host.driver.getUrl();
  const ask = async ({ remainingMs, last, note }: Attempt): Promise<true | undefined> => {
    try {
      await pingEngine(context, host, url, signal, "by-name-too", Math.max(remainingMs, 1));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (isMachineError(error, "engine-certificate")) throw unreachable(host, error, "cannot be reached from here");
      // That our own time was up says less than what was wrong the time before.
      if (last === undefined || !isMachineError(error, "engine-timeout")) note(error);
      return undefined;
    }
  };
  await poll({ ms: timeouts.engineMs, clock, signal }, pollMs, ask, (last) =>
    unreachable(host, last, `could not be reached from here within ${timeouts.engineMs / 1000} s`),
  );
}

/** The engine's version. Throws with the text that `ls` and `version` show. */
export async function engineVersionOf(context: MachineContext, host: Host, signal: AbortSignal): Promise<string> {
  try {
    const url = await engineUrlOf(host);
    if (url === "") throw await notRunning(host, "");
    const askEngine = orOwnFault(async (bound) => (await versionOf(context, host, url, bound)).Version);
    const seen = await askSideBySide(context, host, { askEngine }, signal);
    if ("state" in seen) throw seen.state === "Running" ? seen.silence : await notRunning(host, seen.state);
    if (typeof seen.answer !== "string") throw seen.answer;
    return seen.answer;
  } catch (error) {
    signal.throwIfAborted();
    const isTold = isOwnFileAtFault(error) || isMachineError(error, "machine-not-running");
    const { code, hint, message } = isTold ? error : silentEngine;
    throw new MachineError(code, `Unable to query docker version: ${message}`, { cause: error, hint });
  }
}

/** Whether the engine answers, over TLS or over SSH. Throws why it does not. @param atMostMs over TLS */
export async function pingEngine(
  context: MachineContext,
  host: Host,
  url: string,
  signal: AbortSignal,
  identity?: EngineIdentity,
  atMostMs?: number,
): Promise<void> {
  if (isOverSsh(host)) await versionOf(context, host, url, signal);
  else await (await engineClientOf(context, host, url, signal, identity, atMostMs)).ping();
}

/** What the engine says of itself, over TLS or over SSH. Throws why it says nothing. */
export async function versionOf(context: MachineContext, host: Host, url: string, signal: AbortSignal): Promise<EngineVersion> {
  if (isOverSsh(host)) return await (await import("./engine-over-ssh.ts")).versionOverSsh(context, host, signal);
  return await (await engineClientOf(context, host, url, signal)).version();
}

async function notRunning(host: Host, state: MachineState): Promise<MachineError> {
  return (await import("./not-running.ts")).notRunning(host, state);
}

/** A file of ours that is at fault says nothing about the machine, and is told whatever the driver says. */
function orOwnFault(askEngine: (bound: AbortSignal) => Promise<string>): (bound: AbortSignal) => Promise<string | MachineError> {
  return async (bound) => {
    try {
      return await askEngine(bound);
    } catch (error) {
      if (isOwnFileAtFault(error)) return error;
      throw error;
    }
  };
}

/** What the engine's certificate may be for. */
type EngineIdentity = "by-address" | "by-name-too";

/**
 * Asks the engine at this URL with the client's certificate of the machine's PKI. The engine's own must be for the address
 * or, unless `by-address` is asked for, for the machine's name. Throws `certificate-invalid`, `usage`.
 */
export async function engineClientOf(
  context: MachineContext,
  host: Host,
  url: string,
  signal: AbortSignal,
  identity: EngineIdentity = "by-name-too",
  atMostMs = Number.POSITIVE_INFINITY,
): Promise<EngineClient> {
  const credentials = await clientCredentialsOf(context, host);
  const machineName = identity === "by-name-too" ? nameInCertificate(host) : undefined;
  const timeoutMs = Math.min(context.timeouts.engineRequestMs, atMostMs);
  return new EngineClient(parseEngineUrl(url), credentials, { timeoutMs, signal, machineName });
}

/** What a client of the machine's engine shows, and believes. Throws `certificate-invalid`. */
export async function clientCredentialsOf(context: MachineContext, host: Host): Promise<ClientCredentials> {
  const {
    CaCertPath: caCertPath,
    ClientCertPath: clientCertPath,
    ClientKeyPath: clientKeyPath,
    CertDir: certsDir,
  } = host.record.hostOptions.AuthOptions;
  const paths = { certsDir, caCertPath, clientCertPath, clientKeyPath };
  const key = Object.values(paths).join("\n");
  const reading = context.credentialsRead?.get(key) ?? loadClientCredentials(paths);
  context.credentialsRead?.set(key, reading);
  const own = await reading.catch(async (error: unknown) => {
    if (!isOwnFileAtFault(error) || host.record.hostOptions.AuthOptions.StorePath === host.dir) throw error;
    throw (await import("./moved-store.ts")).explainMovedStore(host.record, context.store.root, error);
  });
  return { ...own, ca: withAuthorities(own.ca, host.record.extra.SharedCa) };
}

/**
 * The name that tells a machine's certificate whatever its address is. Every certificate is for localhost, and what looks
 * like an address may be another machine's.
 */
export function nameInCertificate({ name }: Pick<Host, "name">): string | undefined {
  return name.toLowerCase().replace(/\.+$/u, "") !== "localhost" && !/^[\d.]+$/u.test(name) ? name : undefined;
}

/** Whether a file of ours is missing or unreadable, which says nothing about the engine. */
export function isOwnFileAtFault(error: unknown): error is MachineError {
  return isMachineError(error, "certificate-invalid") || isMachineError(error, "store-unusable");
}

const silentEngine = {
  code: "engine-unreachable",
  message: "Cannot connect to the docker engine endpoint",
  hint: undefined,
} as const;
