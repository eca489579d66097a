import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "../../../test/support/failure.ts";
import { hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import { createTestPki } from "../../../test/provision/test-pki.ts";
import { certificatesIn, describeAuthority, ownerIdsOf, sharingOf, type Sharing } from "./owners.ts";

const address = "192.0.2.7";
const [alice, bob] = [await createTestPki(), await createTestPki()];
const server = (await alice.server(address)).certificate;

type Asked = NonNullable<Parameters<typeof provisionRequest>[0]>;

/** Bob's request on a host where that CA and a certificate of Alice's lie. */
function sharing(present: string, asked: Asked = {}): Sharing {
  const ownFiles = new Map([
    ["/etc/docker/ca.pem", present],
    ["/etc/docker/server.pem", server],
  ]);
  return sharingOf(hostFacts({ ownFiles }), provisionRequest({ caCertificate: bob.ca, address, ...asked }), "/etc/docker");
}

test("a host without a CA, and one with ours, has no other owner", () => {
  assert.deepEqual(sharingOf(hostFacts(), provisionRequest(), "/etc/docker").others, []);
  assert.deepEqual(sharing(bob.ca), { others: [], ca: bob.ca, trusted: [] });
});

test("the CA that this store had before is no other owner's, nor any on a machine that we made", () => {
  assert.deepEqual(sharing(alice.ca, { formerCa: alice.ca }).others, []);
  assert.deepEqual(sharing(alice.ca, { adopted: false }).others, []);
});

test("another owner's CA gives way, unless it is shared", () => {
  assert.deepEqual(sharing(alice.ca), { others: certificatesIn(alice.ca), ca: bob.ca, trusted: [] });
  const shared = sharing(alice.ca, { engine: { shareCa: true } });
  assert.deepEqual(certificatesIn(shared.ca), [...certificatesIn(bob.ca), ...certificatesIn(alice.ca)]);
  assert.deepEqual(shared.trusted, certificatesIn(alice.ca));
});

test("what is shared stays shared, without the flag and to the byte", () => {
  const present = `${alice.ca}${bob.ca}`;
  assert.deepEqual(sharing(present), { others: certificatesIn(alice.ca), ca: present, trusted: certificatesIn(alice.ca) });
});

test("an engine that proves itself with our certificate needs no other CA to be trusted", () => {
  const { trusted } = sharing(`${alice.ca}${bob.ca}`, { caCertificate: alice.ca });
  assert.deepEqual(trusted, []);
});

test("a certificate that is not for the address cannot be shared, and what it is for is said", async () => {
  const error = await failureOf(() => sharing(alice.ca, { address: "192.0.2.8", engine: { shareCa: true } }));
  assert.equal(error.code, "engine-config-conflict");
  assert.match(error.message, /is not for 192\.0\.2\.8 \(it is for IP Address:192\.0\.2\.7\)/u);
});

test("an owner is named by a digest that a renewal adds to, and shown by what the CA says of itself", () => {
  assert.deepEqual(ownerIdsOf(provisionRequest({ caCertificate: "" })), []);
  const [now, former] = ownerIdsOf(provisionRequest({ caCertificate: bob.ca, formerCa: alice.ca }));
  assert.match(`${now} ${former}`, /^[0-9a-f]{16} [0-9a-f]{16}$/u);
  assert.deepEqual(ownerIdsOf(provisionRequest({ caCertificate: bob.ca.replaceAll("\n", "\r\n"), formerCa: bob.ca })), [now]);
  assert.match(describeAuthority(alice.ca), /^O=test \(since \d{4}-\d\d-\d\d, SHA-256 [0-9A-F:]{23}\.\.\.\)$/u);
  assert.equal(describeAuthority("nonsense"), "one that cannot be read");
});
