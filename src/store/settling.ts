/**
 * Looking again at a record beside a 0.16.2 that rewrites it: that removes config.json before it renames the new one into
 * its place, and writes a machine's first one where it will stand. What looks gone or cut off may be whole in a moment.
 */
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Clock } from "../system/clock.ts";
import { recordFileName } from "./paths.ts";

/** Far more than 0.16.2 needs between two of its system calls, on a computer that is short of everything. */
const settleMs = 500;
const pauseMs = 10;

/** The looks at one machine's record that belong to one question. */
export class Settling {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #deadline: number;
  #looks = 0;

  constructor(machineDir: string, clock: Clock) {
    this.#folder = machineDir;
    this.#clock = clock;
    this.#deadline = clock.monotonicMs() + settleMs;
  }

  /** Whether another look can bring something else, after a pause: once always, and then while the last change is fresh. */
  async isWorthAnotherLook(): Promise<boolean> {
    this.#looks += 1;
    if (this.#looks > 1 && !(this.#clock.monotonicMs() < this.#deadline && (await this.#isFresh()))) return false;
    await this.#clock.sleep(pauseMs);
    return true;
  }

  async #isFresh(): Promise<boolean> {
    const now = this.#clock.now().getTime();
    const ages = await Promise.all(
      [this.#folder, path.join(this.#folder, recordFileName)].map(async (file) => {
        const found = await fs.stat(file).catch(() => undefined);
        return found === undefined ? Number.POSITIVE_INFINITY : Math.abs(now - found.mtimeMs);
      }),
    );
    return ages.some((age) => age < settleMs);
  }
}

/** A whole record that 0.16.2 was killed with before it took its name; the newest of several. */
export async function findUnnamedRecord(machineDir: string): Promise<string | undefined> {
  const names = (await fs.readdir(machineDir).catch(() => [])).filter((name) => /^config\.json\.tmp\d+$/u.test(name));
  const dated = await Promise.all(
    names.map(async (name) => {
      const file = path.join(machineDir, name);
      const found = await fs.stat(file).catch(() => undefined);
      return found === undefined || found.size === 0 ? [] : [{ file, at: found.mtimeMs }];
    }),
  );
  return dated.flat().toSorted((a, b) => b.at - a.at)[0]?.file;
}
