/** Looks at machines for what is not as recorded: one probe each, many at once, and nothing is changed. */
import * as path from "node:path";
import { isMachineError } from "../../errors/machine-error.ts";
import { engineVersionOf } from "../../machine/host/engine-connection.ts";
import { isOverSsh } from "../../machine/host/engine-transport.ts";
import { isProvisioned, type Host } from "../../machine/host/host.ts";
import { ask } from "../../machine/host/locate.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { recordedSudoPassword } from "../../machine/host/sudo-password.ts";
import { stateOf } from "../../machine/host/wait-for-state.ts";
import { findInterruption, whatHappened } from "../../machine/interruption/interrupted.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { forEachMachine } from "../../machine/many.ts";
import { bareRequest, serverCertificateRequest } from "../../machine/host/provision-request.ts";
import { provisionContext } from "../../machine/host/provision-context.ts";
import { examinationScript, examineHost } from "../../provision/host/examine-host.ts";
import type { ProvisionRequest } from "../../provision/provision-request.ts";
import { readFileIfExists } from "../../system/files.ts";
import { loadServerCertificate } from "../../tls/machine-certificates.ts";
import { reportOf, unknown, type Difference, type DriftReport } from "./drift.ts";
import { hostDifferences, type Wanted } from "./host-differences.ts";
import { openForLook, readOnlyContext } from "./read-only.ts";

/** What costs little on either side; a host that does not answer holds the others up no longer than one of these turns. */
export const lookedAtOnce = 32;

/** In the order of the names. What a machine keeps from being looked at is told in its place. */
export async function lookForDrift(
  context: MachineContext,
  names: readonly string[],
  signal: AbortSignal,
): Promise<DriftReport[]> {
  const reading = readOnlyContext(context);
  const outcomes = await forEachMachine(names, lookedAtOnce, async (name) => await lookAt(context, reading, name, signal));
  signal.throwIfAborted();
  return outcomes.map(({ name, value, error }) => {
    if (value !== undefined) return value;
    if (isMachineError(error)) return unknown(name, error.message);
    throw error;
  });
}

/** @param context the real one, for the connection that the probe takes alone */
async function lookAt(context: MachineContext, reading: MachineContext, name: string, signal: AbortSignal): Promise<DriftReport> {
  await using host = await openHost(reading, name);
  const interrupted = await findInterruption(reading.store, name);
  if (interrupted !== undefined) return unknown(name, `its ${whatHappened(interrupted)}`);
  const atProvider = host.module.capabilities.adopted ? [] : await lookAtProvider(reading, host, signal);
  if (atProvider.some(({ key }) => key === "instance" || key === "state")) return reportOf(name, atProvider);
  if (!isProvisioned(host)) {
    // All that is known of an engine that others look after is whether it answers.
    if (host.module.capabilities.adopted) await engineVersionOf(reading, host, signal);
    return reportOf(name, atProvider);
  }
  return reportOf(name, [...atProvider, ...(await lookAtHost(context, reading, host, signal))]);
}

async function lookAtProvider(reading: MachineContext, host: Host, signal: AbortSignal): Promise<Difference[]> {
  const state = await stateOf(reading, host, signal);
  if (state === "") return [{ key: "instance", expected: "there", found: "gone", repair: undefined }];
  if (state !== "Running")
    return [{ key: "state", expected: "Running", found: state, repair: state === "Stopped" ? "start" : undefined }];
  if (host.driver.locate === undefined) return [];
  const recorded = await host.driver.getIp();
  const present = await ask(reading, host, signal);
  return present === undefined || present === recorded
    ? []
    : [{ key: "address", expected: recorded, found: present, repair: "provision" }];
}

async function lookAtHost(
  context: MachineContext,
  reading: MachineContext,
  host: Host,
  signal: AbortSignal,
): Promise<Difference[]> {
  const { request, certificate } = await requestOf(reading, host);
  const script = examinationScript(request, reading.timeouts, questions);
  await using ssh = await openForLook(context, await host.sshTarget(), script);
  try {
    await ssh.connect(signal);
  } catch (error) {
    // Of a host whose key was never pinned, nobody can tell whether it is another one.
    if (!isMachineError(error, "host-key-mismatch") || !(await isPinned(host))) throw error;
    return [{ key: "host-key", expected: "the pinned one", found: "another one", repair: undefined }];
  }
  const examination = await examineHost(request, provisionContext(reading, host, ssh, signal), questions);
  const { EngineVersion, SwarmMember } = host.record.extra;
  return hostDifferences(examination, { engineVersion: EngineVersion, certificate, swarmRole: SwarmMember?.role });
}

async function isPinned({ dir }: Host): Promise<boolean> {
  return (await readFileIfExists(path.join(dir, "known_hosts"))) !== undefined;
}

/** Whether the engine could pull is no matter of drift. */
const questions = { registry: false };

interface Looking {
  readonly request: ProvisionRequest;
  readonly certificate: Wanted["certificate"];
}

/** As provisioning would ask, with the certificate that is here. */
async function requestOf(reading: MachineContext, host: Host): Promise<Looking> {
  const bare = await bareRequest(reading, host);
  const request = { ...bare, sudoPassword: async () => await recordedSudoPassword(reading, host) };
  if (isOverSsh(host)) return { request, certificate: undefined };
  const server = await loadServerCertificate(host.dir, serverCertificateRequest(reading, host, bare.address));
  if (server === undefined) return { request, certificate: "must-be-renewed" };
  reading.redactor.add(server.key);
  const own = { caCertificate: server.ca, serverCertificate: server.certificate, serverKey: server.key };
  return { request: { ...request, ...own }, certificate: "serves" };
}
