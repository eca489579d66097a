/**
 * A store in memory, for tests: the same texts, errors and locks as the store on disk, within one process. Paths it
 * gives lead nowhere.
 */
import { ownHolder, waitForLock, type FileLock } from "../system/file-lock.ts";
import { systemClock, type Clock } from "../system/clock.ts";
import { decodeRecord, encodeNewRecord, encodeRecord, type DecodedRecord } from "./codec.ts";
import type { HostRecord } from "./host-record.ts";
import { factsOf, readFacts, type RecordLook, type RecordWithDriver } from "./record-facts.ts";
import { cacheDirOf, certsDirOf, isFolderName, machineDirOf, type RecordPlace } from "./paths.ts";
import { machineExists, machineNotFound, nameInvalid } from "./store-errors.ts";
import { neverLost } from "./never-lost.ts";
import type { LockRequest, MachineLock, Store } from "./store.ts";

export class MemoryStore implements Store {
  readonly root: string;
  readonly certsDir: string;
  readonly cacheDir: string;
  /** The texts of config.json by machine; a test may put any text there. */
  readonly texts = new Map<string, string>();
  /** The texts of config.json.bak. */
  readonly backups = new Map<string, string>();
  #buried: MemoryStore | undefined;
  readonly #clock: Clock;
  readonly #holders = new Map<string, string>();

  constructor(root = "/store", clock: Clock = systemClock) {
    this.root = root;
    this.certsDir = certsDirOf(root);
    this.cacheDir = cacheDirOf(root);
    this.#clock = clock;
  }

  machineDir(name: string): string {
    if (!isFolderName(name)) throw nameInvalid();
    return machineDirOf(this.root, name);
  }

  async list(): Promise<string[]> {
    return [...this.texts.keys()];
  }

  async has(name: string): Promise<boolean> {
    return this.texts.has(name);
  }

  async load(name: string): Promise<HostRecord> {
    return this.#decode(name).record;
  }

  async facts<T>(pick: (facts: RecordWithDriver) => T): Promise<RecordLook<T>[]> {
    return [...this.texts].map(([name, text]) => {
      try {
        return { name, value: pick(readFacts(text, name) ?? factsOf(this.#decode(name).record)) };
      } catch (error) {
        return { name, error };
      }
    });
  }

  async loadText(name: string): Promise<string> {
    return this.#decode(name).text;
  }

  #decode(name: string): DecodedRecord {
    const text = this.texts.get(name);
    if (text === undefined) throw machineNotFound(name, [...this.texts.keys()]);
    return decodeRecord(text, this.#place(name));
  }

  #place(name: string): RecordPlace {
    return { name, storeRoot: this.root };
  }

  async create(record: HostRecord): Promise<void> {
    this.machineDir(record.name);
    const twin = [...this.texts.keys()].find((name) => name.toLowerCase() === record.name.toLowerCase());
    if (twin !== undefined) throw machineExists(record.name, twin);
    this.texts.set(record.name, encodeNewRecord(record));
  }

  async save(record: HostRecord): Promise<void> {
    this.machineDir(record.name);
    const oldText = this.texts.get(record.name);
    const encoded = encodeRecord(record, oldText, this.#place(record.name));
    if (encoded === undefined) return;
    if (oldText !== undefined && encoded.isMigration) this.backups.set(record.name, oldText);
    this.texts.set(record.name, encoded.text);
  }

  async remove(name: string): Promise<void> {
    this.machineDir(name);
    this.texts.delete(name);
    this.backups.delete(name);
  }

  async rename(name: string, newName: string): Promise<void> {
    this.machineDir(newName);
    const text = this.texts.get(name);
    if (text === undefined) throw machineNotFound(name);
    const twin = [...this.texts.keys()].find((other) => other !== name && other.toLowerCase() === newName.toLowerCase());
    if (twin !== undefined) throw machineExists(newName, twin);
    this.texts.delete(name);
    this.texts.set(newName, text);
  }

  async bury(name: string, createId: string): Promise<void> {
    const text = this.texts.get(name);
    if (text !== undefined) this.buried.texts.set(`${name}.${createId}`, text);
    await this.remove(name);
  }

  get buried(): MemoryStore {
    return (this.#buried ??= new MemoryStore(this.root, this.#clock));
  }

  async lockMachine(name: string, request: LockRequest): Promise<MachineLock> {
    if (!isFolderName(name)) throw machineNotFound(name);
    return { ...(await this.#lock(machineKey(name), `machine "${name}"`, request)), lost: neverLost };
  }

  async isLocked(name: string): Promise<boolean> {
    return this.#holders.has(machineKey(name));
  }

  async publish(): Promise<void> {}

  async lockCertificates(request: LockRequest): Promise<FileLock> {
    return await this.#lock("certificates", "the certificates of the store", request);
  }

  async lockFleet(fleet: string, request: LockRequest): Promise<FileLock> {
    return await this.#lock(`fleet-${fleet.toLowerCase()}`, `the fleet "${fleet}"`, request);
  }

  async #lock(key: string, what: string, request: LockRequest): Promise<FileLock> {
    const take = async (): Promise<FileLock | undefined> => {
      if (this.#holders.has(key)) return undefined;
      this.#holders.set(key, ownHolder(request.purpose));
      let isHeld = true;
      const release = async (): Promise<void> => {
        if (isHeld) this.#holders.delete(key);
        isHeld = false;
      };
      return { release, [Symbol.asyncDispose]: release };
    };
    return await waitForLock(take, async () => this.#holders.get(key) ?? "", { what, clock: this.#clock, ...request });
  }

  async sweep(): Promise<void> {}
}

function machineKey(name: string): string {
  return `machine ${name.toLowerCase()}`;
}
