/**
 * `create`: the one use case where something outside comes into being, so every step is noted before it is taken.
 * Whatever ends it, afterwards there is either no trace, or a machine that `ls` shows, a second `create` continues and
 * `rm` removes.
 */
import * as path from "node:path";
import type { DriverModule } from "../driver-kit/driver.ts";
import type { DriverOptions } from "../driver-kit/create-flag.ts";
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { quote } from "../gocompat/quote.ts";
import { logTo, reportNothing } from "../log/event.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { driverNameOf, type HostExtra } from "../store/host-record.ts";
import { inPrivateFolder } from "../ssh/private-folder.ts";
import { removeFile } from "../system/files.ts";
import { within } from "../system/waiting.ts";
import { askedOptions, changedOptions, describeChange } from "./asked-options.ts";
import { bringUp } from "./bring-up.ts";
import { prepareAuthority } from "./certificates.ts";
import { sharedBoxWarning } from "./host/box.ts";
import type { Host } from "./host/host.ts";
import { newHost, openHost } from "./host/open-host.ts";
import { wishOwnKey } from "./host/own-key.ts";
import { isBeingUndone, isCreateUncertain, wayOut } from "./interruption/interrupted.ts";
import { readJournal, type JournalReading } from "./interruption/journal.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import { tellProvider } from "./lifetime/apply-lifetime.ts";
import { isExpired, requireEndable } from "./lifetime/recorded-lifetime.ts";
import { requireValidName } from "./names.ts";
import { newRecord } from "./host/new-record.ts";
import type { MachineContext } from "./machine-context.ts";
import { keyTypeOf } from "./host/provision-request.ts";
import { planMachine } from "./provision-machine.ts";
import { undoCreate } from "./remove.ts";
import { sweepStore } from "./interruption/sweep.ts";

export interface CreateRequest {
  readonly name: string;
  readonly driverName: string;
  /** All create flags, the shared ones and the driver's. */
  readonly options: DriverOptions;
  /** What else the record has from its first moment: labels, the mark of a fleet. */
  readonly extra?: HostExtra | undefined;
}

/** Throws `machine-exists`, `pre-create-check`, `driver-options`, and whatever a step throws. */
export async function createMachine(context: MachineContext, request: CreateRequest, signal: AbortSignal): Promise<void> {
  requireValidName(request.name);
  const module = await context.findDriver(request.driverName);
  await using lock = await lockMachine(context, request.name, "create", signal);
  await sweepStore(context);
  const earlier = await findUnfinished(context, request);
  if (earlier === undefined) await createNew(context, request, module, lock.signal);
  else if (isBeingUndone(earlier)) await finishUndoing(context, request, module, lock.signal);
  else if (await mustBeginAnew(context, request, module, earlier, lock.signal))
    await beginAnew(context, request, module, earlier, lock.signal);
  else await goOn(context, request, module, earlier, lock.signal);
}

/**
 * Throws what a create would throw before anything is made: for a name, for flags, and for a host that exists already
 * what its driver finds there. What others of the same driver would be told as well, each is told by its own create.
 */
export async function checkCreate(context: MachineContext, request: CreateRequest, signal: AbortSignal): Promise<void> {
  requireValidName(request.name);
  if ((await findUnfinished(context, request)) !== undefined) return;
  await checkReplacement(context, request, signal);
}

/** As {@link checkCreate}, for a machine that is to be made in the place of one that exists. */
export async function checkReplacement(context: MachineContext, request: CreateRequest, signal: AbortSignal): Promise<void> {
  const module = await context.findDriver(request.driverName);
  await using host = await configuredHost({ ...context, reportFor: () => reportNothing }, request, module);
  if (module.capabilities.adopted) await preCreateCheck(host, signal);
}

/**
 * The driver's configuration of a machine that would be made. Throws what its flags alone are refused for; nobody is asked, and
 * nothing stored.
 */
export async function configurationFor(context: MachineContext, request: CreateRequest): Promise<object> {
  const module = await context.findDriver(request.driverName);
  await using host = await configuredHost({ ...context, reportFor: () => reportNothing }, request, module);
  return JSON.parse(await host.driver.configText()) as object;
}

/** What `create` would do to a host that exists already; of other drivers only the checks can be told. Stores nothing. */
export async function planCreate(context: MachineContext, request: CreateRequest, signal: AbortSignal): Promise<string> {
  requireValidName(request.name);
  const module = await context.findDriver(request.driverName);
  if (await context.store.has(request.name)) throw alreadyExists(request.name);
  await using host = await configuredHost(context, request, module);
  await preCreateCheck(host, signal);
  if (!module.capabilities.adopted || !module.capabilities.provisionable) {
    return `A machine would be created by the driver ${module.name}; what provisioning changes is known once it runs.\n`;
  }
  return await inPrivateFolder(context.computer, async (folder) => {
    await using ssh = await openSshOnce(context, host, folder);
    return await planMachine(context, host, ssh, signal);
  });
}

/** The host's key is judged as on first contact, and kept in the folder only. */
async function openSshOnce(context: MachineContext, host: Host, folder: string): Promise<SshExecutor> {
  const target = await host.sshTarget();
  const hostKeys = { ...target.hostKeys, knownHostsFile: path.join(folder, "known_hosts") };
  return await context.openSsh({ ...target, hostKeys }, host.report);
}

/** The journal of an earlier create of this machine by the same driver; undefined where there is no such machine. */
async function findUnfinished(context: MachineContext, { name, driverName }: CreateRequest): Promise<JournalReading | undefined> {
  if (!(await context.store.has(name))) return undefined;
  const journal = await readJournal(context.store.machineDir(name));
  const record = await context.store.load(name);
  if (journal?.command !== "create" || driverNameOf(record) !== driverName) throw alreadyExists(name);
  return journal;
}

async function createNew(
  context: MachineContext,
  request: CreateRequest,
  module: DriverModule,
  signal: AbortSignal,
): Promise<void> {
  await using host = await configuredHost(context, request, module);
  await prepareAuthority(context, signal, keyTypeOf(host));
  await preCreateCheck(host, signal);
  const warning = await sharedBoxWarning(context, host);
  if (warning !== undefined) logTo(host.report, "warn", warning);
  if (host.record.extra.Expires !== undefined) await tellProvider(context, host, signal);
  host.report({ type: "creating-instance" });
  await host.store((await host.openJournal("create")).begunWith("record", askedOptions(module.flags, request.options)));
  await finish(context, host, undefined, signal);
}

async function finishUndoing(
  context: MachineContext,
  request: CreateRequest,
  module: DriverModule,
  signal: AbortSignal,
): Promise<void> {
  await using host = await openHost(context, request.name, module);
  logTo(host.report, "info", `Undoing the earlier create of "${host.name}" first...`);
  await undoCreate(context, host, signal);
  await createNew(context, request, module, signal);
}

/**
 * Whether the earlier create made nothing yet, so that all options of this one count. Throws `machine-interrupted` naming
 * those that cannot change any more because something stands that was made with them.
 */
async function mustBeginAnew(
  context: MachineContext,
  request: CreateRequest,
  { flags, capabilities }: DriverModule,
  earlier: JournalReading,
  signal: AbortSignal,
): Promise<boolean> {
  // What was adopted is configured anew in any case, and what a plugin made only the provider can tell.
  if (capabilities.adopted || isCreateUncertain(earlier, capabilities)) return false;
  if (!earlier.has("instance", "begun")) return true;
  const changed = changedOptions(earlier.asked ?? {}, askedOptions(flags, request.options));
  if (changed.length === 0) return false;
  if (!earlier.has("instance", "done") && !(await hasResources(context, request.name, signal))) return true;
  const { name } = request;
  const what = changed.length === 1 ? "a value that cannot change" : "values that cannot change";
  throw new MachineError(
    "machine-interrupted",
    `"${name}" stands unfinished with ${what} any more: ${changed.map(describeChange).join(", ")}`,
    { hint: `Without that change, ${wayOut(name, earlier, capabilities)}; removed, it can be created anew with any options.` },
  );
}

/** A driver that tells none makes its instances on this computer, and throws away itself what is unfinished. */
async function hasResources(context: MachineContext, name: string, signal: AbortSignal): Promise<boolean> {
  await using host = await openHost(context, name);
  const otherwise = `The driver of "${name}" did not tell its instances`;
  const patience = { ms: context.timeouts.stateMs, clock: context.clock, signal };
  return (await within(patience, async (bound) => (await host.driver.findResources?.(bound)) ?? [], otherwise)).length > 0;
}

async function beginAnew(
  context: MachineContext,
  request: CreateRequest,
  module: DriverModule,
  earlier: JournalReading,
  signal: AbortSignal,
): Promise<void> {
  await using host = await openHost(context, request.name, module);
  logTo(host.report, "info", `The earlier create of "${host.name}" made nothing yet: the options of this one count`);
  // What was asked for and did not come may come yet: then it is looked for by its mark.
  if (earlier.has("instance", "begun")) await undoCreate(context, host, signal);
  else await context.store.remove(host.name);
  await createNew(context, request, module, signal);
}

/** The options of this command count: of what the earlier one was asked for, nothing was promised yet. */
async function goOn(
  context: MachineContext,
  request: CreateRequest,
  module: DriverModule,
  earlier: JournalReading,
  signal: AbortSignal,
): Promise<void> {
  const { adopted } = module.capabilities;
  await using host = await (adopted ? adoptAnew : reopen)(context, request, module, signal);
  logTo(host.report, "info", `Continuing the create of "${host.name}" that was interrupted at: ${earlier.lastStep}`);
  if (adopted) await preCreateCheck(host, signal);
  if (adopted) await requireLogin(host, signal);
  await prepareAuthority(context, signal, keyTypeOf(host));
  await host.save();
  await finish(context, host, earlier, signal);
}

/**
 * Nothing was made anywhere, so all is configured as if for the first time. Another box has another key; the same one opens
 * to the pair that it was given, whoever goes on.
 */
async function adoptAnew(context: MachineContext, request: CreateRequest, module: DriverModule): Promise<Host> {
  await using before = await openHost(context, request.name);
  const host = await configuredHost(context, request, module);
  if ((await sshPlaceOf(before)) !== (await sshPlaceOf(host))) await removeFile(path.join(host.dir, "known_hosts"));
  else if (before.driver.ownKey?.state === "used") await host.driver.ownKey?.use();
  return host;
}

/** Who is not let in takes nothing away from whoever was: what is recorded stays. A box that does not answer is waited for later. */
async function requireLogin(host: Host, signal: AbortSignal): Promise<void> {
  if (!host.module.capabilities.provisionable) return;
  await using ssh = await host.openSsh();
  await ssh.connect(signal).catch((error: unknown) => {
    signal.throwIfAborted();
    if (isMachineError(error, "ssh-authentication")) throw error;
  });
}

/** Not every box is reached by SSH. */
async function sshPlaceOf({ driver }: Host): Promise<string> {
  return `${await driver.getSshHostname()} ${await driver.getSshPort()}`;
}

/** The instance may exist as it was asked for then; only what concerns the engine can still be chosen. */
async function reopen(context: MachineContext, request: CreateRequest, module: DriverModule, signal: AbortSignal): Promise<Host> {
  const host = await openHost(context, request.name, module);
  const { hostOptions, extra } = newRecord(context, request.name, module.name, request.options, request.extra);
  const { CreateId, DriverGivenAs, Expires } = host.record.extra;
  if (CreateId !== undefined) extra.CreateId = CreateId;
  if (DriverGivenAs !== undefined) extra.DriverGivenAs = DriverGivenAs;
  // What the provider was told counts from then on, as long as it lasts.
  if (extra.Expires !== undefined && Expires !== undefined && !isExpired({ Expires }, context.clock.now()))
    extra.Expires = Expires;
  Object.assign(host.record, { hostOptions, extra });
  requireEndable(host);
  if (extra.Expires !== Expires) await tellProvider(context, host, signal);
  await host.concealEngineSecrets();
  return host;
}

async function configuredHost(
  context: MachineContext,
  { name, options, extra }: CreateRequest,
  module: DriverModule,
): Promise<Host> {
  const host = newHost(context, newRecord(context, name, module.name, options, extra), module);
  try {
    await host.configure(options).catch((error: unknown) => {
      if (isMachineError(error, "interrupted")) throw error;
      throw reworded(error, "driver-options", `Error setting machine configuration from flags provided: ${messageOf(error)}`);
    });
    requireEndable(host);
    wishOwnKey(context, host);
    return host;
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
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

function alreadyExists(name: string): MachineError {
  return new MachineError("machine-exists", `Docker machine "${name}" already exists`, {
    hint: `Choose another name, or remove it first with: docker-machine rm ${name}`,
  });
}

async function finish(
  context: MachineContext,
  host: Host,
  earlier: JournalReading | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await bringUp(context, host, earlier, signal);
  } catch (error) {
    await afterFailure(context, host, signal);
    throw error;
  }
}

/**
 * Decides what stays. Nothing was begun outside: no trace. Interrupted by the user, or nothing made on this computer: what
 * there is, is undone. Else, and where a host that is someone's own was changed already, the machine stays with its journal, to be continued or removed.
 * What may be in somebody else's hands by now is not touched.
 */
async function afterFailure(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  if (isMachineError(signal.reason, "lock-lost")) return;
  const { capabilities } = host.module;
  const reached = await readJournal(host.dir);
  if (reached === undefined) return;
  const isOutside = reached.has(capabilities.adopted ? "provision" : "instance", "begun");
  if (!isOutside) return await forget(context, host);
  if (signal.aborted && !capabilities.adopted) return await rollBack(context, host);
  if (await isNothingMadeHere(context, host, reached, signal)) return await rollBack(context, host);
  logTo(host.report, "warn", `"${host.name}" is not ready. Once the cause is gone, ${wayOut(host.name, reached, capabilities)}.`);
}

/**
 * An image that could not be had, a program that would not start: of a machine of this computer there is nothing that could be
 * gone on with, and nobody who could be making it yet.
 */
async function isNothingMadeHere(
  context: MachineContext,
  { name, module: { capabilities } }: Host,
  reached: JournalReading,
  signal: AbortSignal,
): Promise<boolean> {
  if (capabilities.onThisComputer !== true || capabilities.opaque === true || reached.has("instance", "done")) return false;
  // Who cannot tell keeps the record.
  return !(await hasResources(context, name, signal).catch(() => true));
}

async function forget(context: MachineContext, host: Host): Promise<void> {
  await context.store.remove(host.name).catch((failure: unknown) => logTo(host.report, "warn", messageOf(failure)));
}

async function rollBack(context: MachineContext, host: Host): Promise<void> {
  logTo(host.report, "info", `Undoing the create of "${host.name}"...`);
  try {
    await undoCreate(context, host, new AbortController().signal);
  } catch (failure) {
    logTo(
      host.report,
      "warn",
      `"${host.name}" could not be undone (${messageOf(failure)}); docker-machine rm ${host.name} tries again.`,
    );
  }
}
