/** A bundle is sealed by age (age-encryption.org), for people's keys or by a passphrase: age itself opens it as well. */
import { MachineError } from "../../errors/machine-error.ts";
import { unusable } from "./bundle.ts";

/** Who can open it. */
export type Seal = { readonly recipients: readonly string[] } | { readonly passphrase: string };

/** What opens it: an identity file's text, or the passphrase. */
export type SealKey = { readonly identities: readonly string[] } | { readonly passphrase: string };

/** Of armored text. */
const firstLine = "-----BEGIN AGE ENCRYPTED FILE-----";

/** Gives armored text. Throws `usage` for what is no recipient. */
export async function sealBundle(text: string, seal: Seal): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  if ("passphrase" in seal) encrypter.setPassphrase(seal.passphrase);
  else for (const recipient of seal.recipients) addRecipient(encrypter, recipient);
  return armor.encode(await encrypter.encrypt(text));
}

function addRecipient(encrypter: { addRecipient(recipient: string): void }, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new MachineError("usage", `${JSON.stringify(recipient)} is no recipient of age`, {
      hint: "Give it as age-keygen -y prints it: age1...",
    });
  }
}

/** How a bundle was sealed, which it says itself. */
export type SealKind = "recipients" | "passphrase";

/**
 * @param askKey for what the bundle is sealed with
 * Throws `bundle-unusable` for what age did not make, before the key is asked for, and where that is not one of its.
 */
export async function openBundle(sealed: string, askKey: (kind: SealKind) => Promise<SealKey>): Promise<string> {
  const bytes = await decodeArmor(sealed);
  const key = await askKey(kindOf(bytes));
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  if ("passphrase" in key) decrypter.addPassphrase(key.passphrase);
  else for (const identity of key.identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(bytes, "text");
  } catch {
    if ("passphrase" in key)
      throw unusable(
        "The bundle cannot be opened: its passphrase is another, or it is damaged",
        "Run the command again with the passphrase that it was exported with; nothing else opens it.",
      );
    const { identityToRecipient } = await import("age-encryption");
    const recipient = await identityToRecipient(key.identities[0] ?? "").catch(() => "age1...");
    throw unusable(
      "The bundle cannot be opened: it is sealed for somebody else, or it is damaged",
      `Name the file of the key that it is for by --identity; or have it exported anew, for yours: docker-machine export --to ${recipient} NAME`,
    );
  }
}

/** What age writes in the clear at the beginning, a line for each recipient. */
function kindOf(bytes: Uint8Array): SealKind {
  const header = Buffer.from(bytes.subarray(0, 64)).toString("latin1");
  return /^age-encryption\.org\/v1\n-> scrypt /u.test(header) ? "passphrase" : "recipients";
}

async function decodeArmor(sealed: string): Promise<Uint8Array> {
  const { armor } = await import("age-encryption");
  try {
    return armor.decode(sealed);
  } catch {
    if (sealed.trimStart().startsWith(firstLine)) throw unusable("The bundle is damaged, or a part of it is missing");
    throw unusable("The file is no bundle of machines: it was not sealed by age", "docker-machine export NAME makes one.");
  }
}

/** The lines of an identity file that are identities. */
export function identitiesIn(text: string): readonly string[] {
  return text.split(/\s+/u).filter((word) => word.startsWith("AGE-SECRET-KEY-"));
}
