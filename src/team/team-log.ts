/**
 * Who changed what in a team's store, and when: one entry a command, written with the change itself and again with each further
 * one, so that it says how far the command came wherever that ended. All may read it; members' entries are signed with the
 * team's key and bound to their place. What is old goes.
 */
import type { Change, Entry, Ledger, Put } from "./ledger.ts";
import type { Files } from "./shared-content.ts";
import { signed } from "./sealing.ts";
import { holderOf, keyFor, type Keys } from "./roster.ts";
import type { TeamContext } from "./team-context.ts";

export const logPrefix = "log/";
/** So much is kept, whichever is less. */
export const logDays = 90;
export const mostLogEntries = 5_000;
/** One command in so many looks for what is old. */
const pruneEvery = 256;
/** etcd takes 128 operations at once. */
const removedAtOnce = 100;

/** A command that has, or had, a lock. */
export interface LoggedCommand {
  readonly key: string;
  /** When it began. */
  readonly at: string;
  /** `create web` */
  readonly command: string;
  /** Whose lock it has; "" for what concerns no machine. */
  readonly machine: string;
}

export interface LogEntry {
  /** ISO 8601. */
  readonly at: string;
  /** The member's name, and the person and computer as that says: `alice@laptop`. */
  readonly member: string;
  readonly by: string;
  readonly command: string;
  readonly machine: string;
  /** `unfinished`: it is at work, or was cut off or failed at the step. */
  readonly outcome: "done" | "removed" | "unfinished";
  readonly step?: string | undefined;
}

/** `unknown`: the key of that time is none of this member's. */
export type ReadLogEntry = LogEntry & { readonly signature: "good" | "bad" | "unknown" };

export function loggedCommand(now: Date, command: string, machine: string): LoggedCommand {
  const at = now.toISOString();
  return { key: `${logPrefix}${at}-${crypto.randomUUID().slice(0, 8)}/`, at, command, machine };
}

/** What is written beside a change. @param files of the machine after it; undefined where it is gone */
export function logPut(
  { file, by }: Pick<TeamContext, "file" | "by">,
  { key, at, command, machine }: LoggedCommand,
  files: Files | undefined,
  { number, current }: Pick<Keys, "number" | "current">,
): Put {
  const step = files === undefined ? undefined : openStep(files["journal.ndjson"]);
  const outcome = files === undefined ? "removed" : step === undefined ? "done" : "unfinished";
  const entry: LogEntry = { at, member: file.member, by, command, machine, outcome, step };
  const text = JSON.stringify(entry);
  return { key, value: JSON.stringify({ text, key: number, signature: signed(placed(file.team, key, text), current) }) };
}

function placed(team: string, key: string, text: string): string {
  return JSON.stringify([team, key, text]);
}

/** The last one that a journal tells; undefined without a journal. */
function openStep(journal: string | undefined): string | undefined {
  const steps = [...(journal ?? "").matchAll(/"step":"([a-z-]+)"/gu)].map((match) => match[1]);
  return journal === undefined ? undefined : (steps.at(-1) ?? "begin");
}

/** Oldest first. What is no entry is left out. */
export async function readLog(context: TeamContext, signal: AbortSignal): Promise<readonly ReadLogEntry[]> {
  await using ledger = await context.openLedger();
  const { entries } = await ledger.read(logPrefix, 0, signal);
  const found: ReadLogEntry[] = [];
  const keys = new Map<number, Buffer | undefined>();
  const keyOf = async (number: number): Promise<Buffer | undefined> => {
    if (!keys.has(number)) keys.set(number, await keyFor(holderOf(context, ledger), number, signal).catch(() => undefined));
    signal.throwIfAborted();
    return keys.get(number);
  };
  for (const { key, value } of entries.toSorted(byTime)) {
    const read = value === undefined ? undefined : await readEntry(context.file.team, key, value, keyOf);
    if (read !== undefined) found.push(read);
  }
  return found;
}

/** Of the same millisecond the one that was changed first. */
function byTime(left: Entry, right: Entry): number {
  const [one, other] = [left, right].map(({ key }) => key.slice(0, -10)) as [string, string];
  return one === other ? left.revision - right.revision : one < other ? -1 : 1;
}

async function readEntry(
  team: string,
  key: string,
  value: string,
  keyOf: (number: number) => Promise<Buffer | undefined>,
): Promise<ReadLogEntry | undefined> {
  try {
    const { text, key: number, signature } = JSON.parse(value) as { text: string; key: number; signature: string };
    const entry = JSON.parse(text) as LogEntry;
    const texts = [entry.at, entry.member, entry.by, entry.command, entry.machine];
    if (!texts.every((each) => typeof each === "string")) return undefined;
    const dataKey = await keyOf(number);
    const isGood = dataKey !== undefined && signed(placed(team, key, text), dataKey) === signature;
    return { ...entry, signature: dataKey === undefined ? "unknown" : isGood ? "good" : "bad" };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Whether a command's end is one that takes away what is old. */
export function prunes({ key }: LoggedCommand): boolean {
  return Number.parseInt(key.slice(-9, -1), 16) % pruneEvery === 0;
}

/** Takes away what is older than {@link logDays}, and the oldest of more than {@link mostLogEntries}. Gives how many. */
export async function pruneLog(ledger: Ledger, now: Date, signal: AbortSignal): Promise<number> {
  const keys = (await ledger.read(logPrefix, 0, signal)).entries.map(({ key }) => key).toSorted();
  const oldest = logPrefix + new Date(now.getTime() - logDays * 86_400_000).toISOString();
  const old = keys.filter((key, index) => key < oldest || index < keys.length - mostLogEntries);
  for (let at = 0; at < old.length; at += removedAtOnce) {
    const change: Change = { token: crypto.randomUUID(), require: [], put: [], remove: old.slice(at, at + removedAtOnce) };
    await ledger.commit(change, signal);
  }
  return old.length;
}
