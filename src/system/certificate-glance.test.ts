import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { rootCertificates } from "node:tls";
import fc from "fast-check";
import { certificatesIn, derOf, glanceAt, validityOf } from "./certificate-glance.ts";

test("a glance at the certificates that Node carries sees what OpenSSL reads in them", () => {
  for (const pem of rootCertificates) {
    const certificate = new X509Certificate(pem);
    const seen = glanceAt(derOf(pem));
    assert.ok(seen !== undefined, certificate.subject);
    const validity = { notBefore: new Date(certificate.validFrom), notAfter: new Date(certificate.validTo) };
    assert.deepEqual(validityOf(derOf(pem)), validity, certificate.subject);
    const { modulusLength, namedCurve } = certificate.publicKey.asymmetricKeyDetails ?? {};
    assert.equal(seen.key.bits, modulusLength ?? 0, certificate.subject);
    assert.equal(seen.key.curve !== undefined, namedCurve !== undefined, certificate.subject);
    assert.equal(seen.purposes, certificate.keyUsage, certificate.subject);
  }
});

test("bytes that are no certificate show nothing, and nothing is thrown", () => {
  const whole = derOf(rootCertificates[0] ?? "");
  for (const look of [glanceAt, validityOf]) {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.equal(look(bytes), undefined)));
    fc.assert(fc.property(fc.nat(whole.length - 1), (length) => assert.equal(look(whole.subarray(0, length)), undefined)));
  }
  const damaged = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  fc.assert(
    fc.property(
      damaged,
      ([at, byte]) => void [glanceAt, validityOf].map((look) => look(Buffer.from(whole).fill(byte, at, at + 1))),
    ),
  );
  assert.equal(glanceAt(derOf("no PEM")), undefined);
});

test("the certificates of a text are found", () => {
  const [one = "", two = ""] = rootCertificates;
  assert.deepEqual(certificatesIn(`first\n${one}\n${two}\n-----BEGIN CERTIFICATE-----\n`), [one, two]);
});
