/** What others changed in the team's store since this computer looked. */
import { isMachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import type { FileStore } from "../store/file-store.ts";
import { giveBackMemory } from "../system/used-memory.ts";
import { formatAge } from "../system/time-text.ts";
import { tombstoneDays, type Entry, type Ledger, type Revision } from "./ledger.ts";
import type { SharedFolder } from "./shared-folder.ts";
import type { TeamAuthority } from "./team-authority.ts";
import type { TeamContext } from "./team-context.ts";
import { authorityKey, headKey, lockPrefix, nowPrefix, sharedPrefix, type TeamLedger } from "./team-ledger.ts";

/** For so long nobody is asked after nobody answered. */
const awayMs = 30_000;
/** What is older is looked at again by a command that goes on, as `ls --watch` does each 5 s. */
const freshMs = 4_000;
/** Far from where tombstones end. */
const anewMs = (tombstoneDays - 1) * 86_400_000;
const clockErrorMs = 60_000;
/** So many changes are worth that a file system is flushed for them. */
const many = 50;
const never = new AbortController().signal;

export interface NewsParts {
  readonly context: TeamContext;
  readonly team: TeamLedger;
  readonly folders: Readonly<Record<"machines" | "removed", SharedFolder>>;
  readonly stores: Readonly<Record<"machines" | "removed", FileStore>>;
  readonly authority: TeamAuthority;
}

/** What came of a page of what is shared. */
interface TakenPage {
  readonly keys: readonly string[];
  /** What has to be taken one by one. */
  readonly left: readonly Entry[];
  /** Nothing of it could be taken now. */
  readonly isLater?: boolean | undefined;
}

export class News {
  readonly #parts: NewsParts;
  #looked: { readonly atMs: number; readonly end: Promise<void> } | undefined;
  #isAway = false;
  /** Keys of locks that others had then; undefined where that cannot be told. */
  #locked: ReadonlySet<string> | undefined;

  constructor(parts: NewsParts) {
    this.#parts = parts;
  }

  /**
   * What others changed is here, as it was seconds ago at most; not for longer than a reader waits. Looked for anew instead of
   * being told: that passes through poolers, outlives the database's restarts, and needs no history that may be compacted.
   */
  async look(): Promise<void> {
    const now = this.#parts.context.clock.monotonicMs();
    if (this.#looked === undefined || now - this.#looked.atMs >= freshMs) this.#looked = { atMs: now, end: this.#look() };
    await this.#looked.end;
  }

  /** Whether somebody had a lock at that look; where nobody answered, it may be. */
  mayBeLocked(key: string): boolean {
    return this.#locked?.has(`${lockPrefix}${key}`) ?? true;
  }

  async #look(): Promise<void> {
    const { context, team } = this.#parts;
    const { state, clock } = context;
    const away = await state.awayUntil();
    const leftMs = away === undefined ? 0 : away.getTime() - clock.now().getTime();
    // More than that is left where the clock was set back meanwhile.
    if (leftMs > 0 && leftMs <= awayMs) return await this.#sayAge("it did not answer a moment ago");
    try {
      await team.use(async (ledger) => await this.#takeChanges(ledger));
      if (away !== undefined) await state.setAway(undefined);
      this.#isAway = false;
    } catch (error) {
      if (!isMachineError(error, "store-unreachable") && !isMachineError(error, "store-refused")) throw error;
      await state.setAway(new Date(clock.now().getTime() + awayMs));
      await this.#sayAge(error.message);
    }
  }

  /** Once, however often it is looked. */
  async #sayAge(why: string): Promise<void> {
    if (this.#isAway) return;
    this.#isAway = true;
    const { state, clock, report } = this.#parts.context;
    const known = await state.head();
    const ageMs = clock.now().getTime() - new Date(known?.at ?? 0).getTime();
    const age = known === undefined ? "nothing of it is known here yet" : `what is shown is ${formatAge(ageMs)} old`;
    logTo(report, "warn", `The team's store is away, ${age} (${why})`);
  }

  async #takeChanges(ledger: Ledger): Promise<void> {
    const { state, clock } = this.#parts.context;
    const { entries: present } = await ledger.read(nowPrefix, 0, never);
    const head = present.find(({ key }) => key === headKey);
    this.#locked = new Set(present.map(({ key }) => key).filter((key) => key.startsWith(lockPrefix)));
    const known = await state.head();
    const now = clock.now();
    const ageMs = now.getTime() - new Date(known?.at ?? 0).getTime();
    // What was seen in the future is of a time that nobody knows.
    const since = known !== undefined && ageMs > -clockErrorMs && ageMs < anewMs ? known.revision : 0;
    if (since > 0 && (head?.revision ?? 0) <= since) {
      await state.setHead({ revision: since, at: now.toISOString() });
      return;
    }
    let isMuch = false;
    const take = async (page: readonly Entry[]): Promise<TakenPage> => {
      // The last page of many is short.
      isMuch ||= page.length >= many;
      const taken = await this.#takePage(page, isMuch, ledger);
      if (isMuch) giveBackMemory();
      return taken;
    };
    let [revision, pages]: [Revision, readonly TakenPage[]] = [since, []];
    if (since === 0) ({ revision, taken: pages } = await ledger.readPages(sharedPrefix, take, never));
    else {
      const changes = await ledger.read(sharedPrefix, since, never);
      [revision, pages] = [changes.revision, [await take(changes.entries)]];
    }
    let isAll = pages.every(({ isLater }) => isLater !== true);
    for (const { left } of pages) for (const entry of left) isAll = (await this.#takeEntry(entry, ledger)) && isAll;
    if (since === 0) await this.#dropUnknown(new Set(pages.flatMap(({ keys }) => keys)), ledger);
    // What could not be taken now is looked at again.
    await state.setHead({ revision: isAll ? revision : since, at: now.toISOString() });
  }

  async #takePage(entries: readonly Entry[], isMuch: boolean, ledger: Ledger): Promise<TakenPage> {
    // First what machines' folders have copies of; its key is before theirs.
    const authority = entries.find(({ key }) => key === authorityKey);
    const keys = entries.map(({ key }) => key);
    if (authority !== undefined && !(await this.#parts.authority.take(authority, ledger)))
      return { keys, left: [], isLater: true };
    return { keys, left: isMuch ? await this.#takeMany(entries, ledger) : entries };
  }

  /** Much that is new comes here together; gives what is left. */
  async #takeMany(entries: readonly Entry[], ledger: Ledger): Promise<readonly Entry[]> {
    let left = entries;
    for (const which of ["machines", "removed"] as const) {
      const isOurs = ({ key }: Entry): boolean => key.startsWith(`${sharedPrefix}${which}/`);
      const others = await this.#parts.folders[which].takeNew(left.filter(isOurs), ledger, never);
      left = [...left.filter((entry) => !isOurs(entry)), ...others];
    }
    return left;
  }

  /** False where it has to be looked at again. */
  async #takeEntry(entry: Entry, ledger: Ledger): Promise<boolean> {
    const which = /^s\/(machines|removed)\//u.exec(entry.key)?.[1] as "machines" | "removed" | undefined;
    if (which === undefined) return true;
    const taken = await this.#parts.folders[which].take(entry.key, entry, { ledger, signal: never, held: false });
    const name = entry.key.split("/")[2] ?? "";
    if (taken === "clash" || taken === "conflict") {
      const what = taken === "clash" ? "a machine of this computer has that name" : "it was changed here as well";
      logTo(this.#parts.context.report, "warn", `"${name}" of the team is not shown as the team has it: ${what}`);
    }
    return taken !== "busy";
  }

  /** After everything was read: what was shared and is not there any more was removed long ago. */
  async #dropUnknown(keys: ReadonlySet<string>, ledger: Ledger): Promise<void> {
    for (const which of ["machines", "removed"] as const) {
      const folder = this.#parts.folders[which];
      for (const name of await this.#parts.stores[which].list()) {
        const key = folder.keyOf(name);
        if (!keys.has(key)) await folder.take(key, undefined, { ledger, signal: never, held: false });
      }
    }
  }
}
