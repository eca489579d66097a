/**
 * `create`: the one use case where something outside comes into being, so every step is noted before it is taken.
 * Whatever ends it, afterwards there is either no trace, or a machine that `ls` shows, a second `create` continues and
 * `rm` removes.
 */
import type { DriverOptions } from "../driver-kit/flags.ts";
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { quote } from "../gocompat/quote.ts";
import { logTo } from "../log/event.ts";
import { pinInjectedHostKeys } from "../ssh/host-keys.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { waitForSsh } from "../ssh/connect.ts";
import { prepareAuthority } from "./certificates.ts";
import { takeOverEngine } from "./engine-template.ts";
import { newHost, openHost, type Host } from "./host.ts";
import { Journal, readJournal } from "./journal.ts";
import { requireValidName } from "./names.ts";
import { newRecord } from "./new-record.ts";
import type { MachinePorts } from "./ports.ts";
import { forgetMachine } from "./remove.ts";
import { keyTypeOf, planMachine, provisionMachine } from "./provision-machine.ts";
import { waitForState } from "./wait-for-state.ts";

export interface CreateRequest {
  readonly name: string;
  readonly driverName: string;
  /** All create flags, the shared ones and the driver's. */
  readonly options: DriverOptions;
}

const rollbackBoundMs = 120_000;

export async function createMachine(ports: MachinePorts, request: CreateRequest, signal: AbortSignal): Promise<void> {
  const { name } = request;
  requireValidName(name);
  const module = await ports.loadDriver(request.driverName);
  await using _lock = await ports.store.lockMachine(name, { purpose: `create ${name}`, waitMs: ports.timeouts.lockMs, signal });
  if (await ports.store.has(name)) {
    await resumeMachine(ports, request, signal);
    return;
  }
  await using host = newHost(ports, newRecord(ports, name, module.name, request.options), module);
  await configure(host, request.options);
  await prepareAuthority(ports, signal, keyTypeOf(host));
  await preCreateCheck(host, signal);
  host.report({ type: "creating-instance" });
  const journal = await Journal.open(host.dir, "create", host.record.extra.CreateId ?? "", ports.clock);
  host.record.driverConfigText = await host.driver.configText();
  await ports.store.create(host.record, journal.begunWith("record"));
  try {
    await bringUp(ports, host, journal, signal);
  } catch (error) {
    throw await afterFailure(ports, host, error, signal);
  }
}

/** What `create` would do to a host that exists already; of other drivers only the checks can be told. Stores nothing. */
export async function planCreate(ports: MachinePorts, request: CreateRequest, signal: AbortSignal): Promise<string> {
  requireValidName(request.name);
  const module = await ports.loadDriver(request.driverName);
  if (await ports.store.has(request.name)) throw alreadyExists(request.name);
  await using host = newHost(ports, newRecord(ports, request.name, module.name, request.options), module);
  await configure(host, request.options);
  await preCreateCheck(host, signal);
  if (!module.capabilities.adopted || !module.capabilities.provisionable) {
    return `A machine would be created by the driver ${module.name}; what provisioning changes is known once it runs.\n`;
  }
  await using ssh = await host.openSsh();
  return await planMachine(ports, host, ssh, signal);
}

async function configure(host: Host, options: DriverOptions): Promise<void> {
  try {
    await host.driver.setConfigFromFlags(options);
  } catch (error) {
    throw reworded(error, "driver-options", `Error setting machine configuration from flags provided: ${messageOf(error)}`);
  }
}

async function preCreateCheck(host: Host, signal: AbortSignal): Promise<void> {
  host.report({ type: "pre-create-check" });
  try {
    await host.driver.preCreateCheck(signal);
  } catch (error) {
    signal.throwIfAborted();
    throw reworded(error, "pre-create-check", `Error with pre-create check: ${quote(messageOf(error))}`);
  }
}

function reworded(error: unknown, code: "pre-create-check" | "driver-options", message: string): MachineError {
  return new MachineError(code, message, { cause: error, hint: isMachineError(error) ? error.hint : undefined });
}

/** From a stored record to an engine that answers; each step may have been taken before. */
async function bringUp(ports: MachinePorts, host: Host, journal: Journal, signal: AbortSignal): Promise<void> {
  await journal.step("instance", async () => {
    await host.driver.create(signal);
    await host.save();
  });
  if (host.module.capabilities.provisionable && !(await takeOverEngine(ports, host, signal))) {
    await using ssh = await journal.step("ssh", async () => await firstContact(ports, host, signal));
    await journal.step("provision", async () => await provisionMachine(ports, host, ssh, signal));
    await host.save();
  }
  await journal.close();
}

async function firstContact(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<SshExecutor> {
  const { capabilities } = host.module;
  host.report({ type: "waiting-for-running" });
  if (!capabilities.adopted) await waitForState(ports, host, "Running", ports.timeouts.runningMs, signal);
  const keys = await host.driver.hostKeys?.();
  if (keys !== undefined) await pinInjectedHostKeys((await host.sshTarget()).hostKeys, keys, host.report);
  host.report({ type: "detecting-os" });
  host.report({ type: "waiting-for-ssh" });
  return await waitForSsh({
    open: host.openSsh,
    timeoutMs: ports.timeouts.sshMs,
    clock: ports.clock,
    signal,
    // A new instance lets its user in once cloud-init is done; a box that exists either does or does not.
    retryAuthentication: !capabilities.adopted,
  });
}

async function resumeMachine(ports: MachinePorts, request: CreateRequest, signal: AbortSignal): Promise<void> {
  const interrupted = await readJournal(ports.store.machineDir(request.name));
  if (interrupted?.command !== "create") throw alreadyExists(request.name);
  await using host = await openHost(ports, request.name);
  if (host.record.driverName !== request.driverName) throw alreadyExists(request.name);
  logTo(host.report, "info", `Continuing the create of "${host.name}" that was interrupted at: ${interrupted.lastStep}`);
  await prepareAuthority(ports, signal);
  const journal = await Journal.open(host.dir, "create", interrupted.createId, ports.clock);
  try {
    await bringUp(ports, host, journal, signal);
  } catch (error) {
    throw await afterFailure(ports, host, error, signal);
  }
}

function alreadyExists(name: string): MachineError {
  return new MachineError("machine-exists", `Docker machine "${name}" already exists`, {
    hint: `Choose another name, or remove it first with: docker-machine rm ${name}`,
  });
}

/**
 * Decides what stays. Interrupted by the user: nothing. Failed before anything was made outside: nothing. Otherwise the
 * machine stays with its journal, so that it can be continued or removed.
 */
async function afterFailure(ports: MachinePorts, host: Host, error: unknown, signal: AbortSignal): Promise<unknown> {
  const reached = await readJournal(host.dir);
  const provisioning = reached?.lastStep === "provision";
  if (signal.aborted) return await rollBack(ports, host, error);
  if (host.module.capabilities.adopted && !provisioning) return await forget(ports, host, error);
  if (isMachineError(error, "disk-full") && reached === undefined) return await forget(ports, host, error);
  const verb = provisioning ? `docker-machine provision ${host.name}` : "the same create command";
  logTo(host.report, "warn", `"${host.name}" is not ready. Once the cause is gone, ${verb} continues; docker-machine rm ${host.name} removes it.`);
  return error;
}

async function forget(ports: MachinePorts, host: Host, error: unknown): Promise<unknown> {
  await ports.store.remove(host.name).catch((failure: unknown) => logTo(host.report, "warn", messageOf(failure)));
  return error;
}

async function rollBack(ports: MachinePorts, host: Host, error: unknown): Promise<unknown> {
  logTo(host.report, "info", `Undoing the create of "${host.name}"...`);
  try {
    await host.driver.remove(AbortSignal.timeout(rollbackBoundMs));
    await forgetMachine(ports, host.name);
  } catch (failure) {
    logTo(host.report, "warn", `"${host.name}" could not be undone (${messageOf(failure)}); docker-machine rm ${host.name} tries again.`);
  }
  return error;
}

