/** Keys of SSH as TLS has them. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { nistCurves, type PublicKey } from "./public-key.ts";
import { WireReader } from "./wire.ts";

/** The same key for TLS; undefined for kinds that its clients are not given files of: those of hardware, DSA, Ed25519. */
export function tlsKeyOf({ type, blob }: PublicKey): KeyObject | undefined {
  const reader = new WireReader(blob);
  reader.string();
  const base64 = (bytes: Buffer): string => bytes.toString("base64url");
  try {
    if (type === "ssh-rsa") {
      const [e, n] = [reader.string(), reader.string()];
      return createPublicKey({ format: "jwk", key: { kty: "RSA", e: base64(e), n: base64(n[0] === 0 ? n.subarray(1) : n) } });
    }
    const [crv] = Object.entries(nistCurves).find(([, name]) => type === `ecdsa-sha2-${name}`) ?? [];
    if (crv === undefined) return undefined;
    reader.string();
    const point = reader.string();
    const half = (point.length - 1) / 2;
    const [x, y] = [base64(point.subarray(1, 1 + half)), base64(point.subarray(1 + half))];
    return createPublicKey({ format: "jwk", key: { kty: "EC", crv, x, y } });
  } catch {
    return undefined;
  }
}
