/**
 * Saved states: a guest of an image, booted to the end and then written to files, memory and all. Later machines start
 * from there in a second. A state belongs to no machine: no key, no name and no open port is in it, and a guest that is
 * restored from it gets its own before anyone can reach it. The memory stays a file: each guest maps it and copies what
 * it writes, so a restore reads nothing in advance, and what all guests have in common is in memory once.
 */
import { createHash, randomUUID } from "node:crypto";
import * as os from "node:os";
import * as path from "node:path";
import { lockCached } from "../../driver-kit/cache-lock.ts";
import type { DriverContext, EngineTemplate, PreparedEngine } from "../../driver-kit/driver.ts";
import { haveNotedTimes, noteFiles, parseNotes, problemOf, type FileNotes } from "../../driver-kit/images/file-notes.ts";
import { inPhase } from "../../driver-kit/phase.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo, reportNothing, type Report } from "../../log/event.ts";
import { listFolder, makeReadOnly, publishFolder, removeTree, requireFreeBytes, syncFile } from "../../system/disk-files.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { instanceFiles, type LaunchSpec } from "./qemu-arguments.ts";
import { GuestAgentExecutor, type GuestAgent } from "./guest-agent.ts";
import { rekeyScript, type QemuIdentity } from "./identity.ts";
import type { QemuImage } from "./image.ts";
import { Instance, type InstanceContext } from "./instance.ts";
import { clearFolder, layOutDisk, takeFromCache, templateSeed } from "./machine-folder.ts";
import { loopback } from "./forwards.ts";
import type { QmpClient } from "./qmp.ts";
import { stateTransferred, transferTimeoutMs } from "./state-transfer.ts";

/** So often in a row a state that cannot be saved costs a machine its boot twice. */
const attempts = 3;

/** Raise when a state of an older version must not be used. */
const stateVersion = 2;

const lockedWork = {
  what: "The saved state",
  purpose: "save a machine's state",
  holderDoes: "saves the same state",
};
/** An emulated guest on a busy computer boots for minutes. */
const bootTimeoutMs = 8 * 60_000;
const firstBootMs = 3 * 60_000;
/** An agent that runs already answers at once, under emulation within seconds. */
const answerTimeoutMs = 30_000;

const templateName = "docker-machine-template";
const factsFile = "state.json";
const longestReason = 500;
/** What is saved beside the disk. */
const parts = [instanceFiles.memory, instanceFiles.devices] as const;

export interface SavedState {
  readonly folder: string;
  /** The disk as it was when the memory was saved, an overlay of the image's. */
  readonly disk: string;
  /** The engine that runs in it; undefined where it is stopped. */
  readonly engine: PreparedEngine | undefined;
}

export interface StateWish {
  readonly image: QemuImage;
  /** How machines of this state are launched; its name and id are replaced. */
  readonly launch: LaunchSpec;
  readonly diskMiB: number;
  readonly qemuVersion: string;
  /** Sets up the engine; without one it is left stopped. */
  readonly engine: EngineTemplate | undefined;
}

export class SavedStates {
  readonly #context: DriverContext;
  readonly #instanceContext: InstanceContext;
  readonly #folder: string;

  constructor(context: DriverContext, instanceContext: InstanceContext) {
    this.#context = context;
    this.#instanceContext = instanceContext;
    this.#folder = path.join(context.cacheDir, "qemu", "states");
  }

  /**
   * The state for such machines, made if there is none. Undefined, and said, when making it failed three times in a row
   * and `insist` is false. Throws what booting throws, `disk-full`, or the signal's reason.
   */
  async provide(wish: StateWish, insist: boolean, signal: AbortSignal): Promise<SavedState | undefined> {
    const folder = path.join(this.#folder, stateKey(wish));
    const before = await loadState(folder, this.#context.report, signal);
    if (before !== undefined) return before;
    await makePrivateDirectory(this.#folder);
    await using _lock = await lockCached(this.#context, `${folder}.lock`, lockedWork, signal);
    const meanwhile = await loadState(folder, reportNothing, signal);
    if (meanwhile !== undefined) return meanwhile;
    const failureNote = `${folder}.failed`;
    const failed = await readFailure(failureNote);
    if (failed !== undefined && !this.#triesAgain(failed, insist)) return undefined;
    await this.#removeLeftovers(path.basename(folder));
    await requireFreeBytes(this.#folder, (wish.launch.memoryMiB + 512) * 1024 * 1024, "Saving a machine's state");
    logTo(this.#context.report, "info", "Starting the image once to save its state; later machines start from it...");
    try {
      await publishFolder(folder, async (temporary) => {
        await this.#make(temporary, wish, signal);
        // One that was damaged.
        await removeTree(folder);
      });
    } catch (error) {
      const failure: Failure = { times: (failed?.times ?? 0) + 1, reason: messageOf(error) };
      if (!signal.aborted) await writeFileAtomic(failureNote, `${JSON.stringify(failure)}\n`, 0o600);
      throw error;
    }
    await removeTree(failureNote);
    return await loadState(folder, reportNothing, signal);
  }

  #triesAgain({ times, reason }: Failure, insist: boolean): boolean {
    const goesOn = insist || times < attempts;
    const last = `${times === 1 ? "the last attempt" : `the last ${times} attempts`} failed (${reason})`;
    const outlook = goesOn ? "it is tried again" : "machines boot instead; --qemu-save-state on tries again";
    logTo(this.#context.report, goesOn ? "info" : "warn", `Saving a state of the image: ${last}; ${outlook}.`);
    return goesOn;
  }

  /** What a killed process left, its guest included; safe under the lock. */
  async #removeLeftovers(key: string): Promise<void> {
    for (const name of await listFolder(this.#folder)) {
      if (!name.startsWith(`${key}.tmp-`)) continue;
      const folder = path.join(this.#folder, name);
      const id = (await readFileIfExists(path.join(folder, "id")))?.toString("utf8") ?? "";
      await new Instance(folder, id, this.#instanceContext).end(AbortSignal.timeout(transferTimeoutMs));
      await removeTree(folder);
    }
  }

  async #make(folder: string, wish: StateWish, signal: AbortSignal): Promise<void> {
    const instance = new Instance(folder, randomUUID(), this.#instanceContext);
    await writeFileAtomic(path.join(folder, "id"), instance.instanceId, 0o600);
    await layOutDisk(this.#instanceContext.processes, folder, wish.image, wish.diskMiB, undefined, signal);
    if (wish.launch.hasSeed) await writeFileAtomic(instance.file(instanceFiles.seed), templateSeed(instance.instanceId), 0o600);
    // Made by QEMU they would be readable for others.
    for (const part of parts) await writeFileAtomic(instance.file(part), "", 0o600);
    const spec: LaunchSpec = { ...wish.launch, name: templateName, instanceId: instance.instanceId, memory: "saved" };
    await keepOnlyState(folder, await this.#bootAndSave(instance, spec, wish.engine, signal), signal);
  }

  /** Gives the engine that runs in the guest. However it ends, the guest has ended. */
  async #bootAndSave(
    instance: Instance,
    spec: LaunchSpec,
    template: EngineTemplate | undefined,
    signal: AbortSignal,
  ): Promise<PreparedEngine | undefined> {
    try {
      await inPhase(this.#context, "Booting the image", async () => await this.#boot(instance, spec, signal));
      const engine = await this.#prepareEngine(instance, template, signal);
      await inPhase(this.#context, "Saving its state", async () => await this.#save(instance, signal));
      return engine;
    } finally {
      await instance.end(AbortSignal.timeout(transferTimeoutMs));
    }
  }

  async #boot(instance: Instance, spec: LaunchSpec, signal: AbortSignal): Promise<void> {
    await using monitor = await instance.launch(spec, signal);
    await monitor.execute("cont");
    await using agent = await this.#bootedAgent(instance, monitor, signal);
    await agent.run("systemctl is-system-running --wait", { timeoutMs: bootTimeoutMs, signal });
  }

  /** A guest that has not come to its agent in a long while has a second attempt, with the better part of the time. */
  async #bootedAgent(instance: Instance, monitor: QmpClient, signal: AbortSignal): Promise<GuestAgent> {
    try {
      return await instance.agent(firstBootMs, signal);
    } catch (error) {
      if (!isMachineError(error, "timeout")) throw error;
      logTo(this.#context.report, "warn", `${messageOf(error)}; it is reset.`);
      await monitor.execute("system_reset");
      return await instance.agent(bootTimeoutMs - firstBootMs, signal);
    }
  }

  async #prepareEngine(
    instance: Instance,
    template: EngineTemplate | undefined,
    signal: AbortSignal,
  ): Promise<PreparedEngine | undefined> {
    await using agent = await instance.agent(answerTimeoutMs, signal);
    const executor = new GuestAgentExecutor(agent);
    if (template === undefined) {
      await executor.run(stopEngine, { signal });
      return undefined;
    }
    const certificate = await inPhase(
      this.#context,
      "Setting up its engine",
      async () => await template.prepare(executor, loopback, signal),
    );
    await executor.run("sync", { signal });
    return { ...certificate, templateKey: template.key };
  }

  async #save(instance: Instance, signal: AbortSignal): Promise<void> {
    await using monitor = await instance.monitor(signal);
    await monitor.execute("stop");
    await leaveMemoryWhereItIs(monitor);
    await monitor.execute("migrate", { uri: `exec:cat > ${instanceFiles.devices}` });
    await stateTransferred(monitor, this.#context.clock, signal);
  }

  /**
   * Turns a launched, empty guest into a running copy of the state, and the copy into a machine of its own. Nothing
   * leads into it yet: its ports are opened by the caller, afterwards.
   */
  async restore(
    state: SavedState,
    instance: Instance,
    spec: LaunchSpec,
    identity: QemuIdentity,
    signal: AbortSignal,
  ): Promise<void> {
    await inPhase(this.#context, "Restoring the saved state", async () => await this.#load(state, instance, spec, signal));
    await inPhase(this.#context, "Giving the machine its identity", async () => await this.#rekey(instance, identity, signal));
  }

  async #load(state: SavedState, instance: Instance, spec: LaunchSpec, signal: AbortSignal): Promise<void> {
    for (const part of parts) await takeFromCache(path.join(state.folder, part), instance.file(part));
    try {
      await using monitor = await instance.launch({ ...spec, memory: "restored" }, signal);
      await leaveMemoryWhereItIs(monitor);
      await monitor.execute("migrate-incoming", { uri: `exec:cat ${instanceFiles.devices}` });
      await stateTransferred(monitor, this.#context.clock, signal);
      await monitor.execute("cont");
    } finally {
      // What QEMU has open it keeps.
      for (const part of parts) await removeTree(instance.file(part));
    }
  }

  async #rekey(instance: Instance, identity: QemuIdentity, signal: AbortSignal): Promise<void> {
    await using agent = await instance.agent(answerTimeoutMs, signal);
    const result = await agent.run("exec sh -s", { stdin: rekeyScript(identity, this.#context.clock.now()), signal });
    if (result.status === 0) return;
    const reason = result.stderr.toString("utf8").trim();
    throw new MachineError("driver-failed", `The restored guest did not take its identity: ${reason}`);
  }

  /** Gives up a state that cannot be used. */
  async discard(state: SavedState, reason: unknown): Promise<void> {
    logTo(this.#context.report, "warn", `The saved state cannot be used and is removed: ${messageOf(reason)}`);
    await removeTree(state.folder);
  }
}

/** All that makes two guests incompatible, or different to their users. An accelerated guest runs the host's own CPU. */
function stateKey(wish: StateWish): string {
  const { name: _name, instanceId: _id, ...launch } = wish.launch;
  const cpu = launch.accelerator === "tcg" ? "" : (os.cpus()[0]?.model ?? "");
  const parts = [stateVersion, wish.image.digest, wish.qemuVersion, cpu, launch, wish.diskMiB, wish.engine?.key];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** An engine that is set up later starts afresh in every machine: its id must not be shared. */
const stopEngine = `systemctl stop docker.socket docker.service >/dev/null 2>&1
rm -f /var/lib/docker/engine-id /etc/docker/key.json
sync`;

/** What a state's files are, written when they are complete. */
interface StateFacts {
  readonly engine?: PreparedEngine | undefined;
  /** Absent from what older versions wrote. */
  readonly files?: FileNotes | undefined;
}

const stateFiles = [instanceFiles.disk, ...parts];

/** The state in a folder; undefined when there is none that is complete. Reports one that was damaged. */
async function loadState(folder: string, report: Report, signal: AbortSignal): Promise<SavedState | undefined> {
  const bytes = await readFileIfExists(path.join(folder, factsFile));
  if (bytes === undefined) return undefined;
  const facts = parseFacts(bytes);
  const problem = facts === undefined ? `${factsFile} cannot be read` : await damageIn(folder, facts, signal);
  if (facts !== undefined && problem === undefined)
    return { folder, disk: path.join(folder, instanceFiles.disk), engine: facts.engine };
  logTo(report, "warn", `The saved state in ${folder} is damaged (${problem}) and is made anew.`);
  return undefined;
}

async function damageIn(folder: string, { engine, files }: StateFacts, signal: AbortSignal): Promise<string | undefined> {
  for (const name of stateFiles) {
    const problem = await problemOf(folder, name, files?.[name], signal);
    if (problem !== undefined) return problem;
  }
  if (files === undefined || (await haveNotedTimes(folder, files))) return undefined;
  // Copied with its whole cache, and read once for it.
  await describe(folder, engine, signal);
  return undefined;
}

function parseFacts(bytes: Buffer): StateFacts | undefined {
  try {
    const { engine, files } = JSON.parse(bytes.toString("utf8")) as { readonly engine?: unknown; readonly files?: unknown };
    return { engine: parseEngine(engine), files: parseNotes(files) };
  } catch {
    return undefined;
  }
}

function parseEngine(value: unknown): PreparedEngine | undefined {
  if (value === undefined) return undefined;
  const { templateKey, certificate, key } = value as Partial<PreparedEngine>;
  if (typeof templateKey === "string" && typeof certificate === "string" && typeof key === "string")
    return { templateKey, certificate, key };
  throw new TypeError("no engine");
}

/** Mode 0600: the engine's key is in it, as it is in the memory beside it. Written last: a folder without it is no state. */
async function describe(folder: string, engine: PreparedEngine | undefined, signal: AbortSignal): Promise<void> {
  const facts = { version: stateVersion, engine, files: await noteFiles(folder, stateFiles, signal) };
  await writeFileAtomic(path.join(folder, factsFile), `${JSON.stringify(facts)}\n`, 0o600);
}

/** Why no state could be saved, and how often in a row. */
interface Failure {
  readonly times: number;
  readonly reason: string;
}

async function readFailure(file: string): Promise<Failure | undefined> {
  const text = (await readFileIfExists(file))?.toString("utf8");
  if (text === undefined) return undefined;
  try {
    const { times, reason } = JSON.parse(text) as Partial<Failure>;
    if (typeof times === "number" && typeof reason === "string") return { times, reason };
  } catch {
    // An older version wrote the reason alone.
  }
  return { times: 1, reason: text.trim().slice(0, longestReason) };
}

/** Memory that is a file is not part of what is transferred (docs/devel/migration: x-ignore-shared). */
async function leaveMemoryWhereItIs(monitor: QmpClient): Promise<void> {
  await monitor.execute("migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: true }] });
}

/** The files are on the disk before their description is: a computer that loses power has the whole of a state, or none. */
async function keepOnlyState(folder: string, engine: PreparedEngine | undefined, signal: AbortSignal): Promise<void> {
  await clearFolder(folder, stateFiles);
  for (const name of stateFiles) await syncFile(path.join(folder, name));
  await makeReadOnly(path.join(folder, instanceFiles.disk));
  await describe(folder, engine, signal);
}
