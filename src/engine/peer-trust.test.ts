import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { temporaryFolder } from "../system/testing/folder.ts";
import { certificatesIn } from "../system/certificate-glance.ts";
import { objectionTo } from "./peer-trust.ts";
import { isPlainlyTrusted } from "./plain-trust.ts";

const folder = temporaryFolder();
const openssl = (...args: readonly string[]): void =>
  void execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });

/** A CA and a certificate of it, made by OpenSSL as it is told. */
function pairOf(name: string, { caKey = "rsa:2048", key = "rsa:2048", hash = "sha256", usage = "extendedKeyUsage=serverAuth" }) {
  const curve = (kind: string): string[] =>
    kind.startsWith("ec:") ? ["ec", "-pkeyopt", `ec_paramgen_curve:${kind.slice(3)}`] : [kind];
  const request = ["req", "-nodes", "-subj", `/O=${name}`];
  openssl(...request, "-x509", "-newkey", ...curve(caKey), "-keyout", "ca-key", "-out", "ca", "-days", "9", "-sha1");
  openssl(...request, "-newkey", ...curve(key), "-keyout", "key", "-out", "request");
  fs.writeFileSync(path.join(folder, "usage"), `${usage}\n`);
  openssl(
    "x509",
    "-req",
    "-in",
    "request",
    "-CA",
    "ca",
    "-CAkey",
    "ca-key",
    "-CAcreateserial",
    "-out",
    "cert",
    "-days",
    "9",
    `-${hash}`,
    "-extfile",
    "usage",
  );
  const read = (file: string): string => fs.readFileSync(path.join(folder, file), "utf8");
  const der = new X509Certificate(read("cert")).raw;
  return { objection: objectionTo(der, read("ca")), isPlain: isPlainlyTrusted(der, read("ca")) };
}

const cases: readonly (readonly [title: string, options: Parameters<typeof pairOf>[1], objection: string | undefined])[] = [
  ["RSA-2048 with SHA-256, as 0.16.2 makes them; how a root signed itself does not matter", {}, undefined],
  ["P-256", { key: "ec:prime256v1", caKey: "ec:prime256v1" }, undefined],
  ["no purpose named, which Go takes for any", { usage: "subjectAltName=DNS:web" }, undefined],
  ["SHA-1", { hash: "sha1" }, "x509: cannot verify signature: insecure algorithm SHA1-RSA"],
  ["MD5", { hash: "md5" }, "x509: cannot verify signature: insecure algorithm MD5-RSA"],
  ["SHA-1 on a curve", { caKey: "ec:prime256v1", hash: "sha1" }, "x509: cannot verify signature: insecure algorithm ECDSA-SHA1"],
  ["RSA-1024", { key: "rsa:1024" }, "x509: a key of 1024 bits is too short"],
  ["a CA with RSA-1024", { caKey: "rsa:1024" }, "x509: a key of 1024 bits is too short"],
  ["a curve of 192 bits", { key: "ec:secp192k1" }, "x509: a key on the curve secp192k1 is too short"],
  ["a client's", { usage: "extendedKeyUsage=clientAuth" }, "x509: certificate specifies an incompatible key usage"],
  ["a CA's", { usage: "basicConstraints=CA:TRUE" }, "x509: certificate specifies an incompatible key usage"],
];
/** What is good enough at a glance; of what is not, the other judgement decides. */
const plain = new Set(cases.slice(0, 2).map(([title]) => title));
for (const [title, options, objection] of cases) {
  test(`a certificate: ${title}`, () => {
    const seen = pairOf("engine", options);
    assert.equal(seen.objection, objection);
    assert.equal(seen.isPlain, plain.has(title));
  });
}

test("what holds no certificate is no CA", () => {
  for (const text of [
    "",
    "\n",
    "-----BEGIN CERTIFICATE-----\n",
    "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
  ])
    assert.deepEqual(certificatesIn(text), [], JSON.stringify(text));
});
