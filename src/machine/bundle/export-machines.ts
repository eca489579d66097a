/** `export`: machines as they are in this store, for another one. The user's own keys stay here. */
import * as path from "node:path";
import { isMadeForMachine, ownKeyName } from "../../driver-kit/core-files.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { portableText } from "../../store/portable-paths.ts";
import { recordFileName } from "../../store/paths.ts";
import { factsOf, listFolder } from "../../system/disk-files.ts";
import { readFileIfExists, readRegularFileIfExists } from "../../system/files.ts";
import type { Host } from "../host/host.ts";
import { openHost } from "../host/open-host.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { jsonFiles, type Bundle, type BundledAuthority, type BundledMachine } from "./bundle.ts";

/** Made anew where the machine arrives, or of this computer alone. */
const stays = new Set([recordFileName, "ca.pem", "cert.pem", "key.pem", "ssh_config", "config.json.bak"]);
/** What proves the engine: of use where the CA goes along. */
const serverFiles = new Set(["server.pem", "server-key.pem"]);

/** Whatever a driver keeps in a record's folder is smaller: what is larger are disks. */
const largestBytes = 256 * 1024;

/** Throws `driver-unsupported` for machines of this computer and of others, and what opening them throws. */
export async function exportMachines(
  context: MachineContext,
  names: readonly string[],
  withAuthority: boolean,
  signal: AbortSignal,
): Promise<Bundle> {
  const machines: BundledMachine[] = [];
  for (const name of names) machines.push(await exportMachine(context, name, withAuthority, signal));
  return { machines, authority: withAuthority ? await authorityOf(context) : undefined };
}

async function authorityOf({ certificates }: MachineContext): Promise<BundledAuthority> {
  const [certificate, key] = await Promise.all([
    readFileIfExists(certificates.caCertPath),
    readFileIfExists(certificates.caKeyPath),
  ]);
  if (certificate !== undefined && key !== undefined)
    return { certificate: certificate.toString("utf8"), key: key.toString("utf8") };
  throw new MachineError("certificate-invalid", "This store has no certificate authority to go along", {
    hint: "Export without --with-ca: the machines get new certificates where they arrive.",
  });
}

async function exportMachine(
  context: MachineContext,
  name: string,
  withAuthority: boolean,
  signal: AbortSignal,
): Promise<BundledMachine> {
  await using _lock = await lockMachine(context, name, "export", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  requireMovable(host);
  const root = context.store.root;
  const keys = await ownersKeys(host);
  const files: Record<string, string> = {};
  for (const entry of (await listFolder(host.dir)).toSorted()) {
    if (stays.has(entry) || keys.has(entry) || (serverFiles.has(entry) && !withAuthority)) continue;
    const text = await textOf(path.join(host.dir, entry));
    if (text === undefined) logTo(host.report, "warn", `${entry} of "${name}" stays here: it is no text, or too large`);
    else files[entry] = jsonFiles.has(entry) ? portableText(text, root) : text;
  }
  if (files[ownKeyName] !== undefined)
    logTo(
      host.report,
      "info",
      `The key pair that "${name}" has of its own goes along; the store that imports it gives it another, and rm --restore takes out the own one alone`,
    );
  return { name, record: portableText(await context.store.loadText(name), root), files };
}

function requireMovable({ name, module }: Host): void {
  const { onThisComputer, guest } = module.capabilities;
  if (onThisComputer !== true && guest !== true) return;
  const why = guest === true ? "is somebody else's, who shares it with you" : "lives on this computer, and goes nowhere else";
  throw new MachineError("driver-unsupported", `"${name}" ${why}: it cannot be exported`);
}

/** A box that was adopted was reached by a key of its user's, of which a copy lies here; unless it was given one of its own. */
async function ownersKeys({ module, driver, dir }: Host): Promise<ReadonlySet<string>> {
  if (!module.capabilities.adopted) return new Set();
  const recorded = await driver.getSshKeyPath();
  const found = (await listFolder(dir)).filter((name) => name !== "server-key.pem");
  const keys: string[] = [];
  for (const name of found) {
    const isKey = path.join(dir, name) === recorded || /PRIVATE KEY-----/u.test((await textOf(path.join(dir, name))) ?? "");
    if (isKey && !isMadeForMachine((await textOf(path.join(dir, `${name}.pub`))) ?? "")) keys.push(name);
  }
  return new Set(keys.flatMap((name) => [name, `${name}.pub`, `${name}-cert.pub`]));
}

async function textOf(file: string): Promise<string | undefined> {
  const facts = await factsOf(file);
  if (facts === undefined || facts.isDirectory || facts.sizeBytes > largestBytes) return undefined;
  const bytes = await readRegularFileIfExists(file);
  const text = bytes?.toString("utf8");
  return text !== undefined && bytes?.equals(Buffer.from(text, "utf8")) === true ? text : undefined;
}
