/** Machines as the store has them, and new ones, with their drivers opened. */
import * as path from "node:path";
import type { Driver, DriverContext, DriverModule } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { sshTargetOf } from "../../driver-kit/ssh-target.ts";
import { secretsOfAssignment } from "../../log/assignment-secrets.ts";
import type { Report } from "../../log/event.ts";
import type { SshExecutor, SshTarget } from "../../ssh/executor.ts";
import type { HostRecord } from "../../store/host-record.ts";
import { keptFileName } from "../../store/paths.ts";
import { userHere } from "../../system/process-identity.ts";
import { readRegularFileIfExists, removeFile, writeFileAtomic } from "../../system/files.ts";
import type { Host } from "./host.ts";
import { Journal, type JournaledCommand } from "../interruption/journal.ts";
import type { MachineContext } from "../machine-context.ts";
import { marksIn } from "../secrets/conceal.ts";
import { markedTextOf } from "../secrets/marked-text.ts";
import { Vault, vaultFileName } from "../secrets/vault.ts";

/**
 * Loads a machine. Throws `machine-not-found`, `record-unreadable`, of a plugin `secret-unavailable`.
 * @param given the driver, where a command line names it
 */
export async function openHost(context: MachineContext, name: string, given?: DriverModule): Promise<Host> {
  const { record, vault } = await loadWithSecrets(context, name);
  const text = record.driverConfigText;
  const module = given ?? (await context.findDriver(record.driverName, text));
  if (module.capabilities.opaque === true) await vault?.resolve(text);
  return new OpenedHost(context, record, module, vault, text);
}

interface Loaded {
  readonly record: HostRecord;
  /** Undefined where the record has its secrets itself, as 0.16.2 made it, which may be in use still. */
  readonly vault: Vault | undefined;
}

/** Readers take no lock: between a look at the record and one at its secrets, the machine may be removed and made again. */
async function loadWithSecrets(context: MachineContext, name: string): Promise<Loaded> {
  for (let before: string | undefined; ;) {
    const record = await loadHere(context, name);
    const marked = markedTextOf(record);
    if (marksIn(marked).size === 0) return { record, vault: undefined };
    const vault = await Vault.load(context, context.store.machineDir(name));
    const seen = JSON.stringify(record);
    // What is not there at a second look was lost.
    if (vault.has(marked) || seen === before) return { record, vault };
    before = seen;
  }
}

/** A save of 0.16.2 drops `Extra` first of all. */
async function withKeptKeys(record: HostRecord, machineDir: string): Promise<HostRecord> {
  if (Object.keys(record.extra).length > 0) return record;
  const kept = await readRegularFileIfExists(path.join(machineDir, keptFileName));
  return kept === undefined ? record : (await import("../../store/kept-keys.ts")).withKept(record, kept.toString("utf8"));
}

/** Nearly every store is where it always was. */
async function loadHere({ store }: MachineContext, name: string): Promise<HostRecord> {
  const record = await withKeptKeys(await store.load(name), store.machineDir(name));
  if (record.hostOptions.AuthOptions.StorePath === store.machineDir(name)) return record;
  return await (await import("./moved-store.ts")).readWhereItStands(record, store.root);
}

/** A machine that is about to be created: no record is stored yet. */
export function newHost(context: MachineContext, record: HostRecord, module: DriverModule): Host {
  if (!module.capabilities.adopted) record.extra.CreateId ??= crypto.randomUUID();
  return new OpenedHost(context, record, module, Vault.empty(context, context.store.machineDir(record.name)), undefined);
}

class OpenedHost implements Host {
  readonly name: string;
  readonly record: HostRecord;
  readonly module: DriverModule;
  readonly driver: Driver;
  readonly report: Report;
  readonly dir: string;
  readonly #context: MachineContext;
  #vault: Vault | undefined;

  constructor(
    context: MachineContext,
    record: HostRecord,
    module: DriverModule,
    vault: Vault | undefined,
    configText: string | undefined,
  ) {
    this.#context = context;
    this.#vault = vault;
    this.name = record.name;
    this.record = record;
    this.module = module;
    this.report = context.reportFor(record.name);
    this.dir = context.store.machineDir(record.name);
    // Marks are no secrets.
    for (const secret of (record.hostOptions.EngineOptions.Env ?? []).flatMap(secretsOfAssignment))
      if (marksIn(secret).size === 0) context.redactor.add(secret);
    // A driver of others is given the secrets themselves; ours reveal one when a request needs it.
    const isOpaque = module.capabilities.opaque === true;
    this.driver = module.open(
      this.#driverContext(),
      isOpaque && configText !== undefined ? (vault?.reveal(configText) ?? configText) : configText,
    );
  }

  #driverContext(): DriverContext {
    const { store, computer, processes, http, timeouts, clock, redactor } = this.#context;
    const { name, report, dir } = this;
    return {
      machineName: name,
      createId: this.record.extra.CreateId,
      storePath: store.root,
      machineDir: dir,
      cacheDir: store.cacheDir,
      computer,
      processes,
      http,
      operationMs: timeouts.providerOperationMs,
      clock,
      // A driver's own lines bear the machine's name, as 0.16.2's plugins' do.
      report: (event) => report(event.type === "log" ? { ...event, machine: name } : event),
      save: this.save,
      openSsh: this.openSsh,
      ensureSshKey: async (wish) =>
        await (await import("../../ssh/keys.ts")).ensureKeyPair(dir, `docker-machine ${name}`, computer, wish?.type),
      reveal: async (value) => (await this.#vault?.revealValue(value)) ?? value,
      secret: (value) => redactor.add(value),
      engineTemplate: async () => await (await import("./engine-template.ts")).engineTemplateOf(this.#context, this),
    };
  }

  async configure(options: DriverOptions): Promise<void> {
    await this.concealEngineSecrets();
    await this.driver.setConfigFromFlags((await this.#vault?.takeOptions(options, this.module)) ?? options);
    const { driverName } = this.driver;
    if (driverName === this.module.name) return;
    this.record.driverName = driverName;
    this.record.extra.DriverGivenAs = this.module.name;
  }

  async concealEngineSecrets(): Promise<void> {
    const { EngineOptions: engine } = this.record.hostOptions;
    if (engine.Env === null || engine.Env.length === 0) return;
    this.#vault ??= Vault.empty(this.#context, this.dir);
    engine.Env = (await import("../secrets/engine-secrets.ts")).concealAssignments(this.#vault, engine.Env);
  }

  async engineEnvironment(): Promise<readonly string[]> {
    const assignments = this.record.hostOptions.EngineOptions.Env ?? [];
    if (this.#vault === undefined) return assignments;
    await this.#vault.resolve(assignments.join("\n"));
    return (await import("../secrets/engine-secrets.ts")).revealAssignments(this.#vault, assignments);
  }

  async store(companions: Readonly<Record<string, string>>): Promise<void> {
    const record = await this.#takeConfig();
    const files = {
      ...companions,
      [vaultFileName]: this.#vault?.fileText(markedTextOf(record)),
      [keptFileName]: await this.#keptText(),
    };
    await this.#context.store.create(record, withoutAbsent(files));
  }

  readonly save = async (): Promise<void> => {
    const record = await this.#takeConfig();
    const save = async (): Promise<void> => await this.#context.store.save(record);
    await (this.#vault === undefined ? save() : this.#vault.saveAround(markedTextOf(record), save));
    await this.#saveKept();
    await this.#context.store.publish(this.name);
    await (await import("../integration/in-step.ts")).keepInStep(this.#context, this);
  };

  /** What 0.16.2 would drop of the record; nothing where it cannot open the machine at all. */
  async #keptText(): Promise<string | undefined> {
    if (this.module.ownKeys !== undefined) return undefined;
    return (await import("../../store/kept-keys.ts")).keptText(this.record, this.module.newKeys ?? []);
  }

  async #saveKept(): Promise<void> {
    const file = path.join(this.dir, keptFileName);
    const [text, old] = [await this.#keptText(), (await readRegularFileIfExists(file))?.toString("utf8")];
    if (text === old) return;
    await (text === undefined ? removeFile(file) : writeFileAtomic(file, text, 0o600));
  }

  async #takeConfig(): Promise<HostRecord> {
    const text = await this.driver.configText();
    this.record.driverConfigText = this.#vault === undefined ? text : this.#vault.conceal(text, this.module.flags);
    return this.record;
  }

  async openJournal(command: JournaledCommand, whenFull?: "go-on"): Promise<Journal> {
    const { store, clock, computer } = this.#context;
    return await Journal.open({
      machineDir: this.dir,
      command,
      createId: this.record.extra.CreateId ?? "",
      by: userHere(computer),
      publish: async () => await store.publish(this.name),
      clock,
      whenFull,
    });
  }

  async sshTarget(): Promise<SshTarget> {
    const { sshTermsOf } = await import("./ssh-terms.ts");
    return await sshTargetOf(this.driver, this.name, await sshTermsOf(this.#context, this));
  }

  readonly openSsh = async (): Promise<SshExecutor> => await this.#context.openSsh(await this.sshTarget(), this.report);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.close?.();
  }
}

function withoutAbsent(files: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
}
