/**
 * Engines that are set up before there is a machine: in a guest whose state a driver keeps, by the same provisioner and
 * with the same options as in a machine, so that a machine which starts from that state has nothing left to be done.
 * Such machines share the certificate of their template until `regenerate-certs` or `provision` gives them their own.
 */
import { createHash } from "node:crypto";
import type { EngineTemplate, PreparedEngine } from "../../driver-kit/driver.ts";
import { messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { provisionHost } from "../../provision/provision.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import { greetingOf } from "../../system/tcp.ts";
import { poll } from "../../system/waiting.ts";
import { readFileIfExists } from "../../system/files.ts";
import { createServerCertificate, writeMachineCertificates, type ServerCertificate } from "../../tls/machine-certificates.ts";
import { pinDriverKeys } from "./driver-keys.ts";
import { waitForEngine } from "./engine-connection.ts";
import { isOverSsh } from "./engine-transport.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";
import { authorityPathsOf, bareRequest, keyTypeOf, serverCertificateRequest } from "./provision-request.ts";
import { provisionContext } from "./provision-context.ts";

/** What the template is called while there is no machine whose name it could bear. */
const templateName = "engine-template";
const sshPollMs = 50;

/** How engines of machines like this one are set up; undefined where each machine's differs. */
export async function engineTemplateOf(context: MachineContext, host: Host): Promise<EngineTemplate | undefined> {
  const { capabilities } = host.module;
  const request = await bareRequest(context, host);
  if (!capabilities.provisionable || capabilities.adopted || request.swarm !== undefined || isOverSsh(host)) return undefined;
  const ca = (await readFileIfExists(authorityPathsOf(host).caCertPath))?.toString("utf8");
  const { ServerCertSANs: names } = host.record.hostOptions.AuthOptions;
  const key = createHash("sha256")
    .update(JSON.stringify([request.driverName, request.engine, ca, names, keyTypeOf(host)]))
    .digest("hex");
  const prepare = async (executor: SshExecutor, address: string, signal: AbortSignal): Promise<ServerCertificate> => {
    const issued = await issueFor(context, host, address);
    const certificates = { caCertificate: issued.ca, serverCertificate: issued.certificate, serverKey: issued.key };
    await provisionHost(
      { ...request, ...certificates, machineName: templateName, address, lifetime: undefined, swarmMode: undefined },
      provisionContext(context, host, executor, signal),
    );
    return issued;
  };
  return { key, prepare };
}

async function issueFor(context: MachineContext, host: Host, address: string): Promise<ServerCertificate> {
  const request = serverCertificateRequest(context, host, address);
  const issued = await createServerCertificate({ ...request, machineName: templateName, isSwarmMaster: false });
  context.redactor.add(issued.key);
  return issued;
}

/** True when the machine came with an engine that is as wanted and answers; then nothing is left to be provisioned. */
export async function takeOverEngine(context: MachineContext, host: Host, signal: AbortSignal): Promise<boolean> {
  const prepared = host.driver.preparedEngine?.();
  if (prepared === undefined || prepared.templateKey !== (await engineTemplateOf(context, host))?.key) return false;
  await pinDriverKeys(host);
  await writeCertificates(context, host, prepared);
  host.report({ type: "checking-engine" });
  try {
    await waitForEngine(context, host, signal);
  } catch (error) {
    signal.throwIfAborted();
    logTo(host.report, "warn", `The engine that the machine came with does not answer and is set up anew: ${messageOf(error)}`);
    return false;
  }
  host.report({ type: "engine-ready" });
  await waitForSshServer(context, host, signal);
  return true;
}

async function writeCertificates(context: MachineContext, host: Host, prepared: PreparedEngine): Promise<void> {
  const paths = authorityPathsOf(host);
  context.redactor.add(prepared.key);
  const ca = (await readFileIfExists(paths.caCertPath))?.toString("utf8") ?? "";
  await writeMachineCertificates(host.dir, paths, { ca, certificate: prepared.certificate, key: prepared.key });
}

/** A login costs seconds where the CPU is emulated; that the server greets is enough, its key is pinned. */
async function waitForSshServer(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const { hostName, port } = await host.sshTarget();
  const patience = { ms: context.timeouts.sshMs, clock: context.clock, signal };
  await poll(patience, sshPollMs, async () => {
    const greeting = await greetingOf(hostName, port, context.timeouts.sshConnectMs, signal);
    return greeting.startsWith("SSH-") || undefined;
  });
}
