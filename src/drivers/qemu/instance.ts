/**
 * One QEMU process and its folder. The process outlives the command that started it; whoever comes later finds it by
 * the pid file, believes it only when the process's command line bears the instance's id, and talks to it through the
 * monitor. Knows nothing of images, identities or ports.
 */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import * as path from "node:path";
import { isMachineError, MachineError, messageOf, systemCodeOf } from "../../errors/machine-error.ts";
import type { Clock } from "../../system/clock.ts";
import { openLog, removeTree, tailOf } from "../../system/disk-files.ts";
import { readFileIfExists } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";
import { lastingEnvironment } from "../../system/lasting-environment.ts";
import { connectLocal } from "../../system/local-socket.ts";
import { identifyProcess, isSameProcess } from "../../system/process-identity.ts";
import type { ProcessTable } from "../../system/process-table.ts";
import type { ProcessRunner } from "../../system/process.ts";
import { poll, type Attempt } from "../../system/waiting.ts";
import { instanceFiles, pipeName, qemuArguments, qemuProgram, type LaunchSpec } from "./qemu-arguments.ts";
import { GuestAgent } from "./guest-agent.ts";
import { monitorTimeoutMs, QmpClient } from "./qmp.ts";

export interface InstanceContext {
  readonly computer: Computer;
  readonly processes: ProcessRunner;
  readonly processTable: ProcessTable;
  readonly clock: Clock;
}

const launchTimeoutMs = 60_000;
const quitTimeoutMs = 5_000;
const endPollMs = 100;
const connectPollMs = 15;
const logTailBytes = 2_000;
/** The process runs, but a file of its folder that leads to it is gone. */
export class LostSocketError extends MachineError {
  constructor(what: string, endpoint: string, cause: unknown) {
    super("driver-failed", `${what} cannot be reached through ${endpoint}: ${messageOf(cause)}`, { cause });
  }
}

export class Instance {
  readonly folder: string;
  readonly instanceId: string;
  readonly #instanceContext: InstanceContext;

  constructor(folder: string, instanceId: string, instanceContext: InstanceContext) {
    this.folder = folder;
    this.instanceId = instanceId;
    this.#instanceContext = instanceContext;
  }

  /** Absolute path of one of the instance's files. */
  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** The pid of the running process, or undefined. A pid file of a process that is gone, or another's, counts as none. */
  async runningPid(): Promise<number | undefined> {
    const text = (await readFileIfExists(this.file(instanceFiles.pid)))?.toString("utf8");
    const pid = Number(text?.trim());
    return Number.isInteger(pid) && pid > 1 && (await this.#isOurs(pid)) ? pid : undefined;
  }

  /** As {@link runningPid}, and also finds a process whose pid file is not written yet, was lost, or names another. */
  async findPid(): Promise<number | undefined> {
    const noted = await this.runningPid();
    if (noted !== undefined || this.instanceId === "") return noted;
    return (await this.#instanceContext.processTable.findByCommandLine(`-uuid ${this.instanceId}`))[0];
  }

  async #isOurs(pid: number): Promise<boolean> {
    return (
      this.instanceId !== "" && ((await this.#instanceContext.processTable.commandLine(pid))?.includes(this.instanceId) ?? false)
    );
  }

  /** Starts the process, paused, and waits until its monitor answers. A failure ends it. Throws `driver-failed`, `program-missing`. */
  async launch(spec: LaunchSpec, signal: AbortSignal): Promise<QmpClient> {
    for (const name of [instanceFiles.monitor, instanceFiles.agent, instanceFiles.pid, instanceFiles.log])
      await removeTree(this.file(name));
    const child = await this.#spawn(spec);
    const ended = new AbortController();
    child.once("error", (error) => ended.abort(this.#spawnError(spec, error)));
    child.once("exit", () => ended.abort(new MachineError("driver-failed", "QEMU ended")));
    try {
      return await this.#firstContact(AbortSignal.any([signal, ended.signal]), signal);
    } catch (error) {
      child.kill("SIGKILL");
      signal.throwIfAborted();
      if (!ended.signal.aborted || isMachineError(ended.signal.reason, "program-missing")) throw ended.signal.reason ?? error;
      throw explainLaunch(await tailOf(this.file(instanceFiles.log), logTailBytes));
    } finally {
      child.unref();
    }
  }

  async #spawn(spec: LaunchSpec): Promise<ChildProcess> {
    const log = await openLog(this.file(instanceFiles.log));
    try {
      const env = lastingEnvironment(this.#instanceContext.computer);
      const options = { cwd: this.folder, detached: true, env, stdio: ["ignore" as const, log.fd, log.fd] };
      return this.#instanceContext.processes.spawn(qemuProgram(spec.arch), qemuArguments(spec), options);
    } finally {
      await log.close();
    }
  }

  /** The socket appears when the devices are set up. `bound` ends with the process, `signal` with the command. */
  async #firstContact(bound: AbortSignal, signal: AbortSignal): Promise<QmpClient> {
    const { clock } = this.#instanceContext;
    const ask = async ({ note }: Attempt): Promise<QmpClient | undefined> => {
      try {
        const socket = await connectLocal(this.#endpoint(instanceFiles.monitor), monitorTimeoutMs, bound);
        return await QmpClient.open(socket, clock, signal, launchTimeoutMs);
      } catch (error) {
        bound.throwIfAborted();
        note(error);
        return undefined;
      }
    };
    return await poll({ ms: launchTimeoutMs, clock, signal: bound }, connectPollMs, ask, (last) => last);
  }

  /** Whether the process is held still by a signal, so that neither guest nor monitor can answer. */
  async isFrozen(pid: number): Promise<boolean> {
    return await this.#instanceContext.processTable.isFrozen(pid);
  }

  /** Lets the process go on where it is frozen. */
  async thaw(pid: number): Promise<void> {
    if (await this.isFrozen(pid)) this.#instanceContext.processTable.signal(pid, "SIGCONT");
  }

  /**
   * Talks to the running process; the caller closes it soon, for QEMU serves one at a time. Throws `driver-failed` when
   * the way to the monitor is lost, and `timeout`.
   */
  async monitor(signal: AbortSignal): Promise<QmpClient> {
    const socket = await this.#connect(instanceFiles.monitor, "QEMU's monitor", signal);
    return await QmpClient.open(socket, this.#instanceContext.clock, signal);
  }

  async #connect(name: string, what: string, signal: AbortSignal): Promise<Socket> {
    const endpoint = this.#endpoint(name);
    try {
      return await connectLocal(endpoint, monitorTimeoutMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (systemCodeOf(error) === undefined) throw error;
      throw new LostSocketError(what, endpoint, error);
    }
  }

  /** Waits for the agent in the guest. Throws `timeout`. */
  async agent(timeoutMs: number, signal: AbortSignal): Promise<GuestAgent> {
    const socket = await this.#connect(instanceFiles.agent, "The guest's agent", signal);
    return await GuestAgent.open(socket, { clock: this.#instanceContext.clock, signal, timeoutMs });
  }

  /** Resolves true once the process is gone, false when it is still there after the time. */
  async waitForEnd(pid: number, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    // A process that is ending has no command line any more but holds its ports and files for another moment.
    const noted = await identifyProcess(pid);
    if (noted === undefined) return true;
    const patience = { ms: timeoutMs, clock: this.#instanceContext.clock, signal };
    const hasEnded = await poll(patience, endPollMs, async () => !(await isSameProcess(noted)) || undefined);
    return hasEnded ?? false;
  }

  /** Ends the process at once: by the monitor so that the disk is closed in order, else by a signal. Succeeds when there is none. */
  async end(signal: AbortSignal): Promise<void> {
    const pid = await this.findPid();
    if (pid === undefined) return;
    if (!(await this.isFrozen(pid)) && (await this.#quit(signal)) && (await this.waitForEnd(pid, quitTimeoutMs, signal))) return;
    this.#instanceContext.processTable.signal(pid, "SIGKILL");
    if (await this.waitForEnd(pid, quitTimeoutMs, signal)) return;
    throw new MachineError("driver-failed", `QEMU (process ${pid}) does not end, not even by SIGKILL`, {
      hint: "Its storage may hang; see the kernel's log.",
    });
  }

  /** False when the monitor does not answer. */
  async #quit(signal: AbortSignal): Promise<boolean> {
    try {
      await using monitor = await this.monitor(signal);
      // The process may end before it answers.
      await monitor.execute("quit").catch(() => {});
      return true;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  #endpoint(name: string): string {
    return this.#instanceContext.computer.os === "windows" ? `\\\\.\\pipe\\${pipeName(this.instanceId, name)}` : this.file(name);
  }

  #spawnError(spec: LaunchSpec, error: Error): MachineError {
    if (systemCodeOf(error) === "ENOENT") return qemuMissing(qemuProgram(spec.arch), this.#instanceContext.computer.os);
    return new MachineError("driver-failed", `QEMU cannot be started: ${messageOf(error)}`, { cause: error });
  }
}

const installCommands: Readonly<Record<Computer["os"], string>> = {
  linux: "sudo apt-get install --yes qemu-system qemu-utils    (or your distribution's qemu packages)",
  darwin: "brew install qemu",
  windows: "winget install SoftwareFreedomConservancy.QEMU",
};

export function qemuMissing(program: string, os: Computer["os"]): MachineError {
  return new MachineError("program-missing", `${program} is not installed on this computer, or not on PATH`, {
    hint: `Install it: ${installCommands[os]}`,
  });
}

/** QEMU's last words, and what to do about the ones that occur. */
const launchFailures: readonly (readonly [RegExp, string, string])[] = [
  [
    /Could not access KVM|failed to initialize (?:kvm|KVM|hvf|HVF|WHPX)/iu,
    "the accelerator cannot be used",
    "Give --qemu-accelerator tcg, or leave it to auto.",
  ],
  [/get "?write"? lock/iu, "its disk is in use by another QEMU", "End the process that has the disk open, then try again."],
  [/lock (?:pid|PID) file/iu, "it runs already", "See docker-machine status; docker-machine kill ends it."],
  [
    /Cannot allocate memory|cannot set up guest memory/iu,
    "there is not enough memory",
    "Stop another machine, or create it with a smaller --qemu-memory.",
  ],
  [/No space left on device/iu, "the disk is full", "Free some space where the store is."],
  [
    /Could not open '(?<file>[^']+)'/u,
    "a file is missing",
    "If its disk was deleted the machine cannot be started again: remove it with docker-machine rm.",
  ],
];

function explainLaunch(log: string): MachineError {
  const words =
    log
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^qemu-system-\S+: /u, "") ?? "";
  const known = launchFailures.find(([pattern]) => pattern.test(log));
  if (known === undefined)
    return new MachineError("driver-failed", `QEMU did not start: ${words === "" ? "it gave no reason" : words}`);
  return new MachineError("driver-failed", `QEMU did not start: ${known[1]} (${words})`, { hint: known[2] });
}
