/**
 * What this computer knows of the team's store, beside what stands in the folder itself: `.sync/`, where no other program
 * looks. All of it can be had anew by joining again.
 */
import * as path from "node:path";
import { makePrivateDirectory, readRegularFileIfExists, removeFile, writeFileAtomic } from "../system/files.ts";
import type { Revision } from "./ledger.ts";

/** How a shared thing was when it was last the same here and there. */
export interface SyncItem {
  /** The machine's name as it is spelled; empty for the certificate authority. */
  readonly name: string;
  /** 0: begun here, and not there yet. */
  readonly revision: Revision;
  /** See {@link Sealed}. */
  readonly count: number;
  /** Of what is shared of it. */
  readonly digest: string;
  /**
   * A command of this computer is at work on it: where it was killed, what it left is newer than what is there for as long as
   * nobody else has gone on with it, and older afterwards.
   */
  readonly working?: boolean | undefined;
}

export interface SyncHead {
  /** Up to which all changes are here. */
  readonly revision: Revision;
  /** ISO 8601: when that was so. */
  readonly at: string;
}

/** Keys of the team by number, base64; the roster that they were told in. */
export interface KnownKeys {
  readonly current: number;
  readonly rosterRevision: Revision;
  readonly keys: Readonly<Record<string, string>>;
}

export class SyncState {
  readonly folder: string;

  constructor(root: string) {
    this.folder = path.join(root, ".sync");
  }

  async head(): Promise<SyncHead | undefined> {
    return await this.#read<SyncHead>("head.json");
  }

  async setHead(head: SyncHead): Promise<void> {
    await this.#write("head.json", head);
  }

  async item(key: string): Promise<SyncItem | undefined> {
    return await this.#read<SyncItem>(itemFile(key));
  }

  async setItem(key: string, item: SyncItem | undefined): Promise<void> {
    if (item === undefined) await removeFile(path.join(this.folder, itemFile(key)));
    else await this.#write(itemFile(key), item);
  }

  /** Of many things that are new. A crash of the computer may take this, not what they are. */
  async setNewItems(items: ReadonlyMap<string, SyncItem>): Promise<void> {
    const { eachAtOnce, writeUnflushed } = await import("../system/many-files.ts");
    await makePrivateDirectory(path.join(this.folder, "items"));
    await eachAtOnce([...items], async ([key, item]) => {
      const file = path.join(this.folder, itemFile(key));
      await removeFile(file);
      await writeUnflushed(file, `${JSON.stringify(item)}\n`, 0o600);
    });
  }

  async keys(): Promise<KnownKeys | undefined> {
    return await this.#read<KnownKeys>("keys.json");
  }

  async setKeys(keys: KnownKeys): Promise<void> {
    await this.#write("keys.json", keys);
  }

  /** Until when nobody is asked, because nobody answered. */
  async awayUntil(): Promise<Date | undefined> {
    const found = await this.#read<{ readonly until: string }>("away.json");
    return found === undefined ? undefined : new Date(found.until);
  }

  async setAway(until: Date | undefined): Promise<void> {
    if (until === undefined) await removeFile(path.join(this.folder, "away.json"));
    else await this.#write("away.json", { until: until.toISOString() });
  }

  /** What cannot be read was never known. */
  async #read<T>(file: string): Promise<T | undefined> {
    const text = (await readRegularFileIfExists(path.join(this.folder, file)))?.toString("utf8");
    try {
      return text === undefined ? undefined : (JSON.parse(text) as T);
    } catch {
      return undefined;
    }
  }

  async #write(file: string, value: object): Promise<void> {
    const whole = path.join(this.folder, file);
    await makePrivateDirectory(path.dirname(whole));
    await writeFileAtomic(whole, `${JSON.stringify(value)}\n`, 0o600);
  }
}

/** Keys are of names in lower case and slashes. */
function itemFile(key: string): string {
  return path.join("items", `${encodeURIComponent(key.replace(/\/$/u, ""))}.json`);
}
