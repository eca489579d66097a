/** What the use cases need of a store. `FileStore` is the real one, `MemoryStore` the fake; one contract suite holds both. */
import type { FileLock } from "../system/file-lock.ts";
import type { HostRecord } from "./host-record.ts";
import type { RecordLook, RecordWithDriver } from "./record-facts.ts";

export interface LockRequest {
  /** The command that wants the lock, shown to whoever waits for it: `create`. */
  readonly purpose: string;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: ((holder: string) => void) | undefined;
}

export interface MachineLock extends FileLock {
  /** Aborted, with `lock-lost`, once the lock may be somebody else's. A lock of this computer's is its holder's until it ends. */
  readonly lost: AbortSignal;
}

export interface Store {
  /** Absolute path of the root; holds `certs/ machines/ cache/ locks/`. */
  readonly root: string;
  readonly certsDir: string;
  readonly cacheDir: string;
  /** Where the machine's folder is, or would be. Throws `machine-name-invalid` for what cannot be one folder. */
  machineDir(name: string): string;
  /** Names of all machines, unsorted, readable or not. An empty folder is none; an absent store has none. Never creates anything. */
  list(): Promise<string[]>;
  /** Whether the name is taken: a machine of that name, or on a case-insensitive file system one that differs in case. An empty folder does not count. */
  has(name: string): Promise<boolean>;
  /** Throws `machine-not-found`, `record-unreadable`, `record-from-future`. Older versions are migrated in memory. */
  load(name: string): Promise<HostRecord>;
  /**
   * All machines at once, unsorted, thousands of them: what `pick` takes of each record, or why that cannot be read, as `load`
   * throws it.
   */
  facts<T>(pick: (facts: RecordWithDriver) => T): Promise<RecordLook<T>[]>;
  /** The exact text of config.json; of an older version the text it is migrated to. Throws as `load` does. */
  loadText(name: string): Promise<string>;
  /**
   * Makes the machine's folder with its record in it, in one step and durably. Of two processes that create one name,
   * the second throws `machine-exists`, with or without a lock. An empty folder of that name is no obstacle.
   * `companions` are further files of the folder, by name, that must be there from the first moment.
   */
  create(record: HostRecord, companions?: Readonly<Record<string, string>>): Promise<void>;
  /** Writes the record durably. Nothing is written when nothing changed. A migrated record's old bytes go to config.json.bak first. */
  save(record: HostRecord): Promise<void>;
  /** Removes the machine's folder: at once for everyone else, then file by file. Succeeds when there is none. */
  remove(name: string): Promise<void>;
  /**
   * Gives the machine's folder another name, in one step and durably; what stands in it stays as it is. Throws
   * `machine-not-found`, `machine-exists` as `create` does. The caller holds both locks.
   */
  rename(name: string, newName: string): Promise<void>;
  /**
   * Takes the machine out of the store as `remove` does, but keeps its folder in `removed/`, named after the machine and
   * its `createId`, for `gc` to look after.
   */
  bury(name: string, createId: string): Promise<void>;
  /** The buried machines, as a store of their own. */
  readonly buried: Store;
  /**
   * Serialises commands that change one machine. Dies with the process. Readers take none. Temporary files that a killed
   * command left with this machine are removed first. Throws `machine-busy` naming the holder.
   */
  lockMachine(name: string, request: LockRequest): Promise<MachineLock>;
  /** Whether a command holds the machine's lock now, on this computer or another one that shares the store. Waits for nobody. */
  isLocked(name: string): Promise<boolean>;
  /**
   * Makes what stands in the machine's folder known to whoever shares the store; the caller holds the machine's lock. In a
   * store of one folder it is known as it is written.
   */
  publish(name: string): Promise<void>;
  /** Serialises commands that bring machines to what the file of this fleet says. Throws `machine-busy` naming the holder. */
  lockFleet(fleet: string, request: LockRequest): Promise<FileLock>;
  /** Serialises making and renewing the CA and the client certificate. */
  lockCertificates(request: LockRequest): Promise<FileLock>;
  /** Removes what killed commands left anywhere in the store, except where another command is at work. */
  sweep(): Promise<void>;
}
