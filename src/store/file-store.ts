/**
 * The store on disk, in 0.16.2's layout. Knows folders, files and locks; what stands in config.json is the codec's.
 * Readers take no lock and always see a whole file, because files and machines appear and vanish by one rename.
 */
import { existsSync, type Dirent } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { isMachineError, systemCodeOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { hasDeadHolder, isFileLocked, lockFile, type FileLock } from "../system/file-lock.ts";
import {
  explainFileError,
  forgetTemporary,
  isAbandonedTemporary,
  makePrivateDirectory,
  readRegularFileIfExists,
  readRegularFileNow,
  syncDirectory,
  temporaryPathFor,
  writeFileAtomic,
} from "../system/files.ts";
import type { RecordLook, RecordWithDriver } from "./record-facts.ts";
import { decodeRecord, encodeNewRecord, encodeRecord, missingRecord, type DecodedRecord } from "./codec.ts";
import type { HostRecord } from "./host-record.ts";
import {
  cacheDirOf,
  certificatesLockOf,
  certsDirOf,
  fleetLockOf,
  isFolderName,
  locksDirOf,
  machineDirOf,
  machineLockOf,
  machineOfLock,
  machinesDirOf,
  recordFileName,
  type MachinesFolder,
  type RecordPlace,
} from "./paths.ts";
import type { Settling } from "./settling.ts";
import { machineExists, machineNotFound, nameInvalid } from "./store-errors.ts";
import { neverLost } from "./never-lost.ts";
import type { LockRequest, MachineLock, Store } from "./store.ts";

const recordMode = 0o600;

export class FileStore implements Store {
  readonly root: string;
  readonly certsDir: string;
  readonly cacheDir: string;
  readonly #folder: MachinesFolder;
  readonly #machinesDir: string;
  readonly #clock: Clock;

  /** `root` is absolute; nothing is read or made before it is needed. */
  constructor(root: string, clock: Clock, folder: MachinesFolder = "machines") {
    this.root = root;
    this.certsDir = certsDirOf(root);
    this.cacheDir = cacheDirOf(root);
    this.#folder = folder;
    this.#machinesDir = machinesDirOf(root, folder);
    this.#clock = clock;
  }

  machineDir(name: string): string {
    if (!isFolderName(name)) throw nameInvalid();
    return machineDirOf(this.root, name, this.#folder);
  }

  async list(): Promise<string[]> {
    const names: string[] = [];
    for (const name of await this.#folders()) if (existsSync(this.#recordFile(name)) || (await this.has(name))) names.push(name);
    return names;
  }

  /** Names of all folders that may be machines, of those without a record too. */
  async folderNames(): Promise<string[]> {
    return await this.#folders();
  }

  /** Folders that may be machines. Where the store is a file, it does not count as an empty one. */
  async #folders(): Promise<string[]> {
    const entries = await readFolder(this.#machinesDir, ["ENOENT"]);
    return entries.filter((entry) => entry.isDirectory() && isFolderName(entry.name)).map(({ name }) => name);
  }

  /** A folder that cannot be looked into is taken: what is in it is somebody's. */
  async has(name: string): Promise<boolean> {
    if (!isFolderName(name)) return false;
    try {
      return (await readFolder(this.machineDir(name))).length > 0;
    } catch (error) {
      if (isOfName(error)) throw error;
      return true;
    }
  }

  async load(name: string): Promise<HostRecord> {
    return (await this.#decode(name)).record;
  }

  /** Read at once, one after the other: to step aside for each of thousands of files takes longer than to read it. */
  async facts<T>(pick: (facts: RecordWithDriver) => T): Promise<RecordLook<T>[]> {
    const { factsOf, readFacts } = await import("./record-facts.ts");
    const takeAnyway = async (name: string): Promise<T> => pick(factsOf(await this.load(name)));
    const looks: RecordLook<T>[] = [];
    for (const name of await this.#folders()) {
      const text = readRegularFileNow(this.#recordFile(name));
      const facts = text === undefined ? undefined : readFacts(text, name);
      if (facts !== undefined) looks.push({ name, value: pick(facts) });
      else if (await this.has(name)) looks.push(await lookOf(name, takeAnyway(name)));
    }
    return looks;
  }

  async loadText(name: string): Promise<string> {
    return (await this.#decode(name)).text;
  }

  /** What looks gone or damaged is looked at again before it is called that. */
  async #decode(name: string): Promise<DecodedRecord> {
    if (!isFolderName(name)) throw machineNotFound(name);
    for (let settling: Settling | undefined; ;) {
      try {
        return decodeRecord((await this.#readRecord(name)).toString("utf8"), this.#place(name));
      } catch (error) {
        if (!isMachineError(error, "record-unreadable")) throw error;
        settling ??= await this.#settling(name);
        if (!(await settling.isWorthAnotherLook())) throw error;
      }
    }
  }

  async #readRecord(name: string): Promise<Buffer> {
    const bytes = await readRegularFileIfExists(this.#recordFile(name));
    if (bytes !== undefined) return bytes;
    const folder = this.machineDir(name);
    if (!(await this.has(name))) throw machineNotFound(name, await this.list());
    const { findUnnamedRecord } = await import("./settling.ts");
    throw missingRecord(name, folder, await findUnnamedRecord(folder));
  }

  /** The bytes that a save replaces; undefined for a record that stands nowhere yet. */
  async #bytesToReplace(name: string): Promise<Buffer | undefined> {
    for (let settling: Settling | undefined; ;) {
      const bytes = await readRegularFileIfExists(this.#recordFile(name));
      if (bytes !== undefined || !(await this.has(name))) return bytes;
      settling ??= await this.#settling(name);
      if (!(await settling.isWorthAnotherLook())) return undefined;
    }
  }

  /** Loaded when it is needed: what is read as it stands, nearly always, has no use for it. */
  async #settling(name: string): Promise<Settling> {
    const { Settling } = await import("./settling.ts");
    return new Settling(this.machineDir(name), this.#clock);
  }

  #recordFile(name: string): string {
    return path.join(this.machineDir(name), recordFileName);
  }

  #place(name: string): RecordPlace {
    return { name, storeRoot: this.root };
  }

  async create(record: HostRecord, companions: Readonly<Record<string, string>> = {}): Promise<void> {
    const folder = this.machineDir(record.name);
    await makePrivateDirectory(this.#machinesDir);
    const twin = findTwin(record.name, await this.list());
    if (twin !== undefined) throw machineExists(record.name, twin);
    await this.#makeFolder(record.name, folder, { ...companions, [recordFileName]: encodeNewRecord(record) });
  }

  /** Makes the machine's folder with the files of one that stands elsewhere, as `create` does. Throws `machine-exists`. */
  async adopt(name: string, files: Readonly<Record<string, string>>): Promise<void> {
    const folder = this.machineDir(name);
    await makePrivateDirectory(this.#machinesDir);
    await this.#makeFolder(name, folder, files);
  }

  async #makeFolder(name: string, folder: string, files: Readonly<Record<string, string>>): Promise<void> {
    await this.#withTemporary(name, "create", async (staging) => {
      await makePrivateDirectory(staging);
      for (const [file, text] of Object.entries(files)) await writeFileAtomic(path.join(staging, file), text, recordMode);
      await moveIntoPlace(staging, folder, name);
      await syncDirectory(this.#machinesDir);
    });
  }

  /**
   * Makes the folders of many machines, none of which is there. Each appears whole; all outlive a crash of the computer once
   * this resolves.
   */
  async adoptMany(
    machines: readonly { readonly name: string; readonly files: Readonly<Record<string, string>> }[],
  ): Promise<void> {
    const { eachAtOnce, flushFolders, writeUnflushed } = await import("../system/many-files.ts");
    await makePrivateDirectory(this.#machinesDir);
    await eachAtOnce(machines, async ({ name, files }) => {
      await this.#withTemporary(name, "create", async (staging) => {
        await fs.mkdir(staging, { mode: 0o700 });
        for (const [file, text] of Object.entries(files)) await writeUnflushed(path.join(staging, file), text, recordMode);
        await moveIntoPlace(staging, this.machineDir(name), name);
      });
    });
    await flushFolders(
      this.#machinesDir,
      machines.map(({ name }) => this.machineDir(name)),
    );
  }

  async save(record: HostRecord): Promise<void> {
    const file = this.#recordFile(record.name);
    const old = await this.#bytesToReplace(record.name);
    const encoded = encodeRecord(record, old?.toString("utf8"), this.#place(record.name));
    if (encoded === undefined) return;
    if (old === undefined) await makePrivateDirectory(path.dirname(file));
    else if (encoded.isMigration) await writeFileAtomic(`${file}.bak`, old, recordMode);
    await writeFileAtomic(file, encoded.text, recordMode);
  }

  async remove(name: string): Promise<void> {
    const folder = this.machineDir(name);
    await this.#withTemporary(name, "remove", async (doomed) => {
      if (!(await renameIfExists(folder, doomed))) return;
      await syncDirectory(this.#machinesDir);
      await fs.rm(doomed, { recursive: true, force: true });
    });
  }

  async rename(name: string, newName: string): Promise<void> {
    const [folder, newFolder] = [this.machineDir(name), this.machineDir(newName)];
    const names = await this.list();
    if (!names.includes(name)) throw machineNotFound(name);
    const others = names.filter((other) => other !== name);
    const twin = findTwin(newName, others);
    if (twin !== undefined) throw machineExists(newName, twin);
    try {
      await moveIntoPlace(folder, newFolder, newName);
      await syncDirectory(this.#machinesDir);
    } catch (error) {
      throw explainFileError(error, newFolder, "create");
    }
  }

  get buried(): Store {
    return new FileStore(this.root, this.#clock, "removed");
  }

  async bury(name: string, createId: string): Promise<void> {
    const grave = machineDirOf(this.root, `${name}.${createId}`, "removed");
    try {
      await makePrivateDirectory(path.dirname(grave));
      if (!(await renameIfExists(this.machineDir(name), grave))) return;
      await Promise.all([syncDirectory(path.dirname(grave)), syncDirectory(this.#machinesDir)]);
    } catch (error) {
      throw explainFileError(error, grave, "create");
    }
  }

  /** Gives `work` a path in `machines/` that is no machine, to 0.16.2 neither: its name begins with a dot. */
  async #withTemporary(name: string, verb: "create" | "remove", work: (temporary: string) => Promise<void>): Promise<void> {
    const temporary = temporaryPathFor(path.join(this.#machinesDir, `.${name}`));
    try {
      await work(temporary);
    } catch (error) {
      await fs.rm(temporary, { recursive: true, force: true }).catch(() => {});
      throw explainFileError(error, (error as NodeJS.ErrnoException).path ?? this.machineDir(name), verb);
    } finally {
      forgetTemporary(temporary);
    }
  }

  async lockMachine(name: string, request: LockRequest): Promise<MachineLock> {
    if (!isFolderName(name)) throw machineNotFound(name);
    const folder = this.machineDir(name);
    const isRemoved = async (): Promise<boolean> => !(await this.has(name));
    const lock = await this.#lock(machineLockOf(this.root, name), `machine "${name}"`, request, isRemoved);
    await Promise.all([sweepFolder(folder), sweepFolder(this.#machinesDir, (entry) => machineOfTemporary(entry) === name)]);
    return { ...lock, lost: neverLost };
  }

  async isLocked(name: string): Promise<boolean> {
    return isFolderName(name) && (await isFileLocked(machineLockOf(this.root, name)));
  }

  async publish(): Promise<void> {}

  async lockCertificates(request: LockRequest): Promise<FileLock> {
    const lock = await this.#lock(certificatesLockOf(this.root), "the certificates of the store", request);
    await sweepFolder(this.certsDir);
    return lock;
  }

  async lockFleet(fleet: string, request: LockRequest): Promise<FileLock> {
    return await this.#lock(fleetLockOf(this.root, fleet), `the fleet "${fleet}"`, request);
  }

  async #lock(file: string, what: string, request: LockRequest, isObsolete?: () => Promise<boolean>): Promise<FileLock> {
    await makePrivateDirectory(locksDirOf(this.root));
    return await lockFile(file, { what, clock: this.#clock, ...request }, isObsolete);
  }

  async sweep(): Promise<void> {
    const request: LockRequest = { purpose: "clean-up", waitMs: 0 };
    if ((await hasAbandoned(this.certsDir)) || (await hasDeadHolder(certificatesLockOf(this.root))))
      await takeAndGive(() => this.lockCertificates(request));
    const entries = (await readFolder(this.#machinesDir)).map((entry) => entry.name);
    const removed = entries.filter(isAbandonedTemporary).flatMap((entry) => machineOfTemporary(entry) ?? []);
    const present = entries.filter(isFolderName);
    const locked = await this.#namesOfUselessLocks(present);
    for (const name of new Set([...removed, ...locked, ...present])) {
      const isDirty = removed.includes(name) || locked.includes(name) || (await hasAbandoned(this.machineDir(name)));
      if (isDirty) await takeAndGive(() => this.lockMachine(name, request));
    }
  }

  /** Machines whose lock was held by a killed command, or protects nothing any more: those of buried ones are with the rest. */
  async #namesOfUselessLocks(present: readonly string[]): Promise<string[]> {
    if (this.#folder !== "machines") return [];
    const names = (await readFolder(locksDirOf(this.root))).flatMap((entry) => machineOfLock(entry.name) ?? []);
    const taken = new Set(present.map((name) => name.toLowerCase()));
    const isUseless = await Promise.all(
      names.map(async (name) => !taken.has(name) || (await hasDeadHolder(machineLockOf(this.root, name)))),
    );
    return names.filter((_, index) => isUseless[index]);
  }
}

async function lookOf<T>(name: string, taking: Promise<T>): Promise<RecordLook<T>> {
  try {
    return { name, value: await taking };
  } catch (error) {
    return { name, error };
  }
}

/** Entries of a folder, none when it does not exist or, unless other codes are given, is no folder. */
async function readFolder(folder: string, absenceCodes: readonly string[] = ["ENOENT", "ENOTDIR"]): Promise<Dirent[]> {
  try {
    return await fs.readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (absenceCodes.includes(systemCodeOf(error) ?? "")) return [];
    throw explainFileError(error, folder, "read");
  }
}

/** Whether an error is about a name as it was given, and not about what bears it. */
function isOfName(error: unknown): boolean {
  return systemCodeOf(isMachineError(error) ? error.cause : error) === "ENAMETOOLONG";
}

function findTwin(name: string, names: readonly string[]): string | undefined {
  return names.find((other) => other.toLowerCase() === name.toLowerCase());
}

async function moveIntoPlace(staging: string, folder: string, name: string): Promise<void> {
  // Windows does not rename over a folder, not even an empty one; this removes nothing but an empty one.
  await fs.rmdir(folder).catch(() => {});
  try {
    await fs.rename(staging, folder);
  } catch (error) {
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(systemCodeOf(error) ?? "") && (await readFolder(folder)).length > 0)
      throw machineExists(name, name);
    // A file or a link that leads nowhere has the name.
    if (systemCodeOf(error) === "ENOTDIR")
      throw explainFileError(Object.assign(new Error(), { code: "EEXIST" }), folder, "create");
    throw error;
  }
}

async function renameIfExists(from: string, to: string): Promise<boolean> {
  try {
    await fs.rename(from, to);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** The machine whose folder was being made or removed under this name. */
function machineOfTemporary(entry: string): string | undefined {
  return /^\.(.+)\.tmp-\d+-[0-9a-f]{8}$/u.exec(entry)?.[1];
}

/** A folder that cannot be looked into hides what is in it from us, and hinders no clean-up elsewhere. */
async function hasAbandoned(folder: string): Promise<boolean> {
  return (await readFolder(folder).catch(() => [])).some((entry) => isAbandonedTemporary(entry.name));
}

/** Removes what killed commands left in a folder. The caller holds its lock; a file that cannot be removed hinders nobody. */
async function sweepFolder(folder: string, isOurs: (entry: string) => boolean = () => true): Promise<void> {
  const entries = await readFolder(folder).catch(() => []);
  const abandoned = entries.filter((entry) => isAbandonedTemporary(entry.name) && isOurs(entry.name));
  await Promise.all(
    abandoned.map((entry) => fs.rm(path.join(folder, entry.name), { recursive: true, force: true }).catch(() => {})),
  );
}

/** Taking a lock cleans up; one that is held is left alone. */
async function takeAndGive(take: () => Promise<FileLock>): Promise<void> {
  try {
    await (await take()).release();
  } catch (error) {
    if (!isMachineError(error, "machine-busy")) throw error;
  }
}
