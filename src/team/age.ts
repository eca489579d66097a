/** Keys of people, by age (age-encryption.org): who is a member can open what is wrapped for the members. Loaded where it is used. */

export async function newIdentity(): Promise<string> {
  return await (await import("age-encryption")).generateX25519Identity();
}

/** What others need to add one to the team: `age1…`. Throws for what is no identity. */
export async function recipientOf(identity: string): Promise<string> {
  return await (await import("age-encryption")).identityToRecipient(identity);
}

/** @param recipients `age1…` each. Throws for what is none. */
export async function wrap(secret: Buffer, recipients: readonly string[]): Promise<string> {
  const { armor, Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(secret));
}

/** Undefined where it was wrapped for others. */
export async function unwrap(text: string, identity: string): Promise<Buffer | undefined> {
  const { armor, Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  try {
    return Buffer.from(await decrypter.decrypt(armor.decode(text)));
  } catch {
    return undefined;
  }
}
