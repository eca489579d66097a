/** `import`: machines of a bundle are in this store from now on. What cannot be done at once, a later `provision` does. */
import * as path from "node:path";
import { importedKeyName, ownKeyName } from "../../driver-kit/core-files.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { respellJsonText } from "../../gocompat/json-merge.ts";
import { decodeRecord } from "../../store/codec.ts";
import type { HostRecord } from "../../store/host-record.ts";
import { isKeptCertsDir } from "../../store/kept-certs.ts";
import { localText } from "../../store/portable-paths.ts";
import { pathsIn, withPaths } from "../../store/relocation.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { prepareAuthority } from "../certificates.ts";
import { isProvisioned } from "../host/host.ts";
import { openHost } from "../host/open-host.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { requireValidName } from "../names.ts";
import { provisionAgain } from "../maintain.ts";
import { jsonFiles, unusable, type Bundle, type BundledAuthority, type BundledMachine } from "./bundle.ts";

export interface Imported {
  readonly name: string;
  /** Its engine answers with a certificate of this store. */
  readonly isReady: boolean;
}

/**
 * All machines are taken, or none; then their engines get certificates of this store, which a later `provision` does for those
 * that this did not come to. Throws `machine-exists`, `bundle-unusable`.
 */
export async function importMachines(context: MachineContext, bundle: Bundle, signal: AbortSignal): Promise<readonly Imported[]> {
  for (const { name } of bundle.machines) {
    requireValidName(name, "Error importing machine: ");
    if (!(await context.store.has(name))) continue;
    throw new MachineError("machine-exists", `Docker machine "${name}" already exists, and nothing was imported`, {
      hint: `Rename it first: docker-machine rename ${name} NEW-NAME`,
    });
  }
  if (bundle.authority !== undefined) await takeAuthority(context, bundle.authority);
  await prepareAuthority(context, signal);
  await takeAll(context, bundle.machines, signal);
  const imported: Imported[] = [];
  for (const { name } of bundle.machines) imported.push({ name, isReady: await makeReady(context, name, signal) });
  return imported;
}

async function takeAll(context: MachineContext, machines: readonly BundledMachine[], signal: AbortSignal): Promise<void> {
  const taken: string[] = [];
  try {
    for (const machine of machines) {
      signal.throwIfAborted();
      await take(context, machine, signal);
      taken.push(machine.name);
    }
  } catch (error) {
    for (const name of taken) await context.store.remove(name);
    throw error;
  }
}

/** Into a store that has none. With another there, machines get certificates of that one. */
async function takeAuthority(context: MachineContext, authority: BundledAuthority): Promise<void> {
  const { caCertPath, caKeyPath } = context.certificates;
  await using _lock = await context.store.lockCertificates({ purpose: "import", waitMs: context.timeouts.lockMs });
  const present = (await readFileIfExists(caCertPath))?.toString("utf8");
  if (present === authority.certificate) return;
  if (present !== undefined) {
    const text =
      "This store has a certificate authority already: the bundle's is not taken, and the machines get certificates of this one";
    return logTo(context.reportFor(undefined), "info", text);
  }
  await makePrivateDirectory(path.dirname(caKeyPath));
  // The key first: whoever finds a certificate, finds its key too.
  await writeFileAtomic(caKeyPath, authority.key, 0o600);
  await writeFileAtomic(caCertPath, authority.certificate, 0o644);
}

async function take(context: MachineContext, machine: BundledMachine, signal: AbortSignal): Promise<void> {
  const { name, files } = machine;
  await using _lock = await lockMachine(context, name, "import", signal);
  const root = context.store.root;
  const companions = Object.entries(files).map(
    ([file, text]) => [hereCalled(file), jsonFiles.has(file) ? localText(text, root) : text] as const,
  );
  await context.store.create(recordIn(context, machine), Object.fromEntries(companions));
}

/** Throws `bundle-unusable`, and `record-from-future`. */
function recordIn(context: MachineContext, { name, record }: BundledMachine): HostRecord {
  const { root } = context.store;
  try {
    return recordOf(context, name, localText(record, root));
  } catch (error) {
    if (isMachineError(error, "record-from-future")) throw error;
    throw unusable(`The record of ${JSON.stringify(name)} in the bundle cannot be read: ${messageOf(error)}`);
  }
}

function recordOf({ store }: MachineContext, name: string, text: string): HostRecord {
  const { record } = decodeRecord(text, { name, storeRoot: store.root });
  const here = ofThisAuthority(record, store);
  return { ...here, driverConfigText: withOwnersKeys(here.driverConfigText, store.machineDir(name)) };
}

/** The machine went on with an authority of the other store's that this one has not, and gets a certificate of this one's. */
function ofThisAuthority(record: HostRecord, { root, certsDir }: MachineContext["store"]): HostRecord {
  const { CertDir } = record.hostOptions.AuthOptions;
  return isKeptCertsDir(root, CertDir) ? withPaths(record, pathsIn(record, CertDir, certsDir)) : record;
}

/**
 * The key of a box that was adopted stayed behind: whoever has it now logs in with the agent's or a default one. A pair of the
 * box's own is the other store's, too: with it this one is let in, and gives the box another, so that neither locks the other
 * one out.
 */
function withOwnersKeys(configText: string, machineDir: string): string {
  const config = JSON.parse(configText) as Readonly<Record<string, unknown>>;
  const { SSHKey, SSHKeyPath } = config;
  const changed = (change: Readonly<Record<string, string>>): string =>
    respellJsonText(configText, JSON.stringify({ ...config, ...change }));
  if (SSHKeyPath === path.join(machineDir, ownKeyName))
    return changed({ SSHKeyPath: path.join(machineDir, importedKeyName), OwnKey: "wanted" });
  if (typeof SSHKey !== "string" || SSHKey === "" || typeof SSHKeyPath !== "string") return configText;
  return changed({ SSHKey: "", SSHKeyPath: path.dirname(SSHKeyPath) === machineDir ? "" : SSHKeyPath });
}

/** What a file of the bundle is called here. */
function hereCalled(file: string): string {
  return file === ownKeyName || file === `${ownKeyName}.pub` ? file.replace(ownKeyName, importedKeyName) : file;
}

async function makeReady(context: MachineContext, name: string, signal: AbortSignal): Promise<boolean> {
  try {
    await using host = await openHost(context, name);
    if (!isProvisioned(host)) return true;
    await provisionAgain(context, name, signal);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    const again = `docker-machine provision ${name}`;
    logTo(
      context.reportFor(name),
      "warn",
      `"${name}" was imported, and could not be reached: ${messageOf(error)}. Once it can: ${again}`,
    );
    return false;
  }
}
