/** Composition root of the command line: the use cases' ports made from what the user typed. */
import type { MachinePorts } from "../machine/ports.ts";
import { SecretSource } from "../machine/secrets/secret-source.ts";
import { FileStore } from "../store/file-store.ts";
import { systemClock } from "../system/clock.ts";
import { SystemProcessRunner } from "../system/process.ts";
import type { Report } from "../log/event.ts";
import type { SshExecutor, SshTarget } from "../ssh/executor.ts";
import { authorityPaths, type AuthorityPaths } from "../tls/authority-files.ts";
import type { CliContext, GlobalOptions } from "./context.ts";
import { findDriver } from "./driver-catalog.ts";
import { timeoutsOf } from "./timeout-variables.ts";

/** @param reportFor where events of one machine go; the command's own report unless given. */
export function openPorts(context: CliContext, reportFor?: (machineName: string) => Report): MachinePorts {
  const { globals, platform, redactor } = context;
  const store = new FileStore(globals.storagePath, systemClock);
  const timeouts = timeoutsOf(platform.env);
  const processes = new SystemProcessRunner(platform);
  return {
    store,
    platform,
    processes,
    clock: systemClock,
    redactor,
    certificates: certificatePaths(store, globals),
    timeouts,
    secrets: new SecretSource({ platform, processes, timeoutMs: timeouts.secretMs }),
    loadDriver: async (name) => await findDriver(name, platform, timeouts, context.signal),
    openSsh: async (target, report) => await openSsh(context, processes, target, report),
    reportFor: (name) => (name === undefined || reportFor === undefined ? context.report : reportFor(name)),
    askSudoPassword: async (name) => await context.askSecret(`Password for sudo on ${name}: `),
  };
}

function certificatePaths(store: FileStore, globals: GlobalOptions): AuthorityPaths {
  return authorityPaths(store.certsDir, {
    caCertPath: globals.tlsCaCert,
    caKeyPath: globals.tlsCaKey,
    clientCertPath: globals.tlsClientCert,
    clientKeyPath: globals.tlsClientKey,
  });
}

async function openSsh(
  context: CliContext,
  processes: SystemProcessRunner,
  target: SshTarget,
  report: Report,
): Promise<SshExecutor> {
  const { chooseSshBackend, openSshExecutor } = await import("../ssh/connect.ts");
  const backend = await chooseSshBackend(context.globals.nativeSsh, processes);
  return await openSshExecutor(backend, target, { platform: context.platform, processes, report });
}
