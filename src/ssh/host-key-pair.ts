/**
 * Host keys for machines that are about to be made. Each pair is made once in a folder and found there again, so that a
 * create which was cut off goes on with the keys that it may have handed out already.
 */
import { generateKeyPairSync } from "node:crypto";
import * as path from "node:path";
import type { Computer } from "../system/computer.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../system/files.ts";
import { generateKeyPair, loadPrivateKey, type KeyPair } from "./keys.ts";
import { formatPublicKey } from "./public-key.ts";

/** `ecdsa` is on the curve P-256: what a guest in FIPS mode, which knows no ed25519, proves itself with. */
export type HostKeyType = "ed25519" | "ecdsa";

export interface HostKeyPair extends KeyPair {
  readonly type: HostKeyType;
}

/**
 * The pair in the folder, made there if there is none, readable by its owner alone. Throws `ssh-key-unusable` for a
 * file that is damaged or that others may read: another key in its place might not be the one that was handed out.
 * @param comment a single line, the end of the public half.
 */
export async function ensureHostKeyPair(
  folder: string,
  type: HostKeyType,
  comment: string,
  computer: Pick<Computer, "os">,
): Promise<HostKeyPair> {
  const file = path.join(folder, `ssh_host_${type}_key`);
  if ((await readFileIfExists(file)) === undefined) {
    await makePrivateDirectory(folder);
    await writeFileAtomic(file, newPrivateKey(type, comment), 0o600);
  }
  const { text, publicKey } = await loadPrivateKey(file, computer);
  if (publicKey === undefined) throw new TypeError(`${file} has a passphrase, which no host key of ours has`);
  return { type, privateKey: text, publicKey: `${formatPublicKey(publicKey)} ${comment}` };
}

/** OpenSSH reads ECDSA keys in SEC 1's form as well as in its own. */
function newPrivateKey(type: HostKeyType, comment: string): string {
  if (type === "ed25519") return generateKeyPair(comment).privateKey;
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" }).toString();
}
