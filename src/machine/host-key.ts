/** `ssh-host-key`: what is pinned for a machine, and the one way to change it for a legitimate reason. */
import { loadPinnedKeys } from "../ssh/host-keys.ts";
import { fingerprintOf, parseFingerprint } from "../ssh/public-key.ts";
import { removeFile } from "../system/files.ts";
import { openHost } from "./host/open-host.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";

export interface PinnedKey {
  readonly type: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly fingerprint: string;
}

export async function readPinnedKeys(context: MachineContext, name: string): Promise<PinnedKey[]> {
  await using host = await openHost(context, name);
  const keys = await loadPinnedKeys((await host.sshTarget()).hostKeys);
  return keys.map((key) => ({ type: key.type, fingerprint: fingerprintOf(key) }));
}

/** Pins the key with this fingerprint, if the machine presents it now. Throws `host-key-mismatch`, what connecting throws. */
export async function acceptHostKey(
  context: MachineContext,
  name: string,
  fingerprint: string,
  signal: AbortSignal,
): Promise<void> {
  const expectedFingerprint = parseFingerprint(fingerprint);
  await using _lock = await lockMachine(context, name, "ssh-host-key", signal);
  await using host = await openHost(context, name);
  const target = await host.sshTarget();
  await using ssh = await context.openSsh({ ...target, hostKeys: { ...target.hostKeys, expectedFingerprint } }, host.report);
  await ssh.connect();
  if (host.record.extra.SshHostKey !== undefined) host.record.extra.SshHostKey = expectedFingerprint;
  await host.save();
}

/** Forgets the pinned key: the next connection is a first contact again. */
export async function forgetHostKey(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using _lock = await lockMachine(context, name, "ssh-host-key", signal);
  await using host = await openHost(context, name);
  await removeFile((await host.sshTarget()).hostKeys.knownHostsFile);
  delete host.record.extra.SshHostKey;
  await host.save();
}
