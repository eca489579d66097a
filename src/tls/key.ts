/** Private keys: made, read, written. Keys stay in memory and in PEM texts; nothing here touches a file. */
import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { MachineError } from "../errors/machine-error.ts";

/** What new keys are: RSA-2048 as 0.16.2 makes them, or ECDSA on P-256. */
export type KeyType = "rsa" | "ecdsa";

const generate = promisify(generateKeyPair);

/** A new private key. The work is done off the main thread, so several at once use several cores. */
export async function generateKey(type: KeyType): Promise<KeyObject> {
  const pair = type === "rsa" ? await generate("rsa", { modulusLength: 2048 }) : await generate("ec", { namedCurve: "P-256" });
  return pair.privateKey;
}

/** The key as Go's and 0.16.2's readers expect it: PKCS#1 for RSA, SEC 1 for ECDSA. */
export function formatKey(key: KeyObject): string {
  return key.export({ type: key.asymmetricKeyType === "ec" ? "sec1" : "pkcs1", format: "pem" }).toString();
}

/** Reads a PEM key in any common form. `file` is named in the error: `certificate-invalid`. */
export function parseKey(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    // The cause is left out on purpose: it might quote what it failed to read.
    const isLocked = /ENCRYPTED/u.test(pem) || (error as { code?: unknown }).code === "ERR_MISSING_PASSPHRASE";
    throw new MachineError(
      "certificate-invalid",
      `${file} is ${isLocked ? "protected by a passphrase" : "not a private key in PEM form"}`,
      {
        hint: isLocked ? `Store it without one, for instance with: openssl pkey -in ${file} -out NEW` : undefined,
      },
    );
  }
}

/** The public half, as DER (SubjectPublicKeyInfo). */
export function publicKeyDer(key: KeyObject): Buffer {
  return (key.type === "public" ? key : createPublicKey(key)).export({ type: "spki", format: "der" });
}
