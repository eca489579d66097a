/**
 * The certificate authority of a team: one for all its computers. Whose certificates it signs may use every engine, so that
 * each member has its key; client certificates are a person's own and stay where they are made.
 */
import { messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import type { FileStore } from "../store/file-store.ts";
import type { LockRequest } from "../store/store.ts";
import type { FileLock } from "../system/file-lock.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { digestOf, readAuthority, writeAuthority } from "./shared-content.ts";
import type { TeamContext } from "./team-context.ts";
import { authorityKey, type Fence, type TeamLedger } from "./team-ledger.ts";
import { takeLock } from "./team-lock.ts";
import { Unwinding } from "./unwinding.ts";

const never = new AbortController().signal;

export class TeamAuthority {
  readonly #context: TeamContext;
  readonly #team: TeamLedger;
  readonly #store: FileStore;

  constructor(context: TeamContext, team: TeamLedger, store: FileStore) {
    this.#context = context;
    this.#team = team;
    this.#store = store;
  }

  /** With it the team's authority is here, and what is made of it under it is the team's afterwards. */
  async lock(request: LockRequest): Promise<FileLock> {
    return await Unwinding.lock(async (stack) => {
      stack.use(await this.#store.lockCertificates(request));
      const { ledger } = stack.use(await this.#team.keep());
      const what = { key: authorityKey, what: "the certificates of the team" };
      const fence = await takeLock(this.#context, ledger, what, request);
      stack.defer(async () => await fence.lease.release());
      if (fence.found !== undefined) await this.take(fence.found, ledger);
      stack.defer(async () => await this.#publish(ledger, fence));
      return {};
    });
  }

  /** The team's authority comes here. */
  async take(entry: Entry, ledger: Ledger): Promise<void> {
    const [context, team] = [this.#context, this.#team];
    const item = await context.state.item(authorityKey);
    if (entry.revision === item?.revision) return;
    const opened = await team.open(entry, ledger, never);
    if (opened === undefined) return;
    const { files } = opened.shared;
    await writeAuthority(this.#store.certsDir, files);
    await context.state.setItem(authorityKey, {
      name: "",
      revision: entry.revision,
      count: opened.count,
      digest: digestOf(files),
    });
  }

  /** Never throws: certificates that were made are good, and are made known with the next ones. */
  async #publish(ledger: Ledger, fence: Fence): Promise<void> {
    const { state, by, clock, report } = this.#context;
    try {
      const [files, item] = await Promise.all([readAuthority(this.#store.certsDir), state.item(authorityKey)]);
      const digest = files === undefined ? undefined : digestOf(files);
      if (files === undefined || digest === undefined || digest === item?.digest) return;
      const count = (item?.count ?? 0) + 1;
      const shared = { name: "", files, by, at: clock.now().toISOString() };
      const require = [{ key: authorityKey, revision: item?.revision ?? 0 }];
      const done = await this.#team.commit(
        { require, put: [{ key: authorityKey, shared, count }], remove: [], fence },
        ledger,
        never,
      );
      if (typeof done === "number") await state.setItem(authorityKey, { name: "", revision: done, count, digest });
    } catch (error) {
      logTo(report, "warn", `The team's store does not have the certificate authority of this store: ${messageOf(error)}`);
    }
  }
}
