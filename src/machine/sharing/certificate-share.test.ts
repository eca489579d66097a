import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { reportNothing } from "../../log/event.ts";
import { parsePublicKey } from "../../ssh/public-key.ts";
import { tlsKeyOf } from "../../ssh/tls-key.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { authorityPaths } from "../../tls/authority-files.ts";
import { ensureAuthority } from "../../tls/authority.ts";
import { createGuestCertificate } from "../../tls/guest-certificate.ts";
import { cannotRevoke, livingCertificates } from "./certificate-share.ts";

const kinds = [
  ["ecdsa", "256"],
  ["ecdsa", "384"],
  ["rsa", "2048"],
] as const;

test("a key that ssh-keygen made is certified for its holder, and for no longer than was said", async () => {
  const folder = temporaryFolder();
  const paths = authorityPaths(path.join(folder, "certs"));
  const lock = async () => ({ [Symbol.asyncDispose]: async () => {} });
  await ensureAuthority({ paths, userName: "owner", keyType: "ecdsa", clock: systemClock, report: reportNothing, lock });
  for (const [type, bits] of kinds) {
    const file = path.join(folder, `${type}-${bits}.pem`);
    spawnSync("ssh-keygen", ["-q", "-t", type, "-b", bits, "-m", "PEM", "-N", "", "-f", file], { stdio: "inherit" });
    const key = parsePublicKey(readFileSync(`${file}.pub`, "utf8"));
    const publicKey = key === undefined ? undefined : tlsKeyOf(key);
    assert.ok(publicKey !== undefined);
    const now = new Date("2026-11-28T12:00:00Z");
    const until = new Date("2026-11-28T20:00:00Z");
    const { certificate, fingerprint } = await createGuestCertificate({ paths, person: "alice@laptop", publicKey, now, until });
    const made = new X509Certificate(certificate);
    assert.ok(made.checkPrivateKey(createPrivateKey(readFileSync(file))), "the file that ssh-keygen wrote is its key.pem");
    assert.ok(made.verify(new X509Certificate(readFileSync(paths.caCertPath)).publicKey));
    assert.match(made.subject, /CN=alice@laptop/u);
    assert.deepEqual([new Date(made.validTo), made.ca, made.keyUsage], [until, false, ["1.3.6.1.5.5.7.3.2"]]);
    assert.match(fingerprint, /^[0-9a-f]{64}$/u);
  }
});

test("keys that no TLS client reads are none", () => {
  for (const text of [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8nUoXJYyxzoWyQrNjTxUvBUHsZVjfyo3KyMyeJFEDl",
    "ssh-rsa AAAAB3NzaC1yc2E=",
  ]) {
    const key = parsePublicKey(text);
    assert.equal(key === undefined ? undefined : tlsKeyOf(key), undefined, text);
  }
});

test("what is over is told no more, and who holds one is not told to be out", () => {
  const now = new Date("2026-11-28T12:00:00Z");
  const given = ["2026-11-28T12:00:00Z", "2026-11-28T13:00:00Z"].map((Until) => ({
    Person: "alice",
    Since: "2026-11-28T11:00:00Z",
    Until,
    Fingerprint: "00",
  }));
  const living = livingCertificates(given, now);
  assert.deepEqual(living, given.slice(1));
  assert.match(cannotRevoke("web", living).message, /"web" takes alice's until 2026-11-28T13:00:00Z/u);
});
