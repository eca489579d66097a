/** A team's store, loaded by the first question to it: what commands are given is made without waiting. */
import type { HostRecord } from "../store/host-record.ts";
import { cacheDirOf, certsDirOf, isFolderName, machineDirOf, type MachinesFolder } from "../store/paths.ts";
import type { RecordLook, RecordWithDriver } from "../store/record-facts.ts";
import { nameInvalid } from "../store/store-errors.ts";
import type { LockRequest, MachineLock, Store } from "../store/store.ts";
import type { FileLock } from "../system/file-lock.ts";

export class LazyTeamStore implements Store {
  readonly root: string;
  readonly certsDir: string;
  readonly cacheDir: string;
  readonly #folder: MachinesFolder;
  readonly #open: () => Promise<Store>;
  #opened: Promise<Store> | undefined;

  /** @param folder where its machines are */
  constructor(root: string, open: () => Promise<Store>, folder: MachinesFolder = "machines") {
    this.root = root;
    this.certsDir = certsDirOf(root);
    this.cacheDir = cacheDirOf(root);
    this.#folder = folder;
    this.#open = open;
  }

  async #store(): Promise<Store> {
    return await (this.#opened ??= this.#open());
  }

  machineDir(name: string): string {
    if (!isFolderName(name)) throw nameInvalid();
    return machineDirOf(this.root, name, this.#folder);
  }

  async list(): Promise<string[]> {
    return await (await this.#store()).list();
  }

  async has(name: string): Promise<boolean> {
    return await (await this.#store()).has(name);
  }

  async load(name: string): Promise<HostRecord> {
    return await (await this.#store()).load(name);
  }

  async facts<T>(pick: (facts: RecordWithDriver) => T): Promise<RecordLook<T>[]> {
    return await (await this.#store()).facts(pick);
  }

  async loadText(name: string): Promise<string> {
    return await (await this.#store()).loadText(name);
  }

  async create(record: HostRecord, companions?: Readonly<Record<string, string>>): Promise<void> {
    await (await this.#store()).create(record, companions);
  }

  async save(record: HostRecord): Promise<void> {
    await (await this.#store()).save(record);
  }

  async remove(name: string): Promise<void> {
    await (await this.#store()).remove(name);
  }

  async rename(name: string, newName: string): Promise<void> {
    await (await this.#store()).rename(name, newName);
  }

  async bury(name: string, createId: string): Promise<void> {
    await (await this.#store()).bury(name, createId);
  }

  get buried(): Store {
    return new LazyTeamStore(this.root, async () => (await this.#store()).buried, "removed");
  }

  async lockMachine(name: string, request: LockRequest): Promise<MachineLock> {
    return await (await this.#store()).lockMachine(name, request);
  }

  async isLocked(name: string): Promise<boolean> {
    return await (await this.#store()).isLocked(name);
  }

  async publish(name: string): Promise<void> {
    await (await this.#store()).publish(name);
  }

  async lockFleet(fleet: string, request: LockRequest): Promise<FileLock> {
    return await (await this.#store()).lockFleet(fleet, request);
  }

  async lockCertificates(request: LockRequest): Promise<FileLock> {
    return await (await this.#store()).lockCertificates(request);
  }

  async sweep(): Promise<void> {
    await (await this.#store()).sweep();
  }
}
