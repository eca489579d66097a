/** A machine in memory: its record, its opened driver, and how the two are saved. */
import type { Driver, DriverModule } from "../driver-kit/driver.ts";
import type { DriverOptions } from "../driver-kit/flags.ts";
import { sshTargetOf, type SshTerms } from "../driver-kit/ssh-target.ts";
import { secretsOfAssignment } from "../log/assignment-secrets.ts";
import type { Report } from "../log/event.ts";
import type { SshExecutor, SshTarget } from "../ssh/executor.ts";
import type { HostRecord } from "../store/host-record.ts";
import type { Journal, JournaledCommand } from "./journal.ts";

export interface Host extends AsyncDisposable {
  readonly name: string;
  readonly record: HostRecord;
  readonly module: DriverModule;
  readonly driver: Driver;
  readonly report: Report;
  /** Folder of the machine in the store. */
  readonly dir: string;
  /** Gives the driver the create flags of a new machine, its secrets among them. Throws what the driver throws, and `secret-unavailable`. */
  configure(options: DriverOptions): Promise<void>;
  /** Puts a new machine into the store, with further files of its folder by name. */
  store(companions: Readonly<Record<string, string>>): Promise<void>;
  /** Takes the driver's configuration into the record and makes the record durable. */
  save(): Promise<void>;
  /** What is noted of a command on this machine. Nothing is written yet. */
  openJournal(command: JournaledCommand, whenFull?: "go-on"): Promise<Journal>;
  /** The SSH address, user, key and pinned host keys as the driver tells them now. */
  sshTarget(): Promise<SshTarget>;
  /** The caller closes it. */
  openSsh(): Promise<SshExecutor>;
}

/** Loads a machine. Throws `machine-not-found`, `record-unreadable`, `driver-not-found`, of a plugin `secret-unavailable`. */
export async function openHost(ports: MachinePorts, name: string): Promise<Host> {
  const record = await ports.store.load(name);
  const module = await ports.loadDriver(record.driverName);
  const text = record.driverConfigText;
  // One that 0.16.2 made has its secrets in its record; it may be in use still.
  if (marksIn(text).size === 0) return new OpenedHost(ports, record, module, undefined, text);
  const vault = await Vault.load(ports, ports.store.machineDir(name));
  if (module.capabilities.opaque === true) await vault.resolve(text);
  return new OpenedHost(ports, record, module, vault, text);
}

/** A machine that is about to be created: no record is stored yet. */
export function newHost(ports: MachinePorts, record: HostRecord, module: DriverModule): Host {
  if (!module.capabilities.adopted) record.extra.CreateId ??= randomUUID();
  return new OpenedHost(ports, record, module, Vault.empty(ports, ports.store.machineDir(record.name)), undefined);
}

class OpenedHost implements Host {
  readonly name: string;
  readonly record: HostRecord;
  readonly module: DriverModule;
  readonly driver: Driver;
  readonly report: Report;
  readonly dir: string;
  readonly #ports: MachinePorts;
  readonly #vault: Vault | undefined;

  constructor(
    ports: MachinePorts,
    record: HostRecord,
    module: DriverModule,
    vault: Vault | undefined,
    configText: string | undefined,
  ) {
    this.#ports = ports;
    this.#vault = vault;
    this.name = record.name;
    this.record = record;
    this.module = module;
    this.report = ports.reportFor(record.name);
    this.dir = ports.store.machineDir(record.name);
    for (const secret of (record.hostOptions.EngineOptions.Env ?? []).flatMap(secretsOfAssignment)) ports.redactor.add(secret);
    this.driver = configText === undefined ? module.open(this.#context(), undefined) : this.#openDriver(configText);
  }

  #openDriver(text: string): Driver {
    const [vault, module, context] = [this.#vault, this.module, this.#context()];
    if (vault === undefined) return module.open(context, text);
    const open = (): Driver => module.open(context, vault.reveal(text));
    if (vault.isResolved(text)) return open();
    return new SealedDriver(open(), async () => {
      await vault.resolve(text);
      return open();
    });
  }

  #context(): DriverContext {
    const { store, platform, processes, clock, redactor } = this.#ports;
    const { name, report, dir } = this;
    return {
      machineName: name,
      createId: this.record.extra.CreateId ?? "",
      storePath: store.root,
      machineDir: dir,
      cacheDir: store.cacheDir,
      platform,
      processes,
      clock,
      // A driver's own lines bear the machine's name, as 0.16.2's plugins' do.
      report: (event) => report(event.type === "log" ? { ...event, machine: name } : event),
      save: this.save,
      openSsh: this.openSsh,
      ensureSshKey: async () => await (await import("../ssh/keys.ts")).ensureKeyPair(dir, `docker-machine ${name}`, platform),
      secret: (value) => redactor.add(value),
      engineTemplate: async () => await (await import("./engine-template.ts")).engineTemplateOf(this.#ports, this),
    };
  }

  async configure(options: DriverOptions): Promise<void> {
    await this.driver.setConfigFromFlags((await this.#vault?.takeOptions(options, this.module.flags)) ?? options);
  }

  async store(companions: Readonly<Record<string, string>>): Promise<void> {
    const record = await this.#takeConfig();
    const secrets = this.#vault?.fileText(record.driverConfigText);
    await this.#ports.store.create(record, secrets === undefined ? companions : { ...companions, [vaultFileName]: secrets });
  }

  readonly save = async (): Promise<void> => {
    const record = await this.#takeConfig();
    const save = async (): Promise<void> => await this.#ports.store.save(record);
    await (this.#vault === undefined ? save() : this.#vault.saveAround(record.driverConfigText, save));
  };

  async #takeConfig(): Promise<HostRecord> {
    const text = await this.driver.configText();
    this.record.driverConfigText = this.#vault === undefined ? text : this.#vault.conceal(text);
    return this.record;
  }

  async openJournal(command: JournaledCommand, whenFull?: "go-on"): Promise<Journal> {
    const createId = this.record.extra.CreateId ?? "";
    return await Journal.open({ machineDir: this.dir, command, createId, clock: this.#ports.clock, whenFull });
  }

  async sshTarget(): Promise<SshTarget> {
    return await sshTargetOf(this.driver, this.name, sshTermsOf(this.#ports, this.record, this.module, this.dir));
  }

  readonly openSsh = async (): Promise<SshExecutor> => await this.#ports.openSsh(await this.sshTarget(), this.report);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.close?.();
  }
}

/** Which host keys of a machine are believed, and for how long it is tried. */
function sshTermsOf(ports: MachinePorts, record: HostRecord, module: DriverModule, dir: string): SshTerms {
  const { adopted, injectsHostKeys } = module.capabilities;
  const home = ports.platform.homeDir;
  return {
    connectTimeoutMs: ports.timeouts.sshConnectMs,
    hostKeys: {
      knownHostsFile: path.join(dir, "known_hosts"),
      alias: record.name,
      expectedFingerprint: record.extra.SshHostKey,
      userKnownHostsFiles:
        adopted && home !== undefined ? [path.join(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"] : undefined,
      unknown: injectsHostKeys ? "refuse" : "trust-first-use",
    },
  };
}
