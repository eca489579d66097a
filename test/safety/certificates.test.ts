/** Whom a machine's engine is believed to be, until when, and what happens when an address or a date changes. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { driverOptions } from "../../src/driver-kit/create-flag.ts";
import { FakeEngine } from "../../src/engine/fake-engine.ts";
import type { ProgressEvent } from "../../src/log/event.ts";
import { certifyAddress, prepareAuthority, renewAuthority } from "../../src/machine/certificates.ts";
import { createMachine } from "../../src/machine/create.ts";
import { engineVersionOf, requireConnection, requireUrl, waitForEngine } from "../../src/machine/host/engine-connection.ts";
import type { Host } from "../../src/machine/host/host.ts";
import { openHost } from "../../src/machine/host/open-host.ts";
import { listMachines } from "../../src/machine/list.ts";
import type { MachineContext } from "../../src/machine/machine-context.ts";
import { systemClock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { createServerCertificate, writeMachineCertificates } from "../../src/tls/machine-certificates.ts";
import { safetyContext } from "./safety-context.ts";

const signal = new AbortController().signal;
const dayMs = 24 * 60 * 60 * 1000;

/** A store, and engines with certificates of its authority. */
class Site {
  readonly storePath = path.join(temporaryFolder(), "store");
  readonly warnings: string[] = [];

  /** @param days how far the clock is off */
  context(days = 0): MachineContext {
    const clock = { ...systemClock, now: () => new Date(Date.now() + days * dayMs) };
    const report = (event: ProgressEvent): void => {
      if (event.type === "log" && event.level === "warn") this.warnings.push(event.text);
    };
    return safetyContext(this.storePath, { clock, reportFor: () => report });
  }

  /** An engine whose certificate is for a machine at an address, which need not be the engine's. */
  async startEngine(machineName: string, address: string, days = 0): Promise<FakeEngine> {
    const context = this.context(days);
    await prepareAuthority(context, signal, "ecdsa");
    const [paths, clock] = [context.certificates, context.clock];
    const request = { paths, machineName, userName: "t", addresses: [address], extraNames: [], isSwarmMaster: false, clock };
    const issued = await createServerCertificate({ ...request, keyType: "ecdsa" });
    const engine = await FakeEngine.start({ certificate: issued.certificate, key: issued.key, clientCa: issued.ca });
    await this.addMachine(machineName, engine.url);
    await writeMachineCertificates(context.store.machineDir(machineName), paths, issued);
    return engine;
  }

  async addMachine(name: string, url: string): Promise<void> {
    const options = driverOptions({ url, "tls-key-type": "ecdsa" });
    await createMachine(this.context(), { name, driverName: "none", options }, signal);
  }

  async open(name: string): Promise<Host> {
    return await openHost(this.context(), name);
  }
}

test("an engine at another address is still its machine's, by name; a docker client is not sent there", async () => {
  const site = new Site();
  await using _engine = await site.startEngine("web", "192.0.2.1");
  const [context, host] = [site.context(), await site.open("web")];
  assert.equal(await engineVersionOf(context, host, signal), "29.0.0");
  await waitForEngine(context, host, signal);
  await requireUrl(context, host, signal);
  const [listed] = await listMachines(context, { timeoutMs: 10_000 }, signal);
  assert.deepEqual([listed?.state, listed?.error], ["Running", ""]);
  await assert.rejects(requireConnection(context, host, false, signal), {
    code: "engine-certificate",
    message: /x509: certificate is valid for 192\.0\.2\.1, not 127\.0\.0\.1\n.*regenerate-certs/u,
  });
});

test("another machine's engine is not believed to be this one's, whatever this one is called", async () => {
  const site = new Site();
  await using engine = await site.startEngine("web", "192.0.2.1");
  for (const name of ["db", "localhost", "192.0.2.1"]) {
    await site.addMachine(name, engine.url);
    const host = await site.open(name);
    await assert.rejects(waitForEngine(site.context(), host, signal), { code: "engine-certificate" }, name);
  }
});

test("the end of certificates is in ls, and announced 30 days ahead", async () => {
  const site = new Site();
  await using _engine = await site.startEngine("web", "127.0.0.1");
  const host = await site.open("web");
  const [listed] = await listMachines(site.context(), { timeoutMs: 10_000 }, signal);
  const daysLeft = (new Date(listed?.certificateExpires ?? "").getTime() - Date.now()) / dayMs;
  assert.ok(daysLeft > 1_079 && daysLeft < 1_081, String(daysLeft));

  await requireConnection(site.context(1_040), host, false, signal);
  assert.deepEqual(site.warnings, []);
  await requireConnection(site.context(1_060), host, false, signal);
  const [ca = "", client = "", own = ""] = site.warnings;
  assert.match(ca, /^The CA certificate .*ca\.pem expires on \d{4}-\d\d-\d\d, \d+ days from now\. Renew it with: /u);
  assert.match(ca, /docker-machine regenerate-certs --client-certs web$/u);
  assert.match(client, /^The client certificate .*cert\.pem expires on/u);
  assert.match(own, /^The certificate of "web" .*server\.pem expires on .*: docker-machine regenerate-certs web$/u);
});

test("regenerate-certs --client-certs renews what is warned of, other commands only what has ended", async () => {
  const site = new Site();
  await prepareAuthority(site.context(), signal, "ecdsa");
  const ca = (): string => readFileSync(path.join(site.storePath, "certs/ca.pem"), "utf8");
  const first = ca();
  await prepareAuthority(site.context(1_060), signal, "ecdsa");
  await renewAuthority(site.context(1_040), signal);
  assert.equal(ca(), first);
  await renewAuthority(site.context(1_060), signal);
  assert.notEqual(ca(), first);
});

test("a machine at its old address needs no certificate; at another, failing to give it one is a warning", async () => {
  const site = new Site();
  await using _stayed = await site.startEngine("web", "127.0.0.1");
  await using _moved = await site.startEngine("db", "192.0.2.1");
  const [web, db] = [await site.open("web"), await site.open("db")];
  for (const { driver } of [web, db]) driver.getIp = async () => "127.0.0.1";
  await certifyAddress(site.context(), web, signal);
  assert.deepEqual(site.warnings, []);
  await certifyAddress(site.context(), db, signal);
  assert.match(
    site.warnings[0] ?? "",
    /^The engine has no certificate for 127\.0\.0\.1: .*\. Try again with: docker-machine regenerate-certs db$/u,
  );
});

test("certificates of a clock that was two days behind are as good as any", async () => {
  const site = new Site();
  await using _engine = await site.startEngine("web", "127.0.0.1", -2);
  await requireConnection(site.context(), await site.open("web"), false, signal);
  assert.deepEqual(site.warnings, []);
});

test("certificates of a clock that was two days ahead are not valid yet: that is said, and nothing is thrown away", async () => {
  const site = new Site();
  await using _engine = await site.startEngine("web", "127.0.0.1", 2);
  const ca = readFileSync(path.join(site.storePath, "certs/ca.pem"), "utf8");
  await assert.rejects(requireConnection(site.context(), await site.open("web"), false, signal), {
    code: "engine-certificate",
    message: /expired or is not yet valid/u,
  });
  const sentence =
    /^The CA certificate .* is valid from .* only, and this computer's clock says 2\S+\. If that is wrong, set it right;/u;
  assert.match(site.warnings[0] ?? "", sentence);
  await site.addMachine("db", "tcp://127.0.0.1:1");
  assert.equal(readFileSync(path.join(site.storePath, "certs/ca.pem"), "utf8"), ca);
  assert.deepEqual((await site.context().store.list()).toSorted(), ["db", "web"]);
});
