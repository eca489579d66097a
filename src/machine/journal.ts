/**
 * What a command on one machine has begun and not finished: a file beside config.json, one JSON line per intent, each
 * durable before the outside effect it announces. It is removed when the command has ended in a known state, so a
 * journal whose process is gone means: interrupted, and at which step.
 */
import * as path from "node:path";
import { appendLineDurably, readFileIfExists, removeFile } from "../system/files.ts";
import { identifyProcess, isSameProcess, type ProcessIdentity } from "../system/process-identity.ts";
import type { Clock } from "../system/clock.ts";

export type JournaledCommand = "create" | "rm" | "provision" | "regenerate-certs" | "upgrade";

/** Steps in the order they are taken; a driver's own `save()` notes nothing, its configuration is the note. */
export type JournalStep = "record" | "instance" | "ssh" | "provision" | "certificates" | "remove-instance" | "restore-host" | "remove-record";

export interface JournalEntry {
  readonly command: JournaledCommand;
  readonly step: JournalStep;
  readonly state: "begun" | "done";
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly createId: string;
  readonly process: ProcessIdentity;
}

export interface JournalReading {
  /** The command that was cut off; of several the first, which later ones only tried to finish. */
  readonly command: JournaledCommand;
  readonly createId: string;
  /** When its last line was written. */
  readonly at: Date;
  /** Still being worked on by a living process. */
  readonly active: boolean;
  readonly process: ProcessIdentity;
  /** The last step that was begun, and whether it was finished. */
  readonly lastStep: JournalStep;
  readonly lastStepDone: boolean;
  has(step: JournalStep, state: JournalEntry["state"]): boolean;
}

const fileName = "journal.ndjson";

export class Journal {
  readonly #file: string;
  readonly #command: JournaledCommand;
  readonly #createId: string;
  readonly #clock: Clock;
  readonly #process: ProcessIdentity;

  private constructor(file: string, command: JournaledCommand, createId: string, clock: Clock, self: ProcessIdentity) {
    this.#file = file;
    this.#command = command;
    this.#createId = createId;
    this.#clock = clock;
    this.#process = self;
  }

  /** A journal in the machine's folder. Nothing is written until the first step. */
  static async open(machineDir: string, command: JournaledCommand, createId: string, clock: Clock): Promise<Journal> {
    const self = (await identifyProcess(process.pid)) ?? { pid: process.pid };
    return new Journal(path.join(machineDir, fileName), command, createId, clock, self);
  }

  /** The file that holds the first line, for a folder that is made with it already inside. */
  begunWith(step: JournalStep): Readonly<Record<string, string>> {
    return { [fileName]: `${this.#line(step, "begun")}\n` };
  }

  /** Notes the intent, does the work, notes the result. A failure leaves the intent standing. */
  async step<T>(step: JournalStep, work: () => Promise<T>): Promise<T> {
    await this.#note(step, "begun");
    const result = await work();
    await this.#note(step, "done");
    return result;
  }

  /** The command has ended in a state that the record describes. */
  async close(): Promise<void> {
    await removeFile(this.#file);
  }

  async #note(step: JournalStep, state: JournalEntry["state"]): Promise<void> {
    await appendLineDurably(this.#file, this.#line(step, state));
  }

  #line(step: JournalStep, state: JournalEntry["state"]): string {
    const entry: JournalEntry = {
      command: this.#command,
      step,
      state,
      at: this.#clock.now().toISOString(),
      createId: this.#createId,
      process: this.#process,
    };
    return JSON.stringify(entry);
  }
}

/** The open journal of a machine, if it has one. A torn last line, from a crash in the middle of a write, is passed over. */
export async function readJournal(machineDir: string): Promise<JournalReading | undefined> {
  const text = (await readFileIfExists(path.join(machineDir, fileName)))?.toString("utf8");
  if (text === undefined) return undefined;
  const entries = text.split("\n").flatMap(parseEntry);
  const last = entries.at(-1);
  if (last === undefined) return undefined;
  return {
    command: entries.some((entry) => entry.command === "create") ? "create" : last.command,
    createId: last.createId,
    at: new Date(last.at),
    active: await isSameProcess(last.process),
    process: last.process,
    lastStep: last.step,
    lastStepDone: last.state === "done",
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
