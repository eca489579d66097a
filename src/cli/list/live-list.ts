/**
 * `ls` on a terminal: every machine has its row at once, and each is filled in when the machine answers. What is silent
 * keeps nobody waiting for the others. At the end the whole table stands there.
 */
import type { Clock } from "../../system/clock.ts";
import type { LiveLines } from "../cli-context.ts";
import type { ListKeys } from "./list-keys.ts";
import { peopleTable, type PeopleRow } from "./people-table.ts";
import type { ListRow } from "./list-rows.ts";

/** Answers that come within this are shown at once, with nothing drawn before. */
const quietMs = 80;
/** Of more machines than this, some are late, and to ask them all keeps this computer busy for longer than that. */
const mostQuiet = 8;
const redrawMs = 80;
/** For so long it is not said who is waited for. */
const patienceMs = 2_000;
const mostNamed = 5;

export interface Expected {
  readonly name: string;
  readonly driverName: string;
}

export class LiveList {
  readonly #view: LiveLines;
  readonly #clock: Clock;
  readonly #keys: ListKeys | undefined;
  /** In the order in which they are shown. */
  #rows = new Map<string, PeopleRow>();
  #startedMs = 0;
  #isAsking = false;
  #isDrawn = false;

  /** @param keys where the table can be filtered by typing */
  constructor(view: LiveLines, clock: Clock, keys?: ListKeys) {
    this.#view = view;
    this.#clock = clock;
    this.#keys = keys;
  }

  /**
   * Shows who is expected while `ask` goes on, which tells each machine that passes or not. Known rows of an earlier round
   * stay until their machines have answered again. Gives what `ask` gives.
   */
  async during<T>(expected: readonly Expected[], ask: () => Promise<T>): Promise<T> {
    this.#rows = new Map(expected.map((each) => [each.name, this.#rows.get(each.name) ?? unheard(each)]));
    this.#startedMs = this.#clock.monotonicMs();
    this.#isAsking = true;
    if (!this.#isDrawn && expected.length > mostQuiet) this.draw();
    const over = new AbortController();
    const drawing = this.#drawUntil(over.signal);
    try {
      return await ask();
    } finally {
      this.#isAsking = false;
      over.abort();
      await drawing;
    }
  }

  heard(row: ListRow): void {
    const { before: _, ...before } = this.#rows.get(row.name) ?? unheard(row);
    this.#rows.set(row.name, { ...peopleRow(row), before });
  }

  /** A machine that was expected and does not pass, or is gone. */
  drop(name: string): void {
    this.#rows.delete(name);
  }

  /** Draws what is known, to be drawn over. */
  draw(): void {
    this.#isDrawn = true;
    this.#view.draw([...this.#head(), ...this.#table([...this.#rows.values()]), ...this.#waiting()]);
  }

  /** Takes away what is drawn, until it is drawn again. */
  hide(): void {
    if (this.#isDrawn) this.#view.draw([]);
    this.#isDrawn = false;
  }

  /** Takes away what is drawn and gives the whole table. */
  finish(): readonly string[] {
    this.hide();
    const known = [...this.#rows.values()].filter(({ state }) => state !== undefined);
    return this.#table(known.map((row) => ({ ...row, before: undefined })));
  }

  async #drawUntil(over: AbortSignal): Promise<void> {
    const pause = async (ms: number): Promise<void> => await this.#clock.sleep(ms, over).catch(() => {});
    await pause(this.#isDrawn ? redrawMs : quietMs);
    while (!over.aborted) {
      this.draw();
      await pause(redrawMs);
    }
  }

  /** Above the rows, because what does not fit on the terminal is cut off below. */
  #head(): string[] {
    return this.#keys === undefined ? [] : [this.#keys.line];
  }

  #table(rows: readonly PeopleRow[]): string[] {
    const passing = rows.filter((row) => this.#keys?.passes(row) ?? true);
    if (this.#keys !== undefined && passing.length === 0)
      return [rows.length === 0 ? "No machines" : `None of ${rows.length} has it`];
    return peopleTable(passing, this.#view);
  }

  #waiting(): string[] {
    const forMs = this.#clock.monotonicMs() - this.#startedMs;
    const names = [...this.#rows.values()].filter(({ state }) => state === undefined).map(({ name }) => name);
    if (!this.#isAsking || names.length === 0 || forMs < patienceMs) return [];
    const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : "";
    return [`Waiting for ${names.slice(0, mostNamed).join(", ")}${more} (${Math.floor(forMs / 1_000)} s)`];
  }
}

function unheard({ name, driverName }: Expected): PeopleRow {
  return { name, driverName, active: "", state: undefined, url: "", swarm: "", engineVersion: "", problem: "" };
}

export function peopleRow(row: ListRow): PeopleRow {
  const { name, driverName, active, state, url, swarm, engineVersion, error, reason = "" } = row;
  return {
    name,
    driverName,
    active,
    state,
    url,
    swarm,
    engineVersion: engineVersion === "Unknown" ? "" : engineVersion,
    problem: error === "" ? reason : error,
  };
}
