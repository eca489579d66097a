/**
 * What a command on one machine has begun and not finished: a file beside config.json, one JSON line per intent, each
 * durable before the outside effect it announces. It is removed when the command has ended in a known state, so a
 * journal whose process is gone means: interrupted, and at which step.
 */
import * as path from "node:path";
import { isMachineError } from "../../errors/machine-error.ts";
import { appendLineDurably, readRegularFileIfExists, removeFile, syncDirectory } from "../../system/files.ts";
import { identifyThisProcess, isElsewhere, isSameProcess, type ProcessIdentity } from "../../system/process-identity.ts";
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import type { Clock } from "../../system/clock.ts";

export type JournaledCommand = "create" | "rm" | "provision" | "regenerate-certs" | "upgrade";

/** A driver's own `save()` notes nothing: its configuration is the note. */
export type JournalStep =
  | "record"
  | "instance"
  | "ssh"
  | "provision"
  | "certificates"
  | "roll-back"
  | "restore-host"
  | "remove-instance";

export interface JournalEntry {
  readonly command: JournaledCommand;
  readonly step: JournalStep;
  /** `failed` is for the reader only: a failure that could not be noted stands as begun. */
  readonly state: "begun" | "done" | "failed";
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly createId: string;
  readonly process: ProcessIdentity;
  /** Whose command it is, for others to read: `alice@laptop`. */
  readonly by?: string | undefined;
  /** In the first line of a create: {@link AskedOptions}. */
  readonly asked?: AskedOptions | undefined;
}

/** What the driver of a new machine was asked for: its create flags by name, without secrets. */
export type AskedOptions = Readonly<Record<string, FlagValue>>;

export interface JournalReading {
  /** The command that was cut off; of several the first, which later ones only tried to finish. */
  readonly command: JournaledCommand;
  readonly createId: string;
  /** When its last line was written. */
  readonly at: Date;
  /** Being worked on by a living process of this computer. */
  readonly active: boolean;
  /** Whose command it is, where it was begun on another computer: whether it goes on there, only the machine's lock tells. */
  readonly elsewhere?: string | undefined;
  readonly process: ProcessIdentity;
  /** The last step that was begun, and whether it was finished. */
  readonly lastStep: JournalStep;
  readonly lastState: JournalEntry["state"];
  /** Of a create; undefined where that was not noted. */
  readonly asked?: AskedOptions | undefined;
  has(step: JournalStep, state: JournalEntry["state"]): boolean;
}

const fileName = "journal.ndjson";

export interface JournalOptions {
  readonly machineDir: string;
  readonly command: JournaledCommand;
  /** See DriverContext.createId. */
  readonly createId: string;
  readonly clock: Clock;
  /** Who gives the command: `alice@laptop`. */
  readonly by: string;
  /** Makes a line known to whoever shares the store, before the effect that it announces. */
  readonly publish: () => Promise<void>;
  /** What to do when there is no space for a line: `rm` goes on without it, because it is how space is made. */
  readonly whenFull?: "fail" | "go-on" | undefined;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #file: string;
  readonly #process: ProcessIdentity;
  #isFirst = true;

  private constructor(options: JournalOptions, self: ProcessIdentity) {
    this.#options = options;
    this.#file = path.join(options.machineDir, fileName);
    this.#process = self;
  }

  /** A journal in the machine's folder. Nothing is written until the first step. */
  static async open(options: JournalOptions): Promise<Journal> {
    return new Journal(options, await identifyThisProcess());
  }

  /** The file that holds the first line, for a folder that is made with it already inside. */
  begunWith(step: JournalStep, asked: AskedOptions): Readonly<Record<string, string>> {
    return { [fileName]: `${this.#line(step, "begun", asked)}\n` };
  }

  /** Notes the intent, does the work, notes the result. A failure leaves the intent standing. */
  async step<T>(step: JournalStep, work: () => Promise<T>): Promise<T> {
    await this.#note(step, "begun");
    const result = await this.#attempt(step, work);
    await this.#note(step, "done");
    return result;
  }

  async #attempt<T>(step: JournalStep, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      await this.#note(step, "failed").catch(() => {});
      throw error;
    }
  }

  /** The command has ended in a state that the record describes. */
  async close(): Promise<void> {
    await removeFile(this.#file);
  }

  async #note(step: JournalStep, state: JournalEntry["state"]): Promise<void> {
    try {
      // Behind a line that a crash or a full disk tore apart, this one still stands alone.
      await appendLineDurably(this.#file, `\n${this.#line(step, state)}`);
      if (this.#isFirst) await syncDirectory(this.#options.machineDir);
      this.#isFirst = false;
    } catch (error) {
      if (this.#options.whenFull !== "go-on" || !isMachineError(error, "disk-full")) throw error;
    }
    await this.#options.publish();
  }

  #line(step: JournalStep, state: JournalEntry["state"], asked?: AskedOptions): string {
    const { command, clock, createId, by } = this.#options;
    const at = clock.now().toISOString();
    const entry: JournalEntry = { command, step, state, at, createId, process: this.#process, by, asked };
    return JSON.stringify(entry);
  }
}

/** The open journal of a machine, if it has one. A torn last line, from a crash in the middle of a write, is passed over. */
export async function readJournal(machineDir: string): Promise<JournalReading | undefined> {
  const text = (await readRegularFileIfExists(path.join(machineDir, fileName)))?.toString("utf8");
  if (text === undefined) return undefined;
  const entries = text.split("\n").flatMap(parseEntry);
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  return {
    command: entries.some((entry) => entry.command === "create") ? "create" : last.command,
    createId: last.createId,
    at: new Date(last.at),
    active: last.state !== "failed" && (await isSameProcess(last.process)),
    elsewhere: (await isElsewhere(last.process)) ? (last.by ?? "another computer") : undefined,
    process: last.process,
    lastStep: last.step,
    lastState: last.state,
    asked: entries.findLast((entry) => entry.asked !== undefined)?.asked,
    has: (step, state) => entries.some((entry) => entry.step === step && entry.state === state),
  };
}

function parseEntry(line: string): JournalEntry[] {
  try {
    const entry = JSON.parse(line) as Partial<JournalEntry>;
    return entry.command !== undefined && entry.step !== undefined && entry.process !== undefined ? [entry as JournalEntry] : [];
  } catch {
    return [];
  }
}
