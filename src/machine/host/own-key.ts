/**
 * A key pair of an adopted machine's own in the place of its user's, which then leaves their computer neither with the store
 * of a team nor in a bundle. Whatever cuts it off, the key that is recorded opens the machine.
 */
import * as path from "node:path";
import { importedKeyName, ownKeyName } from "../../driver-kit/core-files.ts";
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo, reportNothing } from "../../log/event.ts";
import { addLoginKey, removeLoginKey } from "../../provision/host/login-key.ts";
import { ensureKeyPairAt } from "../../ssh/keys.ts";
import type { SshExecutor } from "../../ssh/executor.ts";
import { readFileIfExists, removeFile } from "../../system/files.ts";
import { isTeamStore } from "../../store/team-mark.ts";
import { requireCreated } from "../interruption/interrupted.ts";
import { lockMachine } from "../interruption/machine-lock.ts";
import type { MachineContext } from "../machine-context.ts";
import { provisionContext } from "./provision-context.ts";
import type { Host } from "./host.ts";
import { locate } from "./locate.ts";
import { openHost } from "./open-host.ts";

/** In a team's store machines are adopted with keys that all of its members may have. */
export function wishOwnKey({ store }: MachineContext, { driver }: Host): void {
  if (isTeamStore(store.root)) driver.ownKey?.want();
}

/**
 * Gives the machine its own key pair where that is wanted, over a connection by its user's. Each step may have been taken
 * before. Throws `ssh-authentication` where the machine does not let it in; then its user's stays.
 */
export async function takeOwnKey(context: MachineContext, host: Host, ssh: SshExecutor, signal: AbortSignal): Promise<void> {
  const { ownKey } = host.driver;
  if (ownKey?.state !== "wanted") return;
  const file = path.join(host.dir, ownKeyName);
  const { publicKey } = await ensureKeyPairAt(file, `docker-machine ${host.name}`, context.computer);
  const at = provisionContext(context, host, ssh, signal);
  await addLoginKey(at, host.name, publicKey);
  try {
    await requireOpens(context, host, file, signal);
  } catch (error) {
    if (isMachineError(error, "ssh-authentication")) await removeLoginKey(at, host.name, publicKey);
    throw error;
  }
  const isImported = path.basename(await host.driver.getSshKeyPath()) === importedKeyName;
  const copies = await ownKey.use();
  await host.save();
  const former = isImported
    ? "the one that it came with stays in authorized_keys there, for the store that it came from"
    : "yours is not needed for it";
  logTo(host.report, "info", `"${host.name}" is logged in to by a key of its own from now on; ${former}`);
  for (const copy of copies) await removeCopy(host, copy);
}

async function requireOpens(context: MachineContext, host: Host, identityFile: string, signal: AbortSignal): Promise<void> {
  await using ssh = await context.openSsh({ ...(await host.sshTarget()), identityFile }, reportNothing);
  try {
    await ssh.connect(signal);
  } catch (error) {
    if (!isMachineError(error, "ssh-authentication")) throw error;
    const sentence = `"${host.name}" does not let in the key pair that was made for it, although it stands in authorized_keys`;
    throw new MachineError("ssh-authentication", sentence, {
      cause: error,
      hint: "Its SSH server reads keys elsewhere (AuthorizedKeysFile). Without a pair of its own: create --generic-own-key=false, store push --keep-keys.",
    });
  }
}

async function removeCopy({ report }: Host, file: string): Promise<void> {
  await removeFile(file).catch((error: unknown) =>
    logTo(report, "warn", `${file}, a copy of your key, stays: ${messageOf(error)}`),
  );
}

/** Whether machines are logged in to by a key of their user's, in the place of which they could have one of their own. */
export async function lacksOwnKey(context: MachineContext, name: string): Promise<boolean> {
  await using host = await openHost(context, name);
  const state = host.driver.ownKey?.state;
  return state === "none" || state === "wanted";
}

/** For a machine that exists. Throws what connecting throws, and as {@link takeOwnKey} does. */
export async function giveOwnKey(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using lock = await lockMachine(context, name, "store push", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  host.driver.ownKey?.want();
  await locate(context, host, lock.signal);
  await using ssh = await host.openSsh();
  await ssh.connect(lock.signal);
  await takeOwnKey(context, host, ssh, lock.signal);
}

/** For a restore: the machine's own key opens it no more. What hinders that is said. */
export async function withdrawOwnKey(context: MachineContext, host: Host, ssh: SshExecutor, signal: AbortSignal): Promise<void> {
  if (host.driver.ownKey?.state !== "used") return;
  try {
    const publicKey = await readFileIfExists(path.join(host.dir, `${ownKeyName}.pub`));
    if (publicKey === undefined) throw new Error(`${ownKeyName}.pub is not in ${host.dir}`);
    await removeLoginKey(provisionContext(context, host, ssh, signal), host.name, publicKey.toString("utf8").trim());
  } catch (error) {
    signal.throwIfAborted();
    const sentence = `The key of the machine's own stays in authorized_keys of "${host.name}": ${messageOf(error)}`;
    logTo(host.report, "warn", `${sentence}. It ends with "docker-machine ${host.name}"; take that line out there.`);
  }
}
