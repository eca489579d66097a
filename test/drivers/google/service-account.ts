/** A service account of the fake project: its key file, and whether a token request is signed by its key. */
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { fakeProject } from "./catalogue.ts";

const clientEmail = `ci@${fakeProject}.iam.gserviceaccount.com`;
/** Where key files have their tokens made; the libraries ask there whatever the file says. */
const tokenUrl = "https://oauth2.googleapis.com/token";

export class ServiceAccount {
  readonly privateKey: string;
  readonly #publicKey: string;

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
    });
    this.privateKey = privateKey;
    this.#publicKey = publicKey;
  }

  /** As the console gives it to be downloaded. */
  get keyFile(): string {
    return JSON.stringify({
      type: "service_account",
      project_id: fakeProject,
      private_key_id: "0123456789abcdef0123456789abcdef01234567",
      private_key: this.privateKey,
      client_email: clientEmail,
      client_id: "100000000000000000001",
      token_uri: tokenUrl,
    });
  }

  /** Why an assertion (RFC 7523) gives no token; undefined where it does. */
  refusalOf(assertion: string, nowSeconds = Date.now() / 1000): string | undefined {
    const [header = "", claims = "", signature = ""] = assertion.split(".");
    const { alg } = decode(header);
    const key = createPublicKey(this.#publicKey);
    if (alg !== "RS256" || !verify("RSA-SHA256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url")))
      return "Invalid JWT Signature.";
    const { iss, aud, scope, iat, exp } = decode(claims);
    if (iss !== clientEmail || aud !== tokenUrl) return "Invalid JWT: wrong issuer or audience.";
    if (scope !== "https://www.googleapis.com/auth/compute") return "Invalid scope.";
    const isTimely = Number(iat) <= nowSeconds + 60 && nowSeconds < Number(exp) && Number(exp) - Number(iat) <= 3600;
    return isTimely ? undefined : "Invalid JWT: it must be a short-lived token and in a reasonable timeframe.";
  }
}

function decode(part: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(part, "base64url").toString("utf8")) as Record<string, unknown>;
}
