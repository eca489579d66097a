/**
 * The ledger of one team, with what is kept in it sealed and opened. Open for as long as somebody uses it: an idle connection
 * would keep the program from its end.
 */
import { MachineError } from "../errors/machine-error.ts";
import { lockLost } from "./kept-lease.ts";
import type { Condition, Entry, Ledger, Lease, Put, Revision } from "./ledger.ts";
import { currentKeys, holderOf, keyFor, rosterKey, type KeyHolder, type Keys } from "./roster.ts";
import { seal, sealOf, unseal } from "./sealing.ts";
import type { Files } from "./shared-content.ts";
import type { TeamContext } from "./team-context.ts";
import { logPut, type LoggedCommand } from "./team-log.ts";

/** Keys of what is shared begin so: machines, removed ones, the certificate authority. */
export const sharedPrefix = "s/";
export const authorityKey = "s/ca/";
/** Keys of what is so at this moment begin so, all of which one small answer tells. */
export const nowPrefix = "now/";
/** Touched by each change of what is shared: it says whether there is anything new. */
export const headKey = `${nowPrefix}head/`;
export const lockPrefix = `${nowPrefix}lock/`;

/** A machine, or a removed one. Without case, as locks are: names that differ in that alone are one name somewhere. */
export function itemKeyOf(folder: "machines" | "removed", name: string): string {
  return `${sharedPrefix}${folder}/${name.toLowerCase()}/`;
}

/** What is shared of one thing. */
export interface Shared {
  readonly name: string;
  readonly files: Files;
  /** Who made it so, and when: ISO 8601. */
  readonly by: string;
  readonly at: string;
}

/** A lock that is held: nothing is changed once it is another's. */
export interface Fence {
  readonly key: string;
  readonly revision: Revision;
  readonly lease: Lease;
  /** What is told of whoever changes something under it. */
  readonly log: LoggedCommand;
}

export interface SharedChange {
  readonly require: readonly Condition[];
  readonly put: readonly { readonly key: string; readonly shared: Shared; readonly count: number }[];
  readonly remove: readonly string[];
  readonly fence?: Fence | undefined;
}

/** How often a change is sealed anew because the team's key changed meanwhile. */
const mostKeys = 5;

export class TeamLedger {
  readonly #context: TeamContext;
  #open: Promise<Ledger> | undefined;
  #users = 0;

  constructor(context: TeamContext) {
    this.#context = context;
  }

  /** The ledger is open until the work has ended. */
  async use<T>(work: (ledger: Ledger) => Promise<T>): Promise<T> {
    await using kept = await this.keep();
    return await work(kept.ledger);
  }

  /** The ledger is open until it is given back. */
  async keep(): Promise<AsyncDisposable & { readonly ledger: Ledger }> {
    this.#users += 1;
    const opening = (this.#open ??= this.#context.openLedger());
    let isKept = true;
    const giveBack = async (): Promise<void> => {
      if (!isKept) return;
      isKept = false;
      this.#users -= 1;
      if (this.#users > 0) return;
      this.#open = undefined;
      await (await opening)[Symbol.asyncDispose]();
    };
    return { ledger: await opening, [Symbol.asyncDispose]: giveBack };
  }

  /** Undefined for a tombstone. Throws `team-key-missing`, `store-refused` for a value that no member sealed for this key. */
  async open({ key, value }: Entry, ledger: Ledger, signal: AbortSignal): Promise<{ shared: Shared; count: number } | undefined> {
    if (value === undefined) return undefined;
    const found = sealOf(value);
    const text =
      found === undefined
        ? undefined
        : unseal(value, this.#place(key), await keyFor(holderOf(this.#context, ledger), found.key, signal));
    if (found !== undefined && text !== undefined) return { shared: JSON.parse(text) as Shared, count: found.count };
    throw new MachineError("store-refused", `What the team's store has at ${key} was not put there by a member`, {
      hint: "It is left alone. Somebody changed the database; see docs/team.md.",
    });
  }

  /** Gives the revision, or what stood in its way. Throws `lock-lost` where that is the fence. */
  async commit(change: SharedChange, ledger: Ledger, signal: AbortSignal): Promise<Revision | readonly Entry[]> {
    const holder = holderOf(this.#context, ledger);
    const { fence } = change;
    const fences = fence === undefined ? [] : [{ key: fence.key, revision: fence.revision }];
    const ended = fence === undefined ? signal : AbortSignal.any([signal, fence.lease.lost]);
    let keys = await this.#knownKeys(holder, ended);
    const look = [headKey];
    for (let tries = 1; ; tries += 1) {
      const log = fence === undefined ? [] : [logPut(this.#context, fence.log, change.put[0]?.shared.files, keys)];
      const put = [...change.put.map((each) => this.#sealed(each, keys)), ...log, { key: headKey, value: "1" }];
      const require = [...fences, { key: rosterKey, revision: keys.revision }, ...change.require];
      const commit = await ledger.commit({ token: crypto.randomUUID(), require, put, remove: change.remove, look }, ended);
      if ("revision" in commit) {
        await this.#noteOwn(commit.found[0]?.revision ?? 0, commit.revision);
        return commit.revision;
      }
      if (commit.conflicts.some(({ key }) => key === fence?.key)) throw lockLost();
      const others = commit.conflicts.filter(({ key }) => key !== rosterKey);
      if (others.length > 0 || tries === mostKeys) return others;
      // Somebody joined or left: what is written from now on is for who is a member now.
      keys = await currentKeys(holder, ended);
    }
  }

  /** Where nobody else changed anything since this computer looked, its own change is all that is new. */
  async #noteOwn(before: Revision, revision: Revision): Promise<void> {
    const { state } = this.#context;
    const known = await state.head();
    if (known !== undefined && before > 0 && before <= known.revision) await state.setHead({ ...known, revision });
  }

  /** As they were told last, without a question: a change that is not for them is refused. */
  async #knownKeys(holder: KeyHolder, signal: AbortSignal): Promise<Keys> {
    const known = await holder.state.keys();
    const current = known?.keys[known.current];
    if (known === undefined || current === undefined) return await currentKeys(holder, signal);
    return { revision: known.rosterRevision, current: Buffer.from(current, "base64"), number: known.current };
  }

  #sealed({ key, shared, count }: SharedChange["put"][number], { number, current }: Keys): Put {
    return { key, value: seal(JSON.stringify(shared), this.#place(key), { key: number, count }, current) };
  }

  #place(key: string): string {
    return `${this.#context.file.team}/${key}`;
  }
}
