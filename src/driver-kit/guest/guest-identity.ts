/**
 * What makes a guest this machine: its name, who may log in, and host keys that are known before it exists, so that
 * even the first connection is verified. Made once per create and kept over a crash: a create that is repeated sends
 * the same request again.
 */
import * as path from "node:path";
import { ensureHostKeyPair, type HostKeyPair, type HostKeyType } from "../../ssh/host-key-pair.ts";
import { removeTree } from "../../system/disk-files.ts";
import type { DriverContext } from "../driver.ts";

export type { HostKeyPair, HostKeyType } from "../../ssh/host-key-pair.ts";

export interface GuestIdentity {
  readonly hostName: string;
  /** A name that useradd takes. */
  readonly userName: string;
  /** Lines for authorized_keys. */
  readonly authorizedKeys: readonly string[];
  /** The private halves are registered as secrets. Empty where the guest makes its own. */
  readonly hostKeys: readonly HostKeyPair[];
}

/** Linux takes no longer name (HOST_NAME_MAX). */
const longestHostName = 64;
const hostKeyFolder = "host-keys";
const allTypes: readonly HostKeyType[] = ["ed25519", "ecdsa"];

/** A machine's name as its host name. */
export function hostNameOf(machineName: string): string {
  return machineName.slice(0, longestHostName).replace(/[.-]+$/u, "");
}

/**
 * The machine's identity, with its own login key. The caller records the key's path and the public halves of the host
 * keys before it makes anything, and calls {@link forgetHostKeys} once the instance has them and its id is saved.
 * @param types of host keys that the guest's server is given.
 */
export async function newGuestIdentity(
  context: DriverContext,
  userName: string,
  types: readonly HostKeyType[] = allTypes,
): Promise<{ readonly identity: GuestIdentity; readonly sshKeyPath: string }> {
  const { privateKeyPath, publicKey } = await context.ensureSshKey();
  const hostKeys = await ensureHostKeys(context, types);
  const hostName = hostNameOf(context.machineName);
  return { identity: { hostName, userName, authorizedKeys: [publicKey], hostKeys }, sshKeyPath: privateKeyPath };
}

/**
 * The host keys of this create: the same ones each time, until they are forgotten. The private halves lie in the
 * machine's folder, readable by its owner alone, and are registered as secrets. Throws `ssh-key-unusable` for damaged
 * ones.
 */
export async function ensureHostKeys(
  context: DriverContext,
  types: readonly HostKeyType[] = allTypes,
): Promise<readonly HostKeyPair[]> {
  const folder = path.join(context.machineDir, hostKeyFolder);
  const pairs: HostKeyPair[] = [];
  for (const type of types) {
    const pair = await ensureHostKeyPair(folder, type, context.machineName, context.computer);
    context.secret(pair.privateKey);
    pairs.push(pair);
  }
  return pairs;
}

/** Removes the private halves: the guest has them, and nobody else needs them. Does nothing when there are none. */
export async function forgetHostKeys(context: DriverContext): Promise<void> {
  await removeTree(path.join(context.machineDir, hostKeyFolder));
}

/** What is recorded, and what `Driver.hostKeys` answers: `TYPE BASE64` lines. */
export function publicHalves(pairs: readonly HostKeyPair[]): readonly string[] {
  return pairs.map(({ publicKey }) => publicKey.split(" ").slice(0, 2).join(" "));
}
