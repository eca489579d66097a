/**
 * Key pairs for logging in: making them for new machines without ssh-keygen, and looking at the ones users bring
 * before a client trips over them. Reads OpenSSH's own format, PKCS#1, SEC1 and PKCS#8.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from "node:crypto";
import { stat } from "node:fs/promises";
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { makePrivateDirectory, readFileIfExists, writeFileAtomic } from "../system/files.ts";
import type { Computer } from "../system/computer.ts";
import { readKeyText } from "./key-text.ts";
import { formatPublicKey, parsePublicKey, publicKeyFromBlob, publicKeyFromJwk, type PublicKey } from "./public-key.ts";
import { encodeString, encodeUint32, WireReader } from "./wire.ts";

export interface KeyPair {
  /** OpenSSH format, unencrypted. */
  readonly privateKey: string;
  /** One line: `ssh-ed25519 BASE64 COMMENT`. */
  readonly publicKey: string;
}

export interface PrivateKey {
  readonly path: string;
  /** The file's text, mended where {@link flaw} is something that can be mended. */
  readonly text: string;
  /** Why OpenSSH does not read the file as it is, a clause behind its name; undefined where it does. */
  readonly flaw: string | undefined;
  /** Undefined for an encrypted key whose format hides the public half (old PEM) and that has no `.pub` beside it. */
  readonly publicKey: PublicKey | undefined;
  /** What the type of its public half begins with, where the format tells. */
  readonly kind: "ssh-rsa" | "ecdsa-sha2-" | undefined;
  /** Needs a passphrase, so only an agent can use it. */
  readonly encrypted: boolean;
}

/** Names in a machine's folder, newest habit first; 0.16.2 wrote `id_rsa`. */
const machineKeyNames = ["id_ed25519", "id_rsa"] as const;

/** A new ed25519 key pair. The comment must be a single line. */
export function generateKeyPair(comment: string): KeyPair {
  const pair = generateKeyPairSync("ed25519");
  const publicKey = publicKeyOfObject(pair.publicKey);
  if (publicKey === undefined) throw new TypeError("node:crypto gave no ed25519 key");
  const seed = Buffer.from(pair.privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  return {
    privateKey: encodeEd25519(publicKey, seed, comment),
    publicKey: `${formatPublicKey(publicKey)} ${comment}`,
  };
}

/** A new RSA key pair of 3072 bits, as PKCS#1: for providers that take no ed25519 key. The comment must be a single line. */
function generateRsaKeyPair(comment: string): KeyPair {
  const pair = generateKeyPairSync("rsa", { modulusLength: 3072 });
  const publicKey = publicKeyOfObject(pair.publicKey);
  if (publicKey === undefined) throw new TypeError("node:crypto gave no RSA key");
  return {
    privateKey: pair.privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
    publicKey: `${formatPublicKey(publicKey)} ${comment}`,
  };
}

/**
 * The key pair in a machine's folder, made there if there is none, as ed25519 unless RSA is asked for. A pair that is
 * there is kept if it is of a kind that was asked for, or none was; an `id_rsa` of 0.16.2 is. Throws
 * `ssh-key-unusable` where a key is there and cannot be used, and the file errors of `writeFileAtomic`.
 */
export async function ensureKeyPair(
  folder: string,
  comment: string,
  computer: Pick<Computer, "os">,
  type?: "ed25519" | "rsa",
): Promise<{ readonly privateKeyPath: string; readonly publicKey: string }> {
  const isWanted = (name: string): boolean => type === undefined || name === `id_${type}`;
  for (const name of machineKeyNames.filter(isWanted)) {
    const file = path.join(folder, name);
    if ((await readFileIfExists(file)) === undefined) continue;
    const { publicKey } = await loadPrivateKey(file, computer);
    if (publicKey !== undefined) return { privateKeyPath: file, publicKey: `${formatPublicKey(publicKey)} ${comment}` };
  }
  const make = type === "rsa" ? generateRsaKeyPair : generateKeyPair;
  return await writeKeyPair(path.join(folder, `id_${type ?? "ed25519"}`), make(comment));
}

/** As {@link ensureKeyPair}, for one file: a pair that is there stays. Throws `ssh-key-unusable` where it is none. */
export async function ensureKeyPairAt(
  file: string,
  comment: string,
  computer: Pick<Computer, "os">,
): Promise<{ readonly publicKey: string }> {
  if ((await readFileIfExists(file)) === undefined) return await writeKeyPair(file, generateKeyPair(comment));
  const { publicKey } = await loadPrivateKey(file, computer);
  if (publicKey === undefined) throw unusable(`The key pair ${file} cannot be used`, "Move it away.");
  return { publicKey: `${formatPublicKey(publicKey)} ${comment}` };
}

async function writeKeyPair(
  file: string,
  pair: KeyPair,
): Promise<{ readonly privateKeyPath: string; readonly publicKey: string }> {
  await makePrivateDirectory(path.dirname(file));
  await writeFileAtomic(`${file}.pub`, `${pair.publicKey}\n`, 0o644);
  await writeFileAtomic(file, pair.privateKey, 0o600);
  return { privateKeyPath: file, publicKey: pair.publicKey };
}

/** Reads and checks a private key file. Throws `ssh-key-unusable` with 0.16.2's sentence where others may read it. */
export async function loadPrivateKey(file: string, computer: Pick<Computer, "os">): Promise<PrivateKey> {
  const bytes = await readKeyFile(file);
  // That it is no private key counts first: the permissions of a public one need no change.
  const key = parsePrivateKey(file, bytes.toString("utf8"));
  if (computer.os !== "windows") await refuseOpenPermissions(file);
  return key.publicKey === undefined ? { ...key, publicKey: await publicHalfBeside(file) } : key;
}

async function publicHalfBeside(file: string): Promise<PublicKey | undefined> {
  const bytes = await readFileIfExists(`${file}.pub`).catch(() => undefined);
  return bytes === undefined ? undefined : parsePublicKey(bytes.toString("utf8"));
}

async function readKeyFile(file: string): Promise<Buffer> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileIfExists(file);
  } catch (error) {
    throw unusable(`'${file}' is not readable`, "Check the owner and the permissions of the key.", error);
  }
  if (bytes === undefined) throw unusable(`SSH key does not exist: "${file}"`, "Check the path of the key.");
  return bytes;
}

async function refuseOpenPermissions(file: string): Promise<void> {
  const mode = (await stat(file)).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw unusable(`permissions 0${mode.toString(8)} for '${file}' are too open`, `chmod 600 '${file}'`);
}

function parsePrivateKey(file: string, raw: string): PrivateKey {
  const label = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----/u.exec(raw)?.[1];
  if (label === undefined) throw notAKey(file, raw);
  const { text, flaw } = readKeyText(raw);
  const base = { path: file, text, flaw, kind: kinds[label] };
  try {
    if (label === "OPENSSH PRIVATE KEY") return { ...base, ...parseOpenSshKey(text) };
    const encrypted = label.startsWith("ENCRYPTED") || /^Proc-Type: 4,ENCRYPTED/mu.test(text);
    return pkcs8Aware({ ...base, encrypted, publicKey: encrypted ? undefined : publicKeyOfPem(text) });
  } catch (error) {
    const why = flaw === undefined ? "" : ` (it ${flaw})`;
    throw unusable(`The private key ${file} is damaged or of an unknown kind${why}`, "Check it with ssh-keygen -y.", error);
  }
}

const kinds: Readonly<Record<string, PrivateKey["kind"]>> = {
  "RSA PRIVATE KEY": "ssh-rsa",
  "EC PRIVATE KEY": "ecdsa-sha2-",
};

/** OpenSSH knows ed25519 in its own format only. */
function pkcs8Aware(key: PrivateKey): PrivateKey {
  const foreign = key.publicKey?.type === "ssh-ed25519" && key.text.includes("-----BEGIN PRIVATE KEY-----");
  return foreign ? { ...key, flaw: key.flaw ?? "is an ed25519 key in PKCS#8" } : key;
}

/** For a key that OpenSSH is to read as it is. */
export function keyMalformed({ path: file, flaw }: PrivateKey): MachineError {
  return unusable(`The private key ${file} ${flaw}, so that OpenSSH does not read it`, waysOut(file, flaw ?? ""));
}

function waysOut(file: string, flaw: string): string {
  if (/line break at its end/u.test(flaw)) return `Add it: echo >> '${file}'`;
  if (/CR LF/u.test(flaw)) return `Take the carriage returns out: sed -i 's/\\r$//' '${file}'`;
  return "Write it as ssh-keygen makes it, or use --native-ssh, which reads it.";
}

function notAKey(file: string, text: string): MachineError {
  const isPublic = /^(?:ssh-|ecdsa-)\S+ AAAA/u.test(text);
  return isPublic
    ? unusable(`${file} is a public key, not a private one`, `Give the private key: usually ${file.replace(/\.pub$/u, "")}`)
    : unusable(`${file} is not a private key`, "Give a key as ssh-keygen makes it; PuTTY's .ppk files must be converted.");
}

/** The outer part of an openssh-key-v1 file is never encrypted and holds the public key (PROTOCOL.key). */
function parseOpenSshKey(text: string): Pick<PrivateKey, "publicKey" | "encrypted"> {
  const reader = new WireReader(Buffer.from(text.replace(/-----[^-]+-----/gu, ""), "base64"));
  if (reader.take(keyMagic.length).toString("latin1") !== keyMagic) throw new RangeError("No openssh-key-v1 header");
  const cipher = reader.string().toString("latin1");
  reader.string();
  reader.string();
  reader.uint32();
  const publicKey = publicKeyFromBlob(reader.string());
  if (publicKey === undefined) throw new RangeError("No public key in the file");
  return { publicKey, encrypted: cipher !== "none" };
}

function publicKeyOfPem(text: string): PublicKey {
  const publicKey = publicKeyOfObject(createPublicKey(createPrivateKey(text)));
  if (publicKey === undefined) throw new TypeError("SSH does not know this kind of key");
  return publicKey;
}

function publicKeyOfObject(key: KeyObject): PublicKey | undefined {
  return publicKeyFromJwk(key.export({ format: "jwk" }));
}

/**
 * The key in a format that every SSH library reads: PKCS#8, which some do not know, becomes PKCS#1, SEC1 or, for
 * ed25519, OpenSSH's format. The key must not be encrypted.
 */
export function portablePrivateKey(key: PrivateKey): string {
  if (key.encrypted || !key.text.includes("-----BEGIN PRIVATE KEY-----") || key.publicKey === undefined) return key.text;
  const object = createPrivateKey(key.text);
  if (object.asymmetricKeyType === "rsa") return object.export({ type: "pkcs1", format: "pem" }).toString();
  if (object.asymmetricKeyType === "ec") return object.export({ type: "sec1", format: "pem" }).toString();
  return encodeEd25519(key.publicKey, Buffer.from(object.export({ format: "jwk" }).d ?? "", "base64url"), "");
}

const keyMagic = "openssh-key-v1\0";

/** PROTOCOL.key of OpenSSH, cipher "none": padded to 8 bytes with 1, 2, 3, … */
function encodeEd25519(publicKey: PublicKey, seed: Buffer, comment: string): string {
  const check = randomBytes(4);
  const point = publicKey.blob.subarray(-32);
  const secret = Buffer.concat([
    check,
    check,
    encodeString(publicKey.type),
    encodeString(point),
    encodeString(Buffer.concat([seed, point])),
    encodeString(comment),
  ]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (secret.length % 8)) % 8));
  const none = encodeString("none");
  const body = [Buffer.from(keyMagic), none, none, encodeString(""), encodeUint32(1), encodeString(publicKey.blob)];
  const whole = Buffer.concat([...body, encodeString(Buffer.concat([secret, padding]))]);
  const lines = whole.toString("base64").match(/.{1,70}/gu) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** A key that only a passphrase or an agent that holds it could open. */
export function passphraseNeeded(file: string): MachineError {
  return unusable(`The private key ${file} needs a passphrase and no ssh agent holds it`, `Load it first: ssh-add '${file}'`);
}

/** An agent cannot be asked for a key whose public half is not known. */
export function publicHalfMissing(file: string): MachineError {
  return unusable(
    `The private key ${file} is encrypted and its public half, ${file}.pub, is not there, so the ssh agent cannot be asked for it`,
    `Make it, and give the passphrase: ssh-keygen -y -f '${file}' > '${file}.pub'`,
  );
}

function unusable(message: string, hint: string, cause?: unknown): MachineError {
  return new MachineError("ssh-key-unusable", message, { hint, cause });
}
