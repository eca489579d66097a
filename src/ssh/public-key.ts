/** Public keys of hosts and users as SSH writes them: `TYPE BASE64`, and the fingerprint people compare. */
import { createHash, type JsonWebKey } from "node:crypto";
import { MachineError } from "../errors/machine-error.ts";
import { encodeMpint, encodeString, WireReader } from "./wire.ts";

export interface PublicKey {
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256`, … */
  readonly type: string;
  /** The key in SSH's wire format, the type included. */
  readonly blob: Buffer;
}

/** `SHA256:…` without padding, as ssh-keygen prints it. */
export function fingerprintOf(key: PublicKey): string {
  return `SHA256:${createHash("sha256").update(key.blob).digest("base64").replace(/=+$/u, "")}`;
}

/** A fingerprint that somebody typed, as {@link fingerprintOf} gives it. Throws `usage`. */
export function parseFingerprint(text: string): string {
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/u.test(text)) return text.replace(/=$/u, "");
  throw new MachineError("usage", `${JSON.stringify(text)} is not a fingerprint`, {
    hint: "Give it as ssh-keygen -l prints it on the machine: SHA256: and 43 characters.",
  });
}

export function formatPublicKey(key: PublicKey): string {
  return `${key.type} ${key.blob.toString("base64")}`;
}

/** Parses `TYPE BASE64 [COMMENT]`; undefined where that is no key, or the bytes are of another type than they claim. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const [type, base64] = text.trim().split(/\s+/u);
  if (type === undefined || base64 === undefined) return undefined;
  const key = publicKeyFromBlob(Buffer.from(base64, "base64"));
  return key?.type === type ? key : undefined;
}

/** The key that a blob holds; undefined where it is none. */
export function publicKeyFromBlob(blob: Buffer): PublicKey | undefined {
  try {
    const type = new WireReader(blob).string().toString("latin1");
    return /^[a-z][a-z0-9@.-]+$/u.test(type) ? { type, blob } : undefined;
  } catch {
    return undefined;
  }
}

export function sameKey(a: PublicKey, b: PublicKey): boolean {
  return a.blob.equals(b.blob);
}

/** The SSH form of a key that node:crypto exported as JWK; undefined for kinds SSH does not know. */
export function publicKeyFromJwk(jwk: JsonWebKey): PublicKey | undefined {
  const fields = jwkFields(jwk);
  if (fields === undefined) return undefined;
  const [type, ...rest] = fields;
  return { type, blob: Buffer.concat([encodeString(type), ...rest]) };
}

function jwkFields(jwk: JsonWebKey): [string, ...Buffer[]] | undefined {
  const bytes = (field: "e" | "n" | "x" | "y"): Buffer => Buffer.from(jwk[field] ?? "", "base64url");
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") return ["ssh-ed25519", encodeString(bytes("x"))];
  if (jwk.kty === "RSA") return ["ssh-rsa", encodeMpint(bytes("e")), encodeMpint(bytes("n"))];
  const curve = nistCurves[jwk.crv ?? ""];
  if (jwk.kty !== "EC" || curve === undefined) return undefined;
  const point = Buffer.concat([Buffer.of(4), bytes("x"), bytes("y")]);
  return [`ecdsa-sha2-${curve}`, encodeString(curve), encodeString(point)];
}

/** As JWK and as SSH name them. */
export const nistCurves: Readonly<Record<string, string>> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };
