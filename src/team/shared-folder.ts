/**
 * Machines' folders on this computer and what the team has of them: one is taken from the other. Whose is newer is told by
 * what both were when they were last the same.
 */
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { JsonSyntaxError } from "../gocompat/json.ts";
import type { FileStore } from "../store/file-store.ts";
import type { Condition, Entry, Ledger } from "./ledger.ts";
import {
  copyCertificates,
  digestOf,
  localFiles,
  readOwnCertificates,
  readShared,
  writeShared,
  type Files,
} from "./shared-content.ts";
import type { SyncItem } from "./sync-state.ts";
import type { TeamContext } from "./team-context.ts";
import { itemKeyOf, type Fence, type Shared, type SharedChange, type TeamLedger } from "./team-ledger.ts";

/** What became of a change of others here. */
export type Taken =
  /** It is here, or was. */
  | "done"
  /** A command of this computer is at work on the machine; it looks itself. */
  | "busy"
  /** A machine of this computer has the name. */
  | "clash"
  /** It was changed here as well, by a program that knows nothing of the team. */
  | "conflict";

/** What says that a machine's record cannot be read, for it to be compared. */
const unreadable = "unreadable";
/** What is lost where a program that takes them is killed, and what is in memory. */
const manyAtOnce = 1_000;
const nothingHeld: AsyncDisposable = { [Symbol.asyncDispose]: async () => {} };

export class SharedFolder {
  readonly #context: TeamContext;
  readonly #team: TeamLedger;
  readonly #store: FileStore;
  readonly #folder: "machines" | "removed";

  constructor(context: TeamContext, team: TeamLedger, store: FileStore, folder: "machines" | "removed") {
    this.#context = context;
    this.#team = team;
    this.#store = store;
    this.#folder = folder;
  }

  keyOf(name: string): string {
    return itemKeyOf(this.#folder, name);
  }

  async item(name: string): Promise<SyncItem | undefined> {
    return await this.#context.state.item(this.keyOf(name));
  }

  async setItem(name: string, item: SyncItem | undefined): Promise<void> {
    await this.#context.state.setItem(this.keyOf(name), item);
  }

  /** What the team has of a machine comes here. @param entry undefined where it has none @param held by who has its lock */
  async take(
    key: string,
    entry: Entry | undefined,
    { ledger, signal, held }: { readonly ledger: Ledger; readonly signal: AbortSignal; readonly held: boolean },
  ): Promise<Taken> {
    const item = await this.#context.state.item(key);
    if (entry?.value !== undefined && entry.revision === item?.revision) return "done";
    const opened = entry === undefined ? undefined : await this.#team.open(entry, ledger, signal);
    const name = opened?.shared.name ?? item?.name;
    // What is gone was never here, or it is only about to be there.
    if (name === undefined || (opened === undefined && item?.revision === 0)) return "done";
    const local = await this.#localDigest(item?.name ?? name);
    // Whoever was killed while it came here had it already.
    const isSame = opened !== undefined && local === digestOf(opened.shared.files);
    if (local !== undefined && item === undefined && !isSame) return "clash";
    if (local !== undefined && item?.working !== true && local !== item?.digest && !isSame) return "conflict";
    await using lock = local === undefined || held ? nothingHeld : await this.#tryLock(name);
    if (lock === undefined) return "busy";
    await this.#put(key, name, entry, opened, { item, isHere: local !== undefined });
    return "done";
  }

  /**
   * Of many things that others made, those that nothing here is in the way of come here, together. Gives the others.
   * @param entries of this folder
   */
  async takeNew(entries: readonly Entry[], ledger: Ledger, signal: AbortSignal): Promise<readonly Entry[]> {
    const { root, state } = this.#context;
    const here = new Set((await this.#store.folderNames()).map((name) => this.keyOf(name)));
    const certificates = await readOwnCertificates(this.#store.certsDir);
    const isNew = async ({ key, value }: Entry): Promise<boolean> =>
      value !== undefined && !here.has(key) && (await state.item(key)) === undefined;
    const left: Entry[] = [];
    for (let at = 0; at < entries.length; at += manyAtOnce) {
      const machines: { name: string; files: Files }[] = [];
      const items = new Map<string, SyncItem>();
      for (const entry of entries.slice(at, at + manyAtOnce)) {
        const opened = (await isNew(entry)) ? await this.#team.open(entry, ledger, signal) : undefined;
        if (opened === undefined || this.keyOf(opened.shared.name) !== entry.key) {
          left.push(entry);
          continue;
        }
        const { name, files } = opened.shared;
        const own = files["server.pem"] === undefined ? {} : certificates;
        machines.push({ name, files: { ...own, ...localFiles(files, root) } });
        items.set(entry.key, { name, revision: entry.revision, count: opened.count, digest: digestOf(files) });
      }
      await this.#store.adoptMany(machines);
      await state.setNewItems(items);
    }
    return left;
  }

  async #put(
    key: string,
    name: string,
    entry: Entry | undefined,
    opened: { readonly shared: Shared; readonly count: number } | undefined,
    { item, isHere }: { readonly item: SyncItem | undefined; readonly isHere: boolean },
  ): Promise<void> {
    const { root, state } = this.#context;
    if (entry === undefined || opened === undefined) {
      if (isHere) await this.#store.remove(name);
      await state.setItem(key, undefined);
      return;
    }
    const { files } = opened.shared;
    if (!isHere) await this.#store.adopt(name, localFiles(files, root));
    else if (item !== undefined && item.name !== name) await this.#store.rename(item.name, name);
    const dir = this.#store.machineDir(name);
    if (isHere) {
      // Files change one by one: who is killed between them has left what is older than the team's.
      if (item !== undefined && item.working !== true) await state.setItem(key, { ...item, working: true });
      await writeShared(dir, root, files);
    }
    if (files["server.pem"] !== undefined) await copyCertificates(this.#store.certsDir, dir);
    await state.setItem(key, { name, revision: entry.revision, count: opened.count, digest: digestOf(files) });
  }

  async #tryLock(name: string): Promise<AsyncDisposable | undefined> {
    try {
      return await this.#store.lockMachine(name, { purpose: "team's change", waitMs: 0 });
    } catch (error) {
      if (isMachineError(error, "machine-busy")) return undefined;
      throw error;
    }
  }

  async #localDigest(name: string): Promise<string | undefined> {
    try {
      const files = await this.#read(name);
      if (files !== undefined) return digestOf(files);
      return (await this.#store.has(name)) ? unreadable : undefined;
    } catch (error) {
      if (error instanceof JsonSyntaxError) return unreadable;
      throw error;
    }
  }

  async #read(name: string): Promise<Files | undefined> {
    return await readShared(this.#store.machineDir(name), this.#context.root);
  }

  /** What is shared of a machine as it stands here; undefined where there is none. */
  async sharedOf(name: string): Promise<Shared | undefined> {
    const files = await this.#read(name);
    const { by, clock } = this.#context;
    return files === undefined ? undefined : { name, files, by, at: clock.now().toISOString() };
  }

  /**
   * Makes what stands here the team's. Nothing where it is, and for what is not shared. Throws `store-conflict`, `lock-lost`,
   * `store-unreachable`.
   */
  async publish(name: string, fence: Fence | undefined, signal: AbortSignal): Promise<void> {
    const [item, shared] = await Promise.all([this.item(name), this.sharedOf(name)]);
    if (item === undefined || shared === undefined) return;
    const digest = digestOf(shared.files);
    if (item.revision > 0 && digest === item.digest) return;
    const key = this.keyOf(name);
    const count = item.count + 1;
    const at = await this.commit(
      name,
      item,
      (require) => ({ require: [require], put: [{ key, shared, count }], remove: [], fence }),
      signal,
    );
    await this.setItem(name, { ...item, name, revision: at, count, digest });
  }

  /** A change that hangs on a machine being as it was last known. Gives the revision. Throws as {@link publish} does. */
  async commit(name: string, item: SyncItem, change: (require: Condition) => SharedChange, signal: AbortSignal): Promise<number> {
    const key = this.keyOf(name);
    return await this.#team.use(async (ledger) => {
      for (let { revision } = item; ;) {
        const done = await this.#team.commit(change({ key, revision }), ledger, signal);
        if (typeof done === "number") return done;
        const found = done.find((entry) => entry.key === key);
        const opened = found === undefined ? undefined : await this.#team.open(found, ledger, signal);
        const isSame = opened !== undefined && item.revision > 0 && digestOf(opened.shared.files) === item.digest;
        // Sealed anew, because a member left.
        if (found === undefined || !isSame || found.revision === revision) throw conflict(name, opened?.shared);
        revision = found.revision;
      }
    });
  }
}

/** @param theirs what the team has; undefined where somebody removed it */
export function conflict(name: string, theirs: Shared | undefined): MachineError {
  const what =
    theirs === undefined
      ? `somebody else in the team removed "${name}"`
      : `${theirs.by} changed "${theirs.name}" in the team's store at ${theirs.at}`;
  return new MachineError("store-conflict", `"${name}" was changed on this computer, and ${what}`, {
    hint: `To have what the team has: docker-machine store pull ${name}. To give the team what is here: docker-machine store push ${name}`,
  });
}
