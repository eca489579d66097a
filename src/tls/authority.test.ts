import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { ProgressEvent } from "../log/event.ts";
import { FakeClock } from "../system/fake-clock.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { authorityPaths, loadClientCredentials, readAuthority, type AuthorityPaths } from "./authority-files.ts";
import { ensureAuthority } from "./authority.ts";
import { issueCertificate } from "./certificate.ts";
import { createServerCertificate } from "./machine-certificates.ts";
import { formatKey, generateKey } from "./key.ts";
import { TestAuthority } from "./testing/pki.ts";

const start = new Date("2026-03-04T05:06:07.000Z");
const day = 24 * 60 * 60 * 1000;

/** A folder for certificates, and what happens there. */
class Workshop {
  readonly certsDir = path.join(temporaryFolder(), "store", "certs");
  readonly events: ProgressEvent[] = [];
  locksTaken = 0;
  clock = new FakeClock(start);
  paths: AuthorityPaths = authorityPaths(this.certsDir);

  async ensure(renewDaysAhead?: number): Promise<void> {
    await ensureAuthority({
      renewDaysAhead,
      paths: this.paths,
      userName: "ana",
      keyType: "ecdsa",
      clock: this.clock,
      report: (event) => void this.events.push(event),
      lock: async () => {
        this.locksTaken += 1;
        return { [Symbol.asyncDispose]: async () => {} };
      },
    });
  }

  takeEvents(): string[] {
    return this.events.splice(0).map((event) => (event.type === "log" ? event.text : event.type));
  }

  read(name: string): string {
    return fs.readFileSync(path.join(this.certsDir, name), "utf8");
  }

  write(name: string, text: string): void {
    fs.mkdirSync(this.certsDir, { recursive: true });
    fs.writeFileSync(path.join(this.certsDir, name), text);
  }

  /** All four files, for comparing. */
  snapshot(): Record<string, string> {
    return Object.fromEntries(fs.readdirSync(this.certsDir).map((name) => [name, this.read(name)]));
  }

  assertWhole(): void {
    const ca = new X509Certificate(this.read("ca.pem"));
    const client = new X509Certificate(this.read("cert.pem"));
    assert.ok(ca.verify(ca.publicKey));
    assert.ok(ca.checkPrivateKey(createPrivateKey(this.read("ca-key.pem"))));
    assert.ok(client.verify(ca.publicKey));
    assert.ok(client.checkPrivateKey(createPrivateKey(this.read("key.pem"))));
    assert.deepEqual(fs.readdirSync(this.certsDir).toSorted(), ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"]);
  }
}

test("makes a CA and a client certificate, says so, and keeps them", async () => {
  const shop = new Workshop();
  await shop.ensure();
  shop.assertWhole();
  assert.deepEqual(shop.events.splice(0), [
    { type: "creating-ca", path: path.join(shop.certsDir, "ca.pem") },
    { type: "creating-client-certificate", path: path.join(shop.certsDir, "cert.pem") },
  ]);
  const before = shop.snapshot();
  await shop.ensure();
  assert.deepEqual(shop.snapshot(), before);
  assert.deepEqual(shop.takeEvents(), []);
  assert.equal(shop.locksTaken, 1, "what is whole needs no lock");
});

test("keys are private, certificates are not, the folder is", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const modes = ["ca.pem", "ca-key.pem", "cert.pem", "key.pem", "."].map((name) =>
    (fs.statSync(path.join(shop.certsDir, name)).mode & 0o777).toString(8),
  );
  assert.deepEqual(modes, ["644", "600", "644", "600", "700"]);
});

test("an expired CA is replaced together with the client certificate", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const before = shop.snapshot();
  shop.takeEvents();
  shop.clock = new FakeClock(new Date(start.getTime() + 1080 * day));
  await shop.ensure();
  shop.assertWhole();
  const after = shop.snapshot();
  for (const name of Object.keys(before)) assert.notEqual(after[name], before[name], name);
  assert.deepEqual(shop.takeEvents(), [
    "CA certificate is outdated and needs to be regenerated",
    "Each machine of this store needs a certificate of the new CA: docker-machine regenerate-certs NAME",
    "creating-ca",
    "creating-client-certificate",
  ]);
});

test("what expires soon is replaced when that is asked for", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const before = shop.snapshot();
  shop.clock = new FakeClock(new Date(start.getTime() + 1060 * day));
  await shop.ensure();
  await shop.ensure(10);
  assert.deepEqual(shop.snapshot(), before);
  await shop.ensure(30);
  shop.assertWhole();
  assert.notEqual(shop.read("ca.pem"), before["ca.pem"]);
});

test("a clock that is two days behind, or ahead, replaces nothing", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const before = shop.snapshot();
  for (const days of [-2, 2]) {
    shop.clock = new FakeClock(new Date(start.getTime() + days * day));
    shop.takeEvents();
    await shop.ensure();
    assert.deepEqual(shop.snapshot(), before);
    // Whose certificates begin in two days.
    const sentences = shop.takeEvents();
    assert.equal(sentences.length, days < 0 ? 2 : 0);
    for (const sentence of sentences) assert.match(sentence, /is valid from 2\S+ only, and this computer's clock says 2/u);
  }
});

test("in the year 9999 no certificate can be made, and the clock is named", async () => {
  const shop = new Workshop();
  shop.clock = new FakeClock(new Date("9999-12-30T00:00:00Z"));
  await assert.rejects(shop.ensure(), {
    code: "certificate-invalid",
    message: "No certificate can be made: this computer's clock says 9999-12-30T00:00:00.000Z",
  });
});

test("an expired client certificate is replaced alone", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const authority = { certificate: new X509Certificate(shop.read("ca.pem")), key: createPrivateKey(shop.read("ca-key.pem")) };
  const key = await generateKey("ecdsa");
  const past = new Date(start.getTime() - 1081 * day);
  shop.write(
    "cert.pem",
    await issueCertificate({ role: { kind: "client" }, organization: "ana", key, issuer: authority, now: past }),
  );
  shop.write("key.pem", formatKey(key));
  const before = shop.snapshot();
  shop.takeEvents();
  await shop.ensure();
  shop.assertWhole();
  assert.equal(shop.read("ca.pem"), before["ca.pem"]);
  assert.equal(shop.read("ca-key.pem"), before["ca-key.pem"]);
  assert.deepEqual(shop.takeEvents(), [
    "Client certificate is outdated and needs to be regenerated",
    "creating-client-certificate",
  ]);
});

test("the mixed pairs that 0.16.2 leaves when it makes the first machines at once are mended", async () => {
  const [one, other] = [new Workshop(), new Workshop()];
  await one.ensure();
  await other.ensure();
  for (const mixed of [["cert.pem", "key.pem"], ["cert.pem"], ["key.pem"]]) {
    for (const name of mixed) one.write(name, other.read(name));
    const ca = one.read("ca.pem");
    await one.ensure();
    one.assertWhole();
    assert.equal(one.read("ca.pem"), ca);
  }
});

test("a missing half of the client's pair is made anew with the other", async () => {
  const shop = new Workshop();
  await shop.ensure();
  for (const name of ["cert.pem", "key.pem"]) {
    fs.rmSync(path.join(shop.certsDir, name));
    await shop.ensure();
    shop.assertWhole();
  }
});

test("a CA key without its certificate is not overwritten", async () => {
  const shop = new Workshop();
  await shop.ensure();
  fs.rmSync(path.join(shop.certsDir, "ca.pem"));
  const before = shop.snapshot();
  await assert.rejects(shop.ensure(), {
    code: "certificate-invalid",
    message: /There is a CA key .*ca-key\.pem but no CA certificate .*ca\.pem/u,
  });
  assert.deepEqual(shop.snapshot(), before);
});

test("a CA whose key is missing or another's is enough while nothing must be signed, and says what is wrong when something must", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const server = {
    paths: shop.paths,
    machineName: "web",
    userName: "ana",
    addresses: ["192.0.2.7"],
    extraNames: [],
    isSwarmMaster: false,
    keyType: "ecdsa",
    clock: shop.clock,
  } as const;
  shop.write("ca-key.pem", formatKey(await generateKey("ecdsa")));
  await shop.ensure();
  await assert.rejects(createServerCertificate(server), {
    code: "certificate-invalid",
    message: /is not that of the CA certificate/u,
  });
  fs.rmSync(path.join(shop.certsDir, "ca-key.pem"));
  await shop.ensure();
  await assert.rejects(createServerCertificate(server), {
    code: "certificate-invalid",
    message: /There is no key .*ca-key\.pem/u,
  });
  fs.rmSync(path.join(shop.certsDir, "cert.pem"));
  await assert.rejects(shop.ensure(), { code: "certificate-invalid", message: /There is no key .*ca-key\.pem/u });
});

test("certificates that the user brought along are used and never overwritten", async () => {
  const shop = new Workshop();
  const own = temporaryFolder();
  const authority = await TestAuthority.create("company", start);
  const file = (name: string): string => path.join(own, name);
  shop.paths = authorityPaths(shop.certsDir, {
    caCertPath: file("ca.pem"),
    clientCertPath: file("me.pem"),
    clientKeyPath: file("me-key.pem"),
    caKeyPath: undefined,
  });
  const client = await authority.issueClient(start);
  const write = (): void => {
    fs.writeFileSync(file("ca.pem"), client.ca);
    fs.writeFileSync(file("me.pem"), client.cert);
    fs.writeFileSync(file("me-key.pem"), client.key);
  };
  write();
  await shop.ensure();
  assert.deepEqual(await loadClientCredentials(shop.paths), client);
  assert.equal(fs.existsSync(shop.certsDir), false);

  const later = new FakeClock(new Date(start.getTime() + 1080 * day));
  shop.clock = later;
  await assert.rejects(shop.ensure(), {
    code: "certificate-invalid",
    message: /The CA certificate .*ca\.pem expired on 2029-02-16/u,
    hint: /will not be overwritten/u,
  });
  shop.clock = new FakeClock(start);
  fs.writeFileSync(file("me-key.pem"), (await authority.issueClient(start)).key);
  await assert.rejects(shop.ensure(), {
    code: "certificate-invalid",
    message: "The client's key is not that of its certificate",
    hint: /me\.pem and .*me-key\.pem will not be overwritten/u,
  });
  write();
  fs.rmSync(file("ca.pem"));
  await assert.rejects(shop.ensure(), { code: "certificate-invalid", message: /There is no CA certificate/u });
  assert.deepEqual(fs.readdirSync(own).toSorted(), ["me-key.pem", "me.pem"]);
});

test("a client certificate of an intermediate that is not in the CA file is the user's business", async () => {
  const shop = new Workshop();
  await shop.ensure();
  const elsewhere = await (await TestAuthority.create("intermediate", start)).issueClient(start);
  shop.write("cert.pem", elsewhere.cert);
  shop.write("key.pem", elsewhere.key);
  const before = shop.snapshot();
  await shop.ensure();
  assert.deepEqual(shop.snapshot(), before);
});

test("files that are named and do not exist are made where they are named", async () => {
  const shop = new Workshop();
  const own = path.join(temporaryFolder(), "made", "here");
  shop.paths = authorityPaths(shop.certsDir, {
    caCertPath: path.join(own, "root.pem"),
    caKeyPath: path.join(own, "root-key.pem"),
  });
  await shop.ensure();
  assert.deepEqual(fs.readdirSync(own).toSorted(), ["root-key.pem", "root.pem"]);
  assert.deepEqual(fs.readdirSync(shop.certsDir).toSorted(), ["cert.pem", "key.pem"]);
  const { ca, cert } = await loadClientCredentials(shop.paths);
  assert.ok(new X509Certificate(cert).verify(new X509Certificate(ca).publicKey));
});

test("a change that was cut off is finished, and is seen as a whole before that", async () => {
  const [shop, source] = [new Workshop(), new Workshop()];
  await shop.ensure();
  await source.ensure();
  const wanted = source.snapshot();
  const files = Object.entries(wanted).map(([name, text]) => ({
    path: path.join(shop.certsDir, name),
    text,
    mode: name.endsWith("key.pem") ? 0o600 : 0o644,
  }));
  for (const done of [0, 1, 2, 3, 4]) {
    await shop.ensure();
    fs.writeFileSync(path.join(shop.certsDir, "pending.json"), JSON.stringify({ files }));
    for (const file of files.slice(0, done)) fs.writeFileSync(file.path, file.text);
    const { isPending, ...texts } = await readAuthority(shop.paths);
    assert.equal(isPending, true);
    assert.deepEqual(texts, {
      caCert: wanted["ca.pem"],
      caKey: wanted["ca-key.pem"],
      clientCert: wanted["cert.pem"],
      clientKey: wanted["key.pem"],
    });
    shop.takeEvents();
    await shop.ensure();
    assert.deepEqual(shop.snapshot(), wanted);
    assert.deepEqual(shop.takeEvents(), []);
    fs.rmSync(shop.certsDir, { recursive: true });
  }
});

test("whoever waited for the lock finds the work done", async () => {
  const shop = new Workshop();
  const other = new Workshop();
  await other.ensure();
  await ensureAuthority({
    paths: shop.paths,
    userName: "ana",
    keyType: "ecdsa",
    clock: shop.clock,
    report: () => assert.fail("nothing is to be made"),
    lock: async () => {
      fs.cpSync(other.certsDir, shop.certsDir, { recursive: true });
      return { [Symbol.asyncDispose]: async () => {} };
    },
  });
  shop.assertWhole();
});

test("a certificate that cannot be read is named and left alone", async () => {
  const shop = new Workshop();
  shop.write("ca.pem", "rubbish");
  await assert.rejects(shop.ensure(), { code: "certificate-invalid", message: /ca\.pem is not a certificate in PEM form/u });
  assert.equal(shop.read("ca.pem"), "rubbish");
});

test("a missing client file is named as 0.16.2 names it", async () => {
  const shop = new Workshop();
  const file = path.join(shop.certsDir, "ca.pem");
  await assert.rejects(loadClientCredentials(shop.paths), {
    code: "certificate-invalid",
    message: `open ${file}: no such file or directory`,
  });
});
