/**
 * `qemu`: virtual machines on this computer, as an ordinary user, without a bridge or a daemon. The guest sits behind
 * QEMU's user network; ports of 127.0.0.1, chosen once and kept, lead to its sshd and its engine. This file is the life
 * of a machine once it exists; how one comes into being is in `creation.ts`.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { BuiltinDriver, engineUrl, providerCapabilities } from "../../driver-kit/builtin-driver.ts";
import type { ContainerPorts, DriverContext, DriverModule, PreparedEngine, PublishedPort } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { readConsoleLog } from "../../driver-kit/console-log.ts";
import { requireMemoryHere, requireWholeCpus, type SizeChange } from "../../driver-kit/sizes.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { factsOf } from "../../system/disk-files.ts";
import { SystemProcessTable } from "../../system/process-table.ts";
import { instanceFiles } from "./qemu-arguments.ts";
import { containerPorts } from "./container-ports.ts";
import { configure, defaultConfig, type QemuConfig } from "./config.ts";
import { checkBeforeCreate, createInstance, startCold, type Workplace } from "./creation.ts";
import { qemuOptions, sizeFlags } from "./options.ts";
import { Instance, LostSocketError, type InstanceContext } from "./instance.ts";
import { clearFolder } from "./machine-folder.ts";
import { openPorts } from "./machine-ports.ts";
import { Suspension } from "./suspension.ts";
import { publishedPorts, publishPorts } from "./published-ports.ts";

/** How long a guest may take to shut down; containers get ten seconds each from the engine. */
const shutdownTimeoutMs = 120_000;
/** A guest that is still booting does not hear the power button. */
const powerButtonEveryMs = 5_000;

const states: Readonly<Record<string, MachineState>> = {
  running: "Running",
  paused: "Paused",
  "finish-migrate": "Paused",
  postmigrate: "Paused",
  suspended: "Saved",
  prelaunch: "Starting",
  inmigrate: "Starting",
  "restore-vm": "Starting",
  shutdown: "Stopping",
};

class QemuDriver extends BuiltinDriver<QemuConfig> {
  readonly driverName = "qemu";
  readonly enginePort = defaultEnginePort;
  stateProblem: string | undefined;
  readonly #instanceContext: InstanceContext;
  #preparedEngine: PreparedEngine | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, defaultConfig(context.machineName, context.storePath), configText);
    const { computer, processes, clock } = context;
    this.#instanceContext = { computer, processes, clock, processTable: new SystemProcessTable(computer, processes) };
  }

  /** Finds nothing before `create` has given the configuration an id. */
  get #instance(): Instance {
    return new Instance(this.context.machineDir, this.config.InstanceId, this.#instanceContext);
  }

  get #suspension(): Suspension {
    return new Suspension(this.#workplace, this.#instance);
  }

  get #workplace(): Workplace {
    return { context: this.context, config: this.config, instanceContext: this.#instanceContext };
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    configure(this.config, options, this.context.computer.cwd);
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await checkBeforeCreate(this.#workplace, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    if (this.config.Created) return await this.start(signal);
    try {
      this.#preparedEngine = await createInstance(this.#workplace, signal);
    } catch (error) {
      // Whatever broke because the guest was ended on the way out: what counts is why.
      signal.throwIfAborted();
      throw error;
    }
  }

  preparedEngine(): PreparedEngine | undefined {
    return this.#preparedEngine;
  }

  async start(signal: AbortSignal): Promise<void> {
    const pid = await this.#instance.findPid();
    if (pid === undefined) {
      await this.#requireDisk();
      if (await this.#suspension.isThere()) return await this.#suspension.resume(signal);
      await startCold(this.#workplace, signal, false);
      return;
    }
    await this.#instance.thaw(pid);
    await using monitor = await this.#instance.monitor(signal);
    await openPorts(this.context, this.config, monitor);
    // It was being suspended by a command that was cut off: what is kept is of the past once it runs.
    await this.#suspension.discard();
    if ((await monitor.runState()) !== "running") await monitor.execute("cont");
  }

  async stop(signal: AbortSignal): Promise<void> {
    const pid = await this.#instance.findPid();
    if (pid === undefined) return await this.#requireNoMemory();
    await this.#instance.thaw(pid);
    if (await this.#powerDown(pid, signal)) return;
    const seconds = shutdownTimeoutMs / 1000;
    logTo(this.context.report, "warn", `"${this.config.MachineName}" did not shut down within ${seconds} s and is switched off.`);
    await this.#instance.end(signal);
  }

  /** A guest that is suspended cannot shut down. */
  async #requireNoMemory(): Promise<void> {
    const { machineName } = this.context;
    if (!(await this.#suspension.isThere())) return;
    throw new MachineError("machine-state", `"${machineName}" is suspended: it can only shut down where it runs`, {
      hint: `Start it first, docker-machine start ${machineName}, or give its memory up: docker-machine kill ${machineName}`,
    });
  }

  get suspendsOnStop(): boolean {
    return this.config.Suspend;
  }

  async suspend(signal: AbortSignal): Promise<void> {
    const pid = await this.#instance.findPid();
    if (pid === undefined) throw new MachineError("machine-state", `"${this.context.machineName}" does not run`);
    await this.#instance.thaw(pid);
    await this.#suspension.suspend(signal);
  }

  /** Presses the power button until the guest is gone. False when it is still there after the bound. */
  async #powerDown(pid: number, signal: AbortSignal): Promise<boolean> {
    const deadlineMs = this.context.clock.monotonicMs() + shutdownTimeoutMs;
    while (this.context.clock.monotonicMs() < deadlineMs) {
      await this.#pressPowerButton(signal);
      if (await this.#instance.waitForEnd(pid, powerButtonEveryMs, signal)) return true;
    }
    return false;
  }

  async #pressPowerButton(signal: AbortSignal): Promise<void> {
    try {
      await using monitor = await this.#instance.monitor(signal);
      if ((await monitor.runState()) !== "running") await monitor.execute("cont");
      await monitor.execute("system_powerdown");
    } catch (error) {
      signal.throwIfAborted();
      // The guest may be gone by now, or the monitor be busy: the loop presses again or ends.
      if (!(error instanceof LostSocketError) || (await this.#instance.findPid()) === undefined) return;
      throw this.#deaf(error);
    }
  }

  /** Nothing brings a lost socket back but a new process. */
  #deaf(error: LostSocketError): MachineError {
    const { machineName } = this.context;
    return new MachineError("driver-failed", `"${machineName}" runs but takes no commands: ${error.message}`, {
      cause: error,
      hint: `Shut it down from within, docker-machine ssh ${machineName} sudo poweroff, or switch it off: docker-machine kill ${machineName}`,
    });
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#instance.end(signal);
    await this.#suspension.discard();
  }

  /** Started where it is suspended. */
  async restart(signal: AbortSignal): Promise<void> {
    if (!(await this.#suspension.isThere())) await this.stop(signal);
    await this.start(signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#instance.end(signal);
    await clearFolder(this.context.machineDir);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    this.stateProblem = undefined;
    const pid = await this.#instance.findPid();
    if (pid === undefined) return await this.#stateWithoutProcess();
    if (await this.#instance.isFrozen(pid)) return "Paused";
    try {
      await using monitor = await this.#instance.monitor(signal);
      return this.#stateOf(await monitor.runState());
    } catch (error) {
      signal.throwIfAborted();
      // It may have ended between the two questions.
      if ((await this.#instance.findPid()) === undefined) return await this.#stateWithoutProcess();
      if (error instanceof LostSocketError) return "Running";
      throw isMachineError(error, "timeout") ? this.#hanging(pid, error) : error;
    }
  }

  /** No state of its own: a busy computer may be at fault, and the next question be answered. */
  #hanging(pid: number, cause: MachineError): MachineError {
    const { machineName } = this.context;
    return new MachineError(
      "timeout",
      `QEMU of "${machineName}" (process ${pid}) does not answer: it hangs, or its storage does`,
      {
        cause,
        hint: `Ask again; if it stays so, switch it off: docker-machine kill ${machineName}`,
      },
    );
  }

  async #stateWithoutProcess(): Promise<MachineState> {
    if (!(await this.#diskIsLost())) return (await this.#suspension.isThere()) ? "Saved" : "Stopped";
    this.stateProblem = this.#lostDisk().message;
    return "Error";
  }

  #stateOf(runState: string): MachineState {
    const state = states[runState];
    if (state === undefined) this.stateProblem = `QEMU says that the guest is in the state ${runState}`;
    return state ?? "Error";
  }

  async publishedPorts(): Promise<readonly PublishedPort[]> {
    return publishedPorts(this.config);
  }

  async publish(ports: readonly PublishedPort[], signal: AbortSignal): Promise<readonly PublishedPort[]> {
    if ((await this.#instance.findPid()) === undefined) await publishPorts(this.context, this.config, ports, undefined);
    else {
      await using monitor = await this.#instance.monitor(signal);
      await publishPorts(this.context, this.config, ports, monitor);
    }
    return publishedPorts(this.config);
  }

  get containerPorts(): ContainerPorts | undefined {
    return containerPorts(this.config.Publish, this.#instance);
  }

  async console(): Promise<string> {
    const { machineName } = this.context;
    const wayOut = `Nothing was written yet; once it boots, docker-machine ssh ${machineName} sudo dmesg tells more.`;
    return await readConsoleLog(this.#instance.file(instanceFiles.console), machineName, wayOut);
  }

  /** QEMU is told at its next launch. */
  async resize({ cpus, memoryMiB }: SizeChange): Promise<{ readonly fromNextStart: boolean }> {
    if (cpus !== undefined) {
      requireWholeCpus(cpus);
      qemuOptions.require("CPU", cpus);
    }
    if (memoryMiB !== undefined) {
      qemuOptions.require("Memory", memoryMiB);
      requireMemoryHere(sizeFlags.memoryMiB, memoryMiB, this.context.computer);
    }
    this.config.CPU = cpus ?? this.config.CPU;
    this.config.Memory = memoryMiB ?? this.config.Memory;
    return { fromNextStart: true };
  }

  async getUrl(): Promise<string> {
    return this.config.EnginePort === 0 ? "" : engineUrl(this.config.IPAddress, this.config.EnginePort);
  }

  async hostKeys(): Promise<readonly string[]> {
    return this.config.HostKey === "" ? [] : [this.config.HostKey];
  }

  async #diskIsLost(): Promise<boolean> {
    return this.config.Created && (await factsOf(this.#instance.file(instanceFiles.disk))) === undefined;
  }

  async #requireDisk(): Promise<void> {
    if (await this.#diskIsLost()) throw this.#lostDisk();
  }

  #lostDisk(): MachineError {
    const { machineName } = this.context;
    return new MachineError("driver-failed", `The disk of "${machineName}" is gone: ${this.#instance.file(instanceFiles.disk)}`, {
      hint: `Put it back from a copy, or remove the machine: docker-machine rm ${machineName}`,
    });
  }
}

export const driverModule: DriverModule = {
  name: "qemu",
  summary: "A virtual machine on this computer, by QEMU",
  flags: qemuOptions.flags,
  sizeFlags,
  ownKeys: ["InstanceId", "ImageDigest", "Accelerator"],
  capabilities: {
    ...providerCapabilities,
    tellsStateLocally: true,
    onThisComputer: true,
  },
  open: (context, configText) => new QemuDriver(context, configText),
};
