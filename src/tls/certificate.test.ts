import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../system/testing/folder.ts";
import { issueCertificate, parseCertificate } from "./certificate.ts";
import type { CertificateRole, Issuer } from "./certificate-encoder.ts";
import { formatKey, generateKey, parseKey, type KeyType } from "./key.ts";

const now = new Date("2026-03-04T05:06:07.890Z");
const server: CertificateRole = {
  kind: "server",
  names: ["192.0.2.7", "[2001:db8::1]", "localhost", "web", "localhost", " "],
  isSwarmMaster: false,
};

async function newIssuer(type: KeyType = "ecdsa", organization = "tester"): Promise<Issuer> {
  const key = await generateKey(type);
  return {
    key,
    certificate: new X509Certificate(await issueCertificate({ role: { kind: "authority" }, organization, key, now })),
  };
}

async function issue(role: CertificateRole, issuer: Issuer, organization = "tester.web"): Promise<X509Certificate> {
  return new X509Certificate(await issueCertificate({ role, organization, key: await generateKey("ecdsa"), issuer, now }));
}

interface Printed {
  readonly text: string;
  extension(name: string): string | undefined;
}

/** What openssl reads in a certificate: an opinion that is not ours. */
function print(certificate: X509Certificate): Printed {
  const text = spawnSync("openssl", ["x509", "-noout", "-text"], { input: certificate.toString(), encoding: "utf8" }).stdout;
  const extension = (name: string): string | undefined =>
    new RegExp(`X509v3 ${name}: *(critical)?\\s+(.+)`, "u").exec(text)?.slice(1).join(" ").trim();
  return { text, extension };
}

function verify(certificate: X509Certificate, ca: X509Certificate, ...args: readonly string[]): string {
  const folder = temporaryFolder();
  fs.writeFileSync(path.join(folder, "ca.pem"), ca.toString());
  const common = [
    "verify",
    "-x509_strict",
    "-attime",
    String(Math.floor(now.getTime() / 1000)),
    "-CAfile",
    path.join(folder, "ca.pem"),
    ...args,
  ];
  const { stdout, stderr } = spawnSync("openssl", common, { input: certificate.toString(), encoding: "utf8" });
  return (stdout + stderr).trim();
}

test("a CA says what 0.16.2's says", async () => {
  const { certificate } = await newIssuer("rsa");
  const printed = print(certificate);
  assert.equal(certificate.subject, "O=tester");
  assert.equal(certificate.issuer, "O=tester");
  assert.equal(new Date(certificate.validFrom).toISOString(), "2026-03-04T05:01:00.000Z");
  assert.equal(new Date(certificate.validTo).getTime() - new Date(certificate.validFrom).getTime(), 1080 * 24 * 60 * 60 * 1000);
  assert.match(printed.text, /Signature Algorithm: sha256WithRSAEncryption/u);
  assert.match(printed.text, /Public-Key: \(2048 bit\)/u);
  assert.equal(printed.extension("Key Usage"), "critical Digital Signature, Key Encipherment, Key Agreement, Certificate Sign");
  assert.equal(printed.extension("Basic Constraints"), "critical CA:TRUE");
  assert.equal(printed.extension("Extended Key Usage"), undefined);
});

test("a client certificate says what 0.16.2's says", async () => {
  const issuer = await newIssuer("rsa");
  const certificate = await issue({ kind: "client" }, issuer, "tester.<bootstrap>");
  const printed = print(certificate);
  assert.match(printed.text, /Subject: O ?= ?"?tester\.<bootstrap>"?\n/u);
  assert.equal(printed.extension("Key Usage"), "critical Digital Signature");
  assert.equal(printed.extension("Extended Key Usage"), "TLS Web Client Authentication");
  assert.equal(printed.extension("Basic Constraints"), "critical CA:FALSE");
  assert.equal(certificate.subjectAltName, undefined);
});

test("a server certificate is for each of its names once, addresses as addresses", async () => {
  const issuer = await newIssuer();
  const certificate = await issue(server, issuer);
  const printed = print(certificate);
  assert.equal(certificate.subjectAltName, "IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:1, DNS:localhost, DNS:web");
  assert.equal(printed.extension("Key Usage"), "critical Digital Signature, Key Agreement");
  assert.equal(printed.extension("Extended Key Usage"), "TLS Web Server Authentication");
});

test("a swarm master's certificate is a client's too", async () => {
  const certificate = await issue({ ...server, isSwarmMaster: true }, await newIssuer());
  assert.equal(
    print(certificate).extension("Extended Key Usage"),
    "TLS Web Server Authentication, TLS Web Client Authentication",
  );
});

for (const type of ["rsa", "ecdsa"] as const) {
  test(`openssl verifies certificates of an ${type} CA, strictly`, async () => {
    const issuer = await newIssuer(type);
    const client = await issue({ kind: "client" }, issuer);
    const web = await issue(server, issuer);
    assert.equal(verify(client, issuer.certificate, "-purpose", "sslclient"), "stdin: OK");
    for (const check of [
      ["-verify_ip", "192.0.2.7"],
      ["-verify_ip", "2001:db8::1"],
      ["-verify_hostname", "web"],
    ]) {
      assert.equal(verify(web, issuer.certificate, "-purpose", "sslserver", ...check), "stdin: OK");
    }
    assert.match(verify(web, issuer.certificate, "-verify_ip", "192.0.2.8"), /IP address mismatch/u);
    assert.match(verify(web, (await newIssuer(type)).certificate), /verification failed/u);
  });
}

test("a name that no DNS has cannot stand in a certificate", async () => {
  const issuer = await newIssuer();
  for (const name of ["bücher", "two words"]) {
    await assert.rejects(issue({ ...server, names: [name] }, issuer), {
      code: "usage",
      message: new RegExp(`for "${name}"`, "u"),
    });
  }
});

test("serial numbers are 128 bits, positive and never the same", async () => {
  const issuer = await newIssuer();
  const certificates = await Promise.all(Array.from({ length: 40 }, () => issue({ kind: "client" }, issuer)));
  const numbers = certificates.map((certificate) => certificate.serialNumber);
  assert.equal(new Set(numbers).size, numbers.length);
  for (const number of numbers) assert.match(number, /^[0-9A-F]{1,32}$/u);
  assert.ok(
    numbers.some((number) => /^[89A-F]/u.test(number) && number.length === 32),
    "the highest bit is used and is not a sign",
  );
});

test("the issuer's name is taken over byte by byte, whatever another program wrote into it", async () => {
  const folder = temporaryFolder();
  const file = (name: string): string => path.join(folder, name);
  const subject = '/C=DE/O=Bücher & Söhne/OU=a+OU=b/emailAddress=ca@example.com/CN=Root, "CA"';
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-multivalue-rdn", "-utf8", "-subj", subject, "-days", "30"];
  const made = spawnSync("openssl", [...args, "-keyout", file("ca-key.pem"), "-out", file("ca.pem")], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  const ca = parseCertificate(fs.readFileSync(file("ca.pem"), "utf8"), "ca.pem");
  const issuer = { certificate: ca, key: parseKey(fs.readFileSync(file("ca-key.pem"), "utf8"), "ca-key.pem") };
  const certificate = new X509Certificate(
    await issueCertificate({
      role: { kind: "client" },
      organization: "x",
      key: await generateKey("ecdsa"),
      issuer,
      now: new Date(),
    }),
  );
  assert.equal(certificate.checkIssued(ca), true);
  assert.equal(certificate.verify(ca.publicKey), true);
  // The old hash is one of the name's very bytes, and Go compares those.
  const hashOf = (kind: "subject" | "issuer", pem: string): string =>
    spawnSync("openssl", ["x509", "-noout", `-${kind}_hash_old`], { input: pem, encoding: "utf8" }).stdout.trim();
  assert.match(hashOf("subject", ca.toString()), /^[0-9a-f]{8}$/u);
  assert.equal(hashOf("issuer", certificate.toString()), hashOf("subject", ca.toString()));
});

test("a CA with an Ed25519 key signs, one with a key that does not sign is refused with a reason", async () => {
  const authority = await newIssuer();
  const edKey = generateKeyPairSync("ed25519").privateKey;
  const ed = {
    key: edKey,
    certificate: new X509Certificate(
      await issueCertificate({ role: { kind: "authority" }, organization: "ed", key: edKey, now }),
    ),
  };
  assert.equal(verify(await issue({ kind: "client" }, ed), ed.certificate), "stdin: OK");
  const exchangeKey = generateKeyPairSync("x25519").privateKey;
  await assert.rejects(issue({ kind: "client" }, { ...authority, key: exchangeKey }), {
    code: "certificate-invalid",
    message: /x25519/u,
  });
});

test("keys are written in the forms that Go's readers know, and read in any", async () => {
  const rsa = await generateKey("rsa");
  const ec = await generateKey("ecdsa");
  assert.match(formatKey(rsa), /^-----BEGIN RSA PRIVATE KEY-----\n/u);
  assert.match(formatKey(ec), /^-----BEGIN EC PRIVATE KEY-----\n/u);
  for (const key of [rsa, ec]) {
    assert.ok(parseKey(formatKey(key), "key.pem").equals(key));
    assert.ok(parseKey(key.export({ type: "pkcs8", format: "pem" }).toString(), "key.pem").equals(key));
  }
});

test("a key that cannot be read is named, and its content is not", () => {
  assert.throws(
    () => parseKey("canary-secret", "/certs/ca-key.pem"),
    (error: Error) => {
      assert.equal(error.message, "/certs/ca-key.pem is not a private key in PEM form");
      assert.doesNotMatch(JSON.stringify(error) + String(error.cause), /canary/u);
      return true;
    },
  );
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "x" }).toString();
  assert.throws(() => parseKey(pem, "/certs/ca-key.pem"), {
    message: "/certs/ca-key.pem is protected by a passphrase",
    hint: /openssl pkey/u,
  });
});

test("a file that is no certificate is named", () => {
  assert.throws(() => parseCertificate("", "/certs/ca.pem"), {
    code: "certificate-invalid",
    message: "/certs/ca.pem is not a certificate in PEM form",
  });
});
