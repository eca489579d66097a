/**
 * The store of a team: a folder as every store is, complete and readable by all programs, and the ledger in which the team
 * has the same. Readers see what is new once in a command, and what is known here where nobody answers. Who changes
 * something has the lock of both, and makes each step known before its effect.
 */
import { MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { FileStore } from "../store/file-store.ts";
import { machineNotFound } from "../store/store-errors.ts";
import type { HostRecord } from "../store/host-record.ts";
import type { RecordLook, RecordWithDriver } from "../store/record-facts.ts";
import type { LockRequest, MachineLock, Store } from "../store/store.ts";
import type { FileLock } from "../system/file-lock.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { News } from "./news.ts";
import { digestOf } from "./shared-content.ts";
import type { SyncItem } from "./sync-state.ts";
import { conflict, SharedFolder } from "./shared-folder.ts";
import type { TeamContext } from "./team-context.ts";
import { TeamAuthority } from "./team-authority.ts";
import { TeamLedger, type Fence } from "./team-ledger.ts";
import { takeLock } from "./team-lock.ts";
import { pruneLog, prunes } from "./team-log.ts";
import { Unwinding } from "./unwinding.ts";

const never = new AbortController().signal;

/** What both folders of a store share. */
interface Parts {
  readonly context: TeamContext;
  readonly team: TeamLedger;
  readonly folders: Readonly<Record<"machines" | "removed", SharedFolder>>;
  readonly stores: Readonly<Record<"machines" | "removed", FileStore>>;
  readonly authority: TeamAuthority;
  readonly news: News;
  /** Locks of this process, by machine in lower case. */
  readonly held: Map<string, Fence>;
}

export class TeamStore implements Store {
  readonly root: string;
  readonly certsDir: string;
  readonly cacheDir: string;
  readonly #parts: Parts;
  readonly #which: "machines" | "removed";
  readonly #files: FileStore;
  readonly #folder: SharedFolder;

  private constructor(parts: Parts, which: "machines" | "removed") {
    this.#parts = parts;
    this.#which = which;
    this.#files = parts.stores[which];
    this.#folder = parts.folders[which];
    this.root = this.#files.root;
    this.certsDir = this.#files.certsDir;
    this.cacheDir = this.#files.cacheDir;
  }

  /** Asks nobody yet. */
  static open(context: TeamContext): TeamStore {
    const { root, clock } = context;
    const team = new TeamLedger(context);
    const stores = { machines: new FileStore(root, clock), removed: new FileStore(root, clock, "removed") };
    const folders = {
      machines: new SharedFolder(context, team, stores.machines, "machines"),
      removed: new SharedFolder(context, team, stores.removed, "removed"),
    };
    const authority = new TeamAuthority(context, team, stores.machines);
    const news = new News({ context, team, folders, stores, authority });
    const parts: Parts = { context, team, folders, stores, authority, news, held: new Map() };
    return new TeamStore(parts, "machines");
  }

  machineDir(name: string): string {
    return this.#files.machineDir(name);
  }

  async list(): Promise<string[]> {
    await this.refresh();
    return await this.#files.list();
  }

  async has(name: string): Promise<boolean> {
    await this.refresh();
    return await this.#files.has(name);
  }

  async load(name: string): Promise<HostRecord> {
    await this.refresh();
    return await this.#files.load(name);
  }

  async facts<T>(pick: (facts: RecordWithDriver) => T): Promise<RecordLook<T>[]> {
    await this.refresh();
    return await this.#files.facts(pick);
  }

  async loadText(name: string): Promise<string> {
    await this.refresh();
    return await this.#files.loadText(name);
  }

  async save(record: HostRecord): Promise<void> {
    await this.#files.save(record);
  }

  async create(record: HostRecord, companions?: Readonly<Record<string, string>>): Promise<void> {
    const { name, driverName } = record;
    const { reachOf, report } = this.#parts.context;
    const reach = await reachOf(driverName);
    await this.#files.create(record, companions);
    if (reach === "unknown")
      logTo(
        report,
        "info",
        `"${name}" is of this computer alone, because it is not known where machines of the plugin ${driverName} live. Where the others can reach it: docker-machine store push ${name}`,
      );
    if (reach !== "everybody") return;
    try {
      await this.#folder.setItem(name, { name, revision: 0, count: 0, digest: "", working: true });
      await this.publish(name);
    } catch (error) {
      // Nothing was begun outside: whatever became of it there, the next command decides.
      await this.#files.remove(name).catch(() => {});
      await this.#folder.setItem(name, undefined).catch(() => {});
      throw error;
    }
  }

  async publish(name: string): Promise<void> {
    await this.#folder.publish(name, this.#fenceOf(name), never);
  }

  async remove(name: string): Promise<void> {
    this.machineDir(name);
    const item = await this.#folder.item(name);
    if (item !== undefined && item.revision > 0) {
      const remove = [this.#folder.keyOf(name)];
      const fence = this.#fenceOf(name);
      await this.#folder.commit(name, item, (require) => ({ require: [require], put: [], remove, fence }), never);
    }
    await this.#files.remove(name);
    await this.#folder.setItem(name, undefined);
  }

  async rename(name: string, newName: string): Promise<void> {
    await this.#files.rename(name, newName);
    const item = await this.#folder.item(name);
    if (item === undefined) return;
    try {
      const shared = await this.#folder.sharedOf(newName);
      if (shared === undefined) return;
      const [from, key] = [this.#folder.keyOf(name), this.#folder.keyOf(newName)];
      const count = item.count + 1;
      const [taken, remove] = from === key ? [[], []] : [[{ key, revision: 0 }], [from]];
      const fence = this.#fenceOf(name);
      const revision = await this.#folder.commit(
        name,
        item,
        (require) => ({ require: [require, ...taken], put: [{ key, shared, count }], remove, fence }),
        never,
      );
      if (from !== key) await this.#folder.setItem(name, undefined);
      await this.#folder.setItem(newName, { name: newName, revision, count, digest: digestOf(shared.files), working: true });
    } catch (error) {
      await this.#files.rename(newName, name);
      throw error;
    }
  }

  async bury(name: string, createId: string): Promise<void> {
    const [item, shared] = await Promise.all([this.#folder.item(name), this.#folder.sharedOf(name)]);
    if (item !== undefined && shared !== undefined) {
      const graves = this.#parts.folders.removed;
      const grave = `${name}.${createId}`;
      const [key, remove] = [graves.keyOf(grave), [this.#folder.keyOf(name)]];
      const put = [{ key, shared: { ...shared, name: grave }, count: 1 }];
      const fence = this.#fenceOf(name);
      const revision = await this.#folder.commit(name, item, (require) => ({ require: [require], put, remove, fence }), never);
      await graves.setItem(grave, { name: grave, revision, count: 1, digest: digestOf(shared.files) });
    }
    await this.#files.bury(name, createId);
    await this.#folder.setItem(name, undefined);
  }

  get buried(): Store {
    return new TeamStore(this.#parts, "removed");
  }

  async lockMachine(name: string, request: LockRequest): Promise<MachineLock> {
    return await Unwinding.lock(async (stack) => {
      const { lost } = stack.use(await this.#files.lockMachine(name, request));
      // A machine of this computer alone is nobody else's business.
      if ((await this.#files.has(name)) && (await this.#folder.item(name)) === undefined) return { lost };
      return { lost: await this.#lockShared(name, request, stack) };
    });
  }

  /** Gives what tells that the lock was lost. */
  async #lockShared(name: string, request: LockRequest, stack: Unwinding): Promise<AbortSignal> {
    const { context, team, held } = this.#parts;
    const { ledger } = stack.use(await team.keep());
    const what = { key: this.#folder.keyOf(name), what: `machine "${name}"`, machine: name };
    const fence = await takeLock(context, ledger, what, request);
    stack.defer(async () => await fence.lease.release());
    await this.#pull(name, fence.found, ledger);
    held.set(name.toLowerCase(), fence);
    stack.defer(async () => void held.delete(name.toLowerCase()));
    stack.defer(async () => await this.#settle(name, fence));
    return fence.lease.lost;
  }

  /** What the team has of it is here, and from now on what is here is newer. */
  async #pull(name: string, entry: Entry | undefined, ledger: Ledger): Promise<void> {
    const key = this.#folder.keyOf(name);
    const taken = await this.#folder.take(key, entry, { ledger, signal: never, held: true });
    if (taken === "conflict" || taken === "clash") {
      const opened = entry === undefined ? undefined : await this.#parts.team.open(entry, ledger, never);
      throw conflict(name, opened?.shared);
    }
    const item = await this.#folder.item(name);
    if (item !== undefined) await this.#folder.setItem(name, { ...item, working: true });
  }

  /** Before the lock is given back: what is not known yet is made known. */
  async #settle(name: string, fence: Fence): Promise<void> {
    if (fence.lease.lost.aborted) return;
    try {
      await this.publish(name);
      const item = await this.#folder.item(name);
      if (item !== undefined) await this.#folder.setItem(name, { ...item, working: false });
      const { context, team } = this.#parts;
      if (prunes(fence.log)) await team.use(async (ledger) => await pruneLog(ledger, context.clock.now(), never));
    } catch (error) {
      const sentence = `The team's store does not have all of "${name}" yet: ${messageOf(error)}. The next command on it sees to that.`;
      logTo(this.#parts.context.report, "warn", sentence);
    }
  }

  /** What the team has of a machine that could be pushed; changes nothing. Throws as {@link push}. */
  async requirePushable(name: string): Promise<Pick<SyncItem, "revision" | "count"> | undefined> {
    const { context, team } = this.#parts;
    const { driverName } = await this.#files.load(name);
    if ((await context.reachOf(driverName)) === "here")
      throw new MachineError("driver-unsupported", `"${name}" lives on this computer (${driverName}): nobody else could use it`);
    const theirs = await team.use(async (ledger) => {
      const [entry] = (await ledger.read(this.#folder.keyOf(name), 0, never)).entries;
      const opened = entry === undefined ? undefined : await team.open(entry, ledger, never);
      return entry === undefined || opened === undefined ? undefined : { revision: entry.revision, count: opened.count };
    });
    if (theirs === undefined || (await this.#folder.item(name)) !== undefined) return theirs;
    throw new MachineError("machine-exists", `The team has another machine "${name}"`, {
      hint: `Give this one another name first: docker-machine rename ${name} NEW-NAME`,
    });
  }

  /**
   * Makes a machine of this computer the team's, or gives the team what is here where both have changed. Throws
   * `driver-unsupported` for one that nobody else could reach, `machine-exists` where the team has another of the name.
   */
  async push(name: string, request: LockRequest): Promise<void> {
    const theirs = await this.requirePushable(name);
    const before = await this.#folder.item(name);
    await this.#folder.setItem(name, { name, ...(theirs ?? { revision: 0, count: 0 }), digest: "", working: true });
    try {
      await using _lock = await this.lockMachine(name, request);
      await this.publish(name);
    } catch (error) {
      await this.#folder.setItem(name, before);
      throw error;
    }
  }

  /** What the team has of a machine comes here, whatever was changed here. Throws `machine-not-found` for what is not shared. */
  async pull(name: string, request: LockRequest): Promise<void> {
    await this.refresh();
    const item = await this.#folder.item(name);
    if (item === undefined) throw machineNotFound(name, await this.#files.list());
    await this.#folder.setItem(name, { ...item, revision: item.revision === 0 ? 0 : -1, working: true });
    await using _lock = await this.lockMachine(name, request);
  }

  async isLocked(name: string): Promise<boolean> {
    if (await this.#files.isLocked(name)) return true;
    await this.refresh();
    return this.#parts.news.mayBeLocked(this.#folder.keyOf(name));
  }

  async lockFleet(fleet: string, request: LockRequest): Promise<FileLock> {
    const { context, team, stores } = this.#parts;
    return await Unwinding.lock(async (stack) => {
      stack.use(await stores.machines.lockFleet(fleet, request));
      const { ledger } = stack.use(await team.keep());
      const what = { key: `fleet/${fleet.toLowerCase()}/`, what: `the fleet "${fleet}"` };
      const { lease } = await takeLock(context, ledger, what, request);
      stack.defer(async () => await lease.release());
      return {};
    });
  }

  /** Who makes certificates does it for the team: with the team's authority, or for it. */
  async lockCertificates(request: LockRequest): Promise<FileLock> {
    return await this.#parts.authority.lock(request);
  }

  async sweep(): Promise<void> {
    await this.#files.sweep();
  }

  #fenceOf(name: string): Fence | undefined {
    return this.#which === "machines" ? this.#parts.held.get(name.toLowerCase()) : undefined;
  }

  /** What others changed is here: once in a command, and not for longer than a reader waits. */
  async refresh(): Promise<void> {
    await this.#parts.news.look();
  }
}
