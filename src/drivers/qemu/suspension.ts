/**
 * A machine whose memory is kept while no process runs it: one file with all of the guest, and a note beside it that it is
 * whole and how QEMU is to be launched for it. The note stands only as long as the guest has not run since: memory that
 * goes on beside a disk which changed meanwhile would ruin that disk.
 */
import { factsOf, freeBytes, removeTree, requireFreeBytes, syncFile } from "../../system/disk-files.ts";
import { readFileIfExists, removeFile, syncDirectory, writeFileAtomic } from "../../system/files.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import { cleanUpTimeoutMs, specOf, type Workplace } from "./creation.ts";
import { setClock } from "./identity.ts";
import type { Instance } from "./instance.ts";
import { identityFiles, type IdentityFiles } from "./machine-folder.ts";
import { openPorts } from "./machine-ports.ts";
import { instanceFiles, memoryId, type LaunchSpec } from "./qemu-arguments.ts";
import { stateTransferred } from "./state-transfer.ts";

const noteVersion = 1;
const writtenTimeoutMs = 10_000;
const writtenPollMs = 10;
/** An agent that runs answers at once, under emulation within seconds. */
const agentTimeoutMs = 5_000;
/** QEMU takes a tenth of this when nobody says otherwise. */
const bytesPerSecond = 64 * 1024 ** 3;
const someBytes = 64 * 1024 ** 2;
const mebibyte = 1024 ** 2;

/** What of the launch the machine's configuration does not tell: it may have been changed since. */
type Launched = Pick<LaunchSpec, "cpuCount" | "memoryMiB" | "memory">;

export class Suspension {
  readonly #place: Workplace;
  readonly #instance: Instance;

  constructor(place: Workplace, instance: Instance) {
    this.#place = place;
    this.#instance = instance;
  }

  async isThere(): Promise<boolean> {
    return (await factsOf(this.#instance.file(instanceFiles.suspension))) !== undefined;
  }

  /** Throws `driver-unsupported`, `disk-full`, `driver-failed`; the guest then runs on. */
  async suspend(signal: AbortSignal): Promise<void> {
    const { config, context } = this.#place;
    if (config.ShareFolders.length > 0)
      throw new MachineError(
        "driver-unsupported",
        `"${config.MachineName}" has a shared folder: QEMU cannot save such a machine`,
      );
    if (context.computer.os === "windows")
      throw new MachineError("driver-unsupported", "On Windows QEMU cannot save a machine to a file");
    const launched = await this.#lookAtGuest(signal);
    await requireFreeBytes(this.#instance.folder, launched.memoryMiB * mebibyte, "Saving the machine's memory");
    try {
      await this.#save(launched, signal);
    } catch (error) {
      const isFull = (await freeBytes(this.#instance.folder)) < someBytes;
      await this.#goOn();
      signal.throwIfAborted();
      throw isFull ? this.#full(error) : error;
    }
    await this.#instance.end(AbortSignal.timeout(cleanUpTimeoutMs));
  }

  /** Goes on with the guest as it was, its clock set. Throws what launching throws, `port-taken`, and `driver-failed`; the state is kept then. */
  async resume(signal: AbortSignal): Promise<void> {
    const { config, context } = this.#place;
    const launched = await this.#readNote();
    const spec = await specOf(this.#place, await this.#identityOf(launched), false);
    try {
      await using monitor = await this.#instance.launch({ ...spec, ...launched, resumes: true }, signal);
      await monitor.execute("migrate-incoming", { uri: `exec:cat ${instanceFiles.suspended}` });
      await stateTransferred(monitor, context.clock, signal);
      await openPorts(context, config, monitor);
      await this.discard();
      await monitor.execute("cont");
    } catch (error) {
      await this.#instance.end(AbortSignal.timeout(cleanUpTimeoutMs));
      signal.throwIfAborted();
      throw isMachineError(error, "driver-failed") ? this.#unusable(error) : error;
    }
    await this.#setClock(signal);
  }

  /** From here on the machine is one that was switched off. */
  async discard(): Promise<void> {
    await removeFile(this.#instance.file(instanceFiles.suspension));
    await syncDirectory(this.#instance.folder);
    for (const name of [instanceFiles.suspended, instanceFiles.suspending]) await removeTree(this.#instance.file(name));
  }

  async #lookAtGuest(signal: AbortSignal): Promise<Launched> {
    await using monitor = await this.#instance.monitor(signal);
    const cpus = (await monitor.execute("query-cpus-fast")) as readonly unknown[];
    const memory = (await monitor.execute("query-memory-size-summary")) as { readonly "base-memory": number };
    // QEMU's own memory is in the list too, as `pc.ram`.
    const backends = (await monitor.execute("query-memdev")) as readonly { readonly id?: string }[];
    return {
      cpuCount: cpus.length,
      memoryMiB: memory["base-memory"] / mebibyte,
      memory: backends.some(({ id }) => id === memoryId) ? "copied" : "own",
    };
  }

  async #save(launched: Launched, signal: AbortSignal): Promise<void> {
    const { suspended, suspending, suspension } = instanceFiles;
    const { clock } = this.#place.context;
    await using monitor = await this.#instance.monitor(signal);
    // Made by QEMU it would be readable for others.
    await writeFileAtomic(this.#instance.file(suspending), "", 0o600);
    await monitor.execute("stop");
    await monitor.execute("migrate-set-capabilities", { capabilities: [{ capability: "x-ignore-shared", state: false }] });
    await monitor.execute("migrate-set-parameters", { "max-bandwidth": bytesPerSecond });
    await monitor.execute("migrate", { uri: `exec:cat > ${suspending} && mv ${suspending} ${suspended}` });
    await stateTransferred(monitor, clock, signal);
    // QEMU is done before the last of it is written.
    const written = async (): Promise<true | undefined> =>
      (await factsOf(this.#instance.file(suspended))) === undefined ? undefined : true;
    await poll(
      { ms: writtenTimeoutMs, clock, signal },
      writtenPollMs,
      written,
      "The state of the machine was not written to its end",
    );
    await syncFile(this.#instance.file(suspended));
    await writeFileAtomic(this.#instance.file(suspension), `${JSON.stringify({ version: noteVersion, ...launched })}\n`, 0o600);
  }

  async #goOn(): Promise<void> {
    const { config, context } = this.#place;
    const signal = AbortSignal.timeout(cleanUpTimeoutMs);
    try {
      await using monitor = await this.#instance.monitor(signal);
      await monitor.execute("migrate_cancel");
      await stateTransferred(monitor, context.clock, signal).catch(() => {});
      await this.discard();
      await monitor.execute("cont");
    } catch (error) {
      const wayOut = `docker-machine start ${config.MachineName} lets it go on`;
      logTo(context.report, "warn", `"${config.MachineName}" is held still: ${messageOf(error)}; ${wayOut}.`);
    }
  }

  #full(cause: unknown): MachineError {
    const { folder } = this.#instance;
    const message = `There is no room in ${folder} for the memory of "${this.#place.config.MachineName}"; it runs on`;
    return new MachineError("disk-full", message, { cause, hint: "Free some space there, or stop it without --suspend." });
  }

  async #readNote(): Promise<Launched> {
    const text = (await readFileIfExists(this.#instance.file(instanceFiles.suspension)))?.toString("utf8") ?? "";
    try {
      const { version, cpuCount, memoryMiB, memory } = JSON.parse(text) as Partial<Launched> & { readonly version?: number };
      if (version === noteVersion && cpuCount !== undefined && memoryMiB !== undefined && memory !== undefined)
        return { cpuCount, memoryMiB, memory };
    } catch {
      // What cannot be read is of no use either.
    }
    throw this.#unusable(new Error(`${instanceFiles.suspension} cannot be read`));
  }

  /** A guest that came out of the image's saved state was given its identity there, not by its firmware. */
  async #identityOf({ memory }: Launched): Promise<IdentityFiles> {
    const files = await identityFiles(this.#instance.folder);
    return memory === "copied" ? { ...files, credentialCount: 0 } : files;
  }

  #unusable(cause: unknown): MachineError {
    const name = this.#place.config.MachineName;
    return new MachineError("driver-failed", `The memory of "${name}" that was kept cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: `Was QEMU updated meanwhile? What was on its disk is there: give the memory up with docker-machine kill ${name}, then start it.`,
    });
  }

  /** Without an agent in the guest, over SSH. */
  async #setClock(signal: AbortSignal): Promise<void> {
    const { config, context } = this.#place;
    const command = (): string => setClock(context.clock.now());
    try {
      await using agent = await this.#instance.agent(agentTimeoutMs, signal);
      await agent.run(command(), { signal });
    } catch {
      signal.throwIfAborted();
      await this.#setClockOverSsh(command, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        logTo(context.report, "warn", `The clock of "${config.MachineName}" stands where it was suspended: ${messageOf(error)}`);
      });
    }
  }

  async #setClockOverSsh(command: () => string, signal: AbortSignal): Promise<void> {
    const { config, context } = this.#place;
    await using ssh = await context.openSsh();
    await ssh.connect();
    const { status, stderr } = await ssh.run(config.SSHUser === "root" ? command() : `sudo -n sh -c '${command()}'`, { signal });
    if (status !== 0) throw new MachineError("driver-failed", stderr.toString("utf8").trim());
  }
}
