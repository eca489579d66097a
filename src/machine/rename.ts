/**
 * `rename`: another name for a machine, in this store alone; the machine itself is not touched. Its folder changes its
 * name in one step, and a record that still names the old folder is read as if it named the new one, so that a rename
 * which is cut off is one that happened.
 */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import type { HostKeyPolicy } from "../ssh/executor.ts";
import { loadPinnedKeys, pinHostKeys } from "../ssh/host-keys.ts";
import { loadCertificateFacts } from "../tls/check.ts";
import { isIpAddress } from "../system/tcp.ts";
import { engineCertificateOf } from "./host/certificate-dates.ts";
import { isOverSsh } from "./host/engine-transport.ts";
import { pathsIn, withPaths, withMachineName } from "../store/relocation.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { moveIntegration } from "./integration/in-step.ts";
import { requireCreated } from "./interruption/interrupted.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { requireValidName } from "./names.ts";
import { keepPublished } from "./published/keep.ts";

type PinnedKeys = Pick<HostKeyPolicy, "alias" | "knownHostsFile">;

/** Throws `machine-not-found`, `machine-exists`, `machine-name-invalid`, and `driver-unsupported` where a name cannot change. */
export async function renameMachine(context: MachineContext, name: string, newName: string, signal: AbortSignal): Promise<void> {
  requireValidName(newName, "");
  if (newName === name) throw new MachineError("usage", `The machine is called "${name}" already`);
  const [first, second] = lockOrder(name, newName);
  await using held = await lockMachine(context, first, "rename", signal);
  await using _second = second === undefined ? undefined : await lockMachine(context, second, "rename", held.signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  requireRenamable(host);
  await moveAll(context, host, newName);
  await using renamed = await openHost(context, newName);
  await moveIntegration(context, name, renamed);
  await followRename(context, renamed);
  const named = await nameInCertificateOf(renamed);
  if (named === undefined || named === newName.toLowerCase()) return;
  const change = `docker-machine provision ${newName}`;
  logTo(context.reportFor(newName), "info", `Its engine's certificate names "${named}" still; for a new one: ${change}`);
}

/** Ours end with the machine's name, 0.16.2's with `localhost`. Undefined where it names no machine, or there is none. */
async function nameInCertificateOf(host: Host): Promise<string | undefined> {
  if (isOverSsh(host)) return undefined;
  const facts = await loadCertificateFacts(engineCertificateOf(host)).catch(() => undefined);
  const last = facts?.names.at(-1);
  return last === undefined || last === "localhost" || isIpAddress(last) ? undefined : last.toLowerCase();
}

/** Who brings its containers' ports here knows it by the name it had. */
async function followRename(context: MachineContext, renamed: Host): Promise<void> {
  if ((await renamed.driver.containerPorts?.run()) !== undefined) await keepPublished(context, renamed);
}

/** In the same order each time, so that two renames never wait for each other. Names that differ in case have one lock. */
function lockOrder(name: string, newName: string): readonly [string, string | undefined] {
  if (name.toLowerCase() === newName.toLowerCase()) return [name, undefined];
  return name < newName ? [name, newName] : [newName, name];
}

function requireRenamable({ name, module, driver }: Host): void {
  const { opaque, foundByName } = module.capabilities;
  if (opaque !== true && foundByName !== true) return;
  const why =
    opaque === true
      ? `its driver ${driver.driverName} is a plugin, and nobody knows what it calls by the name`
      : `its driver ${driver.driverName} finds it by the name`;
  throw new MachineError("driver-unsupported", `"${name}" cannot be renamed: ${why}`, {
    hint: `Labels tell machines apart as well: docker-machine label ${name} KEY=VALUE`,
  });
}

async function moveAll({ store }: MachineContext, host: Host, newName: string): Promise<void> {
  const [oldDir, newDir] = [host.dir, store.machineDir(newName)];
  const pinnedIn = (dir: string, alias: string): PinnedKeys => ({ alias, knownHostsFile: path.join(dir, "known_hosts") });
  const pinned = await loadPinnedKeys(pinnedIn(oldDir, host.name));
  // Under both names until only one is left: in between, none of them may be an unknown host.
  if (pinned.length > 0) await pinHostKeys(pinnedIn(oldDir, `${host.name},${newName}`), pinned);
  await store.rename(host.name, newName);
  try {
    const moved = await store.load(newName);
    await store.save(withMachineName(withPaths(moved, pathsIn(moved, oldDir, newDir)), host.name, newName));
  } catch (error) {
    // What was told that it failed is under the name that it had, so that the same command can be run again.
    await store.rename(newName, host.name).catch(() => {});
    throw error;
  }
  if (pinned.length > 0) await pinHostKeys(pinnedIn(newDir, newName), pinned);
  await store.publish(newName);
}
