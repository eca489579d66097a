/**
 * What leaves this computer is sealed: AES-256-GCM under a key that every member has, bound to the name it is kept under
 * and to how often it was changed, so that no value can stand for another. Pure but for chance.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";

export interface Sealed {
  /** Which of the team's keys. */
  readonly key: number;
  /** How often the value was changed, from 1 on. */
  readonly count: number;
}

const nonceBytes = 12;
const tagBytes = 16;

export function newDataKey(): Buffer {
  return randomBytes(32);
}

export function seal(text: string, place: string, { key, count }: Sealed, dataKey: Buffer): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", dataKey, nonce);
  cipher.setAAD(bindingOf(place, { key, count }));
  const data = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
  return JSON.stringify({ key, count, data: data.toString("base64") });
}

/** Under which key, and which state, without opening it. Undefined for what was never sealed. */
export function sealOf(value: string): Sealed | undefined {
  const found = parsed(value);
  return found === undefined ? undefined : { key: found.key, count: found.count };
}

/** Undefined where the key is not the one, or the value is another's or was changed. */
export function unseal(value: string, place: string, dataKey: Buffer): string | undefined {
  const found = parsed(value);
  if (found === undefined) return undefined;
  const data = Buffer.from(found.data, "base64");
  if (data.length < nonceBytes + tagBytes) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", dataKey, data.subarray(0, nonceBytes));
  decipher.setAAD(bindingOf(place, found));
  decipher.setAuthTag(data.subarray(-tagBytes));
  try {
    return Buffer.concat([decipher.update(data.subarray(nonceBytes, -tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

/** Who has the key says so of a text that everyone may read. */
export function signed(text: string, dataKey: Buffer): string {
  return createHmac("sha256", dataKey).update(text).digest("base64");
}

function bindingOf(place: string, { key, count }: Sealed): Buffer {
  return Buffer.from(JSON.stringify([place, key, count]));
}

function parsed(value: string): (Sealed & { readonly data: string }) | undefined {
  try {
    const found = JSON.parse(value) as Partial<Sealed & { readonly data: string }>;
    const { key, count, data } = found;
    return typeof key === "number" && typeof count === "number" && typeof data === "string" ? { key, count, data } : undefined;
  } catch {
    return undefined;
  }
}
