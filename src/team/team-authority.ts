/**
 * The certificate authority of a team: one for all its computers. Whose certificates it signs may use every engine, so that
 * each member has its key; client certificates are a person's own and stay where they are made. Where it takes the place of
 * another one, machines of this computer alone go on with that.
 */
import { isMachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import type { FileStore } from "../store/file-store.ts";
import { keptCertsDirOf } from "../store/kept-certs.ts";
import type { LockRequest } from "../store/store.ts";
import type { FileLock } from "../system/file-lock.ts";
import { swapAuthority, type NewAuthority, type Swapped } from "./authority-swap.ts";
import type { Entry, Ledger } from "./ledger.ts";
import { storeNameIn } from "./place.ts";
import { digestOf, readAuthority } from "./shared-content.ts";
import type { TeamContext } from "./team-context.ts";
import { authorityKey, itemKeyOf, type Fence, type TeamLedger } from "./team-ledger.ts";
import { takeLock } from "./team-lock.ts";
import { Unwinding } from "./unwinding.ts";

const never = new AbortController().signal;
const nobodyWaits: LockRequest = { purpose: "team's authority", waitMs: 0 };

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
      if (fence.found !== undefined) await this.#take(fence.found, ledger, request);
      stack.defer(async () => await this.#publish(ledger, fence));
      return {};
    });
  }

  /** The team's authority comes here. False where a command of this computer is in its way: then it is looked at again. */
  async take(entry: Entry, ledger: Ledger): Promise<boolean> {
    if (entry.revision === (await this.#context.state.item(authorityKey))?.revision) return true;
    try {
      await using _lock = await this.#store.lockCertificates(nobodyWaits);
      await this.#take(entry, ledger, nobodyWaits);
      return true;
    } catch (error) {
      if (isMachineError(error, "machine-busy")) return false;
      throw error;
    }
  }

  /** Under the lock of the certificates. @param request for the locks of machines */
  async #take(entry: Entry, ledger: Ledger, request: LockRequest): Promise<void> {
    const { state } = this.#context;
    const item = await state.item(authorityKey);
    if (entry.revision === item?.revision) return;
    const opened = await this.#team.open(entry, ledger, never);
    if (opened === undefined) return;
    const { files } = opened.shared;
    const [certificate, key] = [files["ca.pem"], files["ca-key.pem"]];
    if (certificate === undefined || key === undefined) return;
    this.#tell(await this.#swap({ certificate, key }, item === undefined ? "before" : "of", request));
    await state.setItem(authorityKey, { name: "", revision: entry.revision, count: opened.count, digest: digestOf(files) });
  }

  /** @param whose the one that is here now */
  async #swap(next: NewAuthority, whose: "before" | "of", lock: LockRequest): Promise<Swapped | undefined> {
    const { root, state, file } = this.#context;
    const keepIn = keptCertsDirOf(root, whose, storeNameIn(file.url));
    const stays = async (name: string): Promise<boolean> => (await state.item(itemKeyOf("machines", name))) === undefined;
    return await swapAuthority(this.#store, next, { keepIn, stays, lock });
  }

  #tell(swapped: Swapped | undefined): void {
    if (swapped === undefined) return;
    const { keptIn, machines } = swapped;
    const forWhom =
      machines.length === 0 ? "" : `, and ${machines.join(", ")} ${machines.length === 1 ? "goes" : "go"} on with it`;
    logTo(this.#context.report, "info", `The certificate authority that this store had until now is kept in ${keptIn}${forWhom}`);
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
