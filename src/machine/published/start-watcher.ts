/**
 * Starts the watcher of a machine: this program once more, on its own, with a command of its own. What comes of that is
 * told by the note that it keeps; a command never waits for it and never fails because of it.
 */
import { once } from "node:events";
import * as path from "node:path";
import { messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { openLog } from "../../system/disk-files.ts";
import { lastingEnvironment } from "../../system/lasting-environment.ts";
import { SystemProcessTable } from "../../system/process-table.ts";
import { poll } from "../../system/waiting.ts";
import { isOverSsh } from "../host/engine-transport.ts";
import type { Host } from "../host/host.ts";
import type { MachineContext } from "../machine-context.ts";
import { isThere, readNote, removeNote, watcherLog, writeNote, type WatcherNote } from "./watcher-note.ts";

/** For so long one that was started and said nothing yet is believed to come up. */
const comingUpMs = 10_000;

/** For one that was told to end. */
const endingMs = 2_000;
const endingPollMs = 20;

/** The hidden command that watches. */
export const watcherCommand = "__publish";

/** @param ownProgram the command line that starts this program */
export async function startWatcher(
  context: MachineContext,
  ownProgram: readonly string[],
  host: Host,
  moment: "begun" | "seen-running",
): Promise<void> {
  // An engine that is reached over SSH alone cannot be followed from there.
  if (context.computer.os === "windows" && isOverSsh(host)) return;
  try {
    const note = await readNote(host.dir);
    const isSeenToAlready = note !== undefined && (await isSeenTo(context, host, note));
    if (isSeenToAlready && moment === "seen-running") return;
    // One that knows the machine by the name it had before.
    if (note !== undefined && note.machine !== host.name) await signalEnd(context, note);
    // The watcher of the run before may be ending: the two agree on that by their lock.
    if (!isSeenToAlready) await writeNote(host.dir, { machine: host.name, since: context.clock.now().toISOString(), ports: [] });
    await launch(context, ownProgram, host);
  } catch (error) {
    // It is told to those who start the machine; who asks for its address asked for nothing else.
    const level = moment === "begun" ? "warn" : "debug";
    logTo(host.report, level, `The ports of containers on "${host.name}" do not come to this computer: ${messageOf(error)}`);
  }
}

/** It would end by itself, in a few seconds at most where it is just waiting for an engine. */
export async function endWatcher(context: MachineContext, host: Host): Promise<void> {
  const note = await readNote(host.dir);
  if (note === undefined) return;
  if (!(await signalEnd(context, note))) return;
  const hasEnded = async (): Promise<true | undefined> => !(await isThere(note)) || undefined;
  await poll({ ms: endingMs, clock: context.clock, signal: undefined }, endingPollMs, hasEnded);
}

async function isSeenTo({ clock }: MachineContext, { name }: Host, note: WatcherNote): Promise<boolean> {
  if (note.machine !== name) return false;
  if (note.process !== undefined) return await isThere(note);
  const ageMs = clock.now().getTime() - Date.parse(note.since);
  return ageMs >= 0 && ageMs < comingUpMs;
}

/** A note may be of before the last boot, or of whoever could write into the store: only a watcher is ever told to end. */
async function signalEnd({ computer, processes }: MachineContext, note: WatcherNote): Promise<boolean> {
  if (note.process === undefined || !(await isThere(note))) return false;
  const table = new SystemProcessTable(computer, processes);
  const words = (await table.commandLine(note.process.pid)) ?? "";
  if (!words.split(" ").includes(watcherCommand)) return false;
  table.signal(note.process.pid, "SIGTERM");
  return true;
}

async function launch(context: MachineContext, ownProgram: readonly string[], host: Host): Promise<void> {
  const { store, processes, computer } = context;
  const [program = "", ...words] = ownProgram;
  const log = await openLog(path.join(host.dir, watcherLog));
  try {
    const args = [...words, "--storage-path", store.root, watcherCommand, host.name];
    const child = processes.spawn(program, args, {
      // Not in the machine's folder, which may be renamed and removed.
      cwd: store.root,
      detached: true,
      env: lastingEnvironment(computer, (name) => name.startsWith("MACHINE_TIMEOUT_")),
      stdio: ["ignore", "ignore", log.fd],
    });
    await once(child, "spawn");
    child.unref();
  } catch (error) {
    await removeNote(host.dir);
    throw error;
  } finally {
    await log.close();
  }
}
