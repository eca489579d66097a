/** A lab host as provisioning sees it: an SSH connection, a request with real certificates, and what was reported. */
import { mkdtemp, rm } from "node:fs/promises";
import * as https from "node:https";
import { tmpdir } from "node:os";
import * as path from "node:path";
import type { ProgressEvent } from "../../src/log/event.ts";
import type { ProvisionContext } from "../../src/provision/provision-context.ts";
import type { ProvisionRequest } from "../../src/provision/provision-request.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend, SshExecutor } from "../../src/ssh/executor.ts";
import { systemClock } from "../../src/system/clock.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import type { LabHost } from "../lab/lab.ts";
import { provisionRequest } from "../support/host-facts.ts";
import { createTestPki, type TestPki } from "./test-pki.ts";

let sharedPki: Promise<TestPki> | undefined;

export interface LabMachine extends AsyncDisposable {
  readonly ssh: SshExecutor;
  readonly context: ProvisionContext;
  readonly events: readonly ProgressEvent[];
  request(overrides?: Parameters<typeof provisionRequest>[0]): ProvisionRequest;
  /** A request with a server certificate of its own, not that of before. */
  renewed(): Promise<ProvisionRequest>;
  /** GET over TLS with the client's certificate; the engine's answer, or the error's code. `trusted` are further CAs. */
  ask(path: string, trusted?: readonly string[]): Promise<string>;
  /** Texts of log events of a level. */
  said(level: string): readonly string[];
}

export async function openLabMachine(
  host: LabHost,
  options: { readonly backend?: SshBackend; readonly bounds?: ProvisionContext["bounds"]; readonly pki?: TestPki } = {},
): Promise<LabMachine> {
  const pki = options.pki ?? (await (sharedPki ??= createTestPki()));
  const folder = await mkdtemp(path.join(tmpdir(), "provision-"));
  const computer = thisComputer();
  const events: ProgressEvent[] = [];
  const hostKeys = { knownHostsFile: path.join(folder, "known_hosts"), alias: host.name, unknown: "trust-first-use" as const };
  const ssh = await openSshExecutor(
    options.backend ?? "openssh",
    {
      hostName: host.address,
      port: host.sshPort,
      userName: host.sshUser,
      identityFile: host.privateKeyPath,
      hostKeys,
      connectTimeoutMs: 10_000,
    },
    { processes: new SystemProcessRunner(computer), clock: systemClock, computer, report: () => {} },
  );
  const server = await pki.server(host.address);
  const requestWith = (pair: typeof server, overrides: Parameters<typeof provisionRequest>[0] = {}): ProvisionRequest =>
    provisionRequest({
      machineName: "web",
      address: host.address,
      caCertificate: pki.ca,
      serverCertificate: pair.certificate,
      serverKey: pair.key,
      ...(host.sudoPassword === undefined ? {} : { sudoPassword: async () => host.sudoPassword }),
      ...overrides,
    });
  return {
    ssh,
    events,
    context: {
      ssh,
      clock: systemClock,
      report: (event) => events.push(event),
      signal: new AbortController().signal,
      bounds: options.bounds,
    },
    request: (overrides) => requestWith(server, overrides),
    renewed: async () => requestWith(await pki.server(host.address)),
    ask: (target, trusted = []) => askEngine(host.address, target, { ...pki, ca: [pki.ca, ...trusted].join("\n") }),
    said: (level) => events.flatMap((event) => (event.type === "log" && event.level === level ? [event.text] : [])),
    async [Symbol.asyncDispose]() {
      await ssh.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function askEngine(address: string, target: string, pki: Pick<TestPki, "ca" | "client">): Promise<string> {
  return new Promise((resolve) => {
    const request = https.get(
      {
        host: address,
        port: 2376,
        path: target,
        ca: pki.ca,
        cert: pki.client.certificate,
        key: pki.client.key,
        timeout: 3_000,
        agent: false,
      },
      (response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => resolve(body));
      },
    );
    request.on("timeout", () => request.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })));
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
