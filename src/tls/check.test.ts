import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../system/testing/folder.ts";
import { certificateFacts, loadCertificateFacts, verifiesAgainst } from "./check.ts";
import { validityState, validityWarning } from "./validity.ts";
import { TestAuthority } from "./testing/pki.ts";

const start = new Date("2026-03-04T05:06:00.000Z");
const day = 24 * 60 * 60 * 1000;
const afterDays = (days: number): Date => new Date(start.getTime() - 5 * 60_000 + days * day);

async function serverFacts(): Promise<ReturnType<typeof certificateFacts>> {
  const authority = await TestAuthority.create("tester", start);
  const { certificate } = await authority.issue(
    { kind: "server", names: ["192.0.2.7", "::1", "web.example.com"], isSwarmMaster: false },
    start,
  );
  return certificateFacts(certificate, "server.pem");
}

test("a certificate's names and dates are read", async () => {
  assert.deepEqual(await serverFacts(), {
    file: "server.pem",
    notBefore: new Date("2026-03-04T05:01:00.000Z"),
    notAfter: new Date("2029-02-16T05:01:00.000Z"),
    names: ["192.0.2.7", "0:0:0:0:0:0:0:1", "web.example.com"],
  });
  const { certificate } = await (await TestAuthority.create()).issue({ kind: "client" });
  assert.deepEqual(certificateFacts(certificate, "cert.pem").names, []);
});

test("a file that is not there has no facts", async () => {
  assert.equal(await loadCertificateFacts(path.join(temporaryFolder(), "server.pem")), undefined);
});

test("the end of validity is announced 30 days ahead", async () => {
  const facts = await serverFacts();
  const states = [-1, 0, 1050, 1050.001, 1079.5, 1080, 1080.001].map((days) => validityState(facts, afterDays(days)));
  assert.deepEqual(states, ["not-yet-valid", "valid", "valid", "expiring", "expiring", "expiring", "expired"]);
  const warn = (days: number): string | undefined => validityWarning("The certificate", facts, afterDays(days));
  assert.equal(warn(1), undefined);
  assert.equal(warn(1078.5), "The certificate server.pem expires on 2029-02-16, 1 day from now");
  assert.equal(warn(1060), "The certificate server.pem expires on 2029-02-16, 20 days from now");
  assert.equal(warn(1081), "The certificate server.pem expired on 2029-02-16");
  assert.match(warn(-2) ?? "", /is valid from 2026-03-04T05:01:00.000Z only: this computer's clock may be wrong/u);
});

test("a certificate verifies against the CA that signed it, while it is valid", async () => {
  const [one, other] = [await TestAuthority.create("tester", start), await TestAuthority.create("tester", start)];
  const { cert } = await one.issueClient(start);
  assert.equal(verifiesAgainst(cert, one.ca, afterDays(1)), true);
  assert.equal(verifiesAgainst(cert, other.ca, afterDays(1)), false);
  assert.equal(verifiesAgainst(cert, one.ca, afterDays(1081)), false);
});
