/** What the use cases need of a store. `FileStore` is the real one, `MemoryStore` the fake. */
import type { FileLock } from "../system/file-lock.ts";
import type { HostRecord } from "./host-record.ts";

export interface LockRequest {
  /** The command that wants the lock, shown to whoever waits for it: `create`. */
  readonly purpose: string;
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: ((holder: string) => void) | undefined;
}

export interface Store {
  /** Absolute path of the root; holds `certs/ machines/ cache/`. */
  readonly root: string;
  readonly certsDir: string;
  readonly cacheDir: string;
  machineDir(name: string): string;
  /** Names of all machines, unsorted, readable or not. An absent store has none. Never creates anything. */
  list(): Promise<string[]>;
  /** Whether the name is taken: a machine of that name, or on a case-insensitive file system one that differs in case. An empty folder does not count. */
  has(name: string): Promise<boolean>;
  /** Throws `machine-not-found`, `record-unreadable`, `record-from-future`. Older versions are migrated in memory. */
  load(name: string): Promise<HostRecord>;
  /** The exact text of config.json. Throws as `load` does. */
  loadText(name: string): Promise<string>;
  /** Writes the record durably. Nothing is written when nothing changed. A migrated record's old bytes go to config.json.bak first. */
  save(record: HostRecord): Promise<void>;
  /** Removes the machine's folder. Succeeds when there is none. */
  remove(name: string): Promise<void>;
  /** Serialises commands that change one machine. Dies with the process. Readers take none. */
  lockMachine(name: string, request: LockRequest): Promise<FileLock>;
  /** Serialises making and renewing the CA and the client certificate. */
  lockCertificates(request: LockRequest): Promise<FileLock>;
}
