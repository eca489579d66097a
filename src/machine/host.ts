/** A machine in memory: its record, its opened driver, and how the two are saved. */
import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type { Driver, DriverContext, DriverModule } from "../driver-kit/driver.ts";
import type { Report } from "../log/event.ts";
import type { SshExecutor, SshTarget } from "../ssh/executor.ts";
import type { HostRecord } from "../store/host-record.ts";
import type { MachinePorts } from "./ports.ts";

export interface Host extends AsyncDisposable {
  readonly name: string;
  readonly record: HostRecord;
  readonly module: DriverModule;
  readonly driver: Driver;
  readonly report: Report;
  /** Folder of the machine in the store. */
  readonly dir: string;
  /** Takes the driver's configuration into the record and makes the record durable. */
  save(): Promise<void>;
  /** The SSH address, user, key and pinned host keys as the driver tells them now. */
  sshTarget(): Promise<SshTarget>;
  /** The caller closes it. */
  openSsh(): Promise<SshExecutor>;
}

/** Loads a machine. Throws `machine-not-found`, `record-unreadable`, `driver-not-found`. */
export async function openHost(ports: MachinePorts, name: string): Promise<Host> {
  const record = await ports.store.load(name);
  const module = await ports.loadDriver(record.driverName);
  return hostOf(ports, record, module, record.driverConfigText);
}

/** A machine that is about to be created: no record is stored yet. */
export function newHost(ports: MachinePorts, record: HostRecord, module: DriverModule): Host {
  if (!module.capabilities.adopted) record.extra.CreateId ??= randomUUID();
  return hostOf(ports, record, module, undefined);
}

function hostOf(ports: MachinePorts, record: HostRecord, module: DriverModule, configText: string | undefined): Host {
  const report = ports.reportFor(record.name);
  const dir = ports.store.machineDir(record.name);
  const save = async (): Promise<void> => {
    record.driverConfigText = await driver.configText();
    await ports.store.save(record);
  };
  const sshTarget = async (): Promise<SshTarget> => await sshTargetOf(ports, record, module, driver, dir);
  const openSsh = async (): Promise<SshExecutor> => await ports.openSsh(await sshTarget(), report);
  const context: DriverContext = {
    machineName: record.name,
    createId: record.extra.CreateId ?? "",
    storePath: ports.store.root,
    machineDir: dir,
    cacheDir: ports.store.cacheDir,
    platform: ports.platform,
    processes: ports.processes,
    clock: ports.clock,
    // A driver's own lines bear the machine's name, as 0.16.2's plugins' do.
    report: (event) => report(event.type === "log" ? { ...event, machine: record.name } : event),
    save,
    openSsh,
    ensureSshKey: async () => await (await import("../ssh/keys.ts")).ensureKeyPair(dir, `docker-machine ${record.name}`, ports.platform),
    secret: (value) => ports.redactor.add(value),
    engineTemplate: async () => await (await import("./engine-template.ts")).engineTemplateOf(ports, host),
  };
  const driver = module.open(context, configText);
  const close = async (): Promise<void> => await driver.close?.();
  const host: Host = { name: record.name, record, module, driver, report, dir, save, sshTarget, openSsh, [Symbol.asyncDispose]: close };
  return host;
}

async function sshTargetOf(ports: MachinePorts, record: HostRecord, module: DriverModule, driver: Driver, dir: string): Promise<SshTarget> {
  const { adopted, injectsHostKeys } = module.capabilities;
  const keyPath = await driver.getSshKeyPath();
  const home = ports.platform.homeDir;
  const hostName = await driver.getSshHostname();
  if (hostName === "") {
    throw new MachineError("driver-unsupported", `No SSH address is known for "${record.name}"; its driver is ${driver.driverName}`);
  }
  return {
    hostName,
    port: await driver.getSshPort(),
    userName: await driver.getSshUsername(),
    identityFile: keyPath === "" ? undefined : keyPath,
    configHost: driver.sshConfigHost,
    connectTimeoutMs: ports.timeouts.sshConnectMs,
    hostKeys: {
      knownHostsFile: path.join(dir, "known_hosts"),
      alias: record.name,
      expectedFingerprint: record.extra.SshHostKey,
      userKnownHostsFiles: adopted && home !== undefined ? [path.join(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"] : undefined,
      unknown: injectsHostKeys ? "refuse" : "trust-first-use",
    },
  };
}
