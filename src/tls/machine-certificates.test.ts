import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { authorityPaths } from "./authority-files.ts";
import { ensureAuthority } from "./authority.ts";
import {
  createServerCertificate,
  loadServerCertificate,
  writeMachineCertificates,
  type ServerCertificate,
  type ServerCertificateRequest,
} from "./machine-certificates.ts";

const start = new Date("2026-03-04T05:06:07.000Z");
const afterDays = (days: number): FakeClock => new FakeClock(new Date(start.getTime() + days * 24 * 60 * 60 * 1000));

/** A request on a PKI of its own. */
async function newRequest(): Promise<ServerCertificateRequest> {
  const clock = new FakeClock(start);
  const paths = authorityPaths(path.join(temporaryFolder(), "certs"));
  const lock = async (): Promise<AsyncDisposable> => ({ [Symbol.asyncDispose]: async () => {} });
  await ensureAuthority({ paths, userName: "ana", keyType: "ecdsa", clock, report: () => {}, lock });
  return {
    paths,
    machineName: "web",
    userName: "ana",
    addresses: ["192.0.2.7", ""],
    extraNames: ["docker.example.com", "198.51.100.1"],
    isSwarmMaster: false,
    keyType: "ecdsa",
    clock,
  };
}

/** A machine's folder with the certificates asked for. */
async function newMachine(request: ServerCertificateRequest): Promise<{ machineDir: string; server: ServerCertificate }> {
  const machineDir = temporaryFolder();
  const server = await createServerCertificate(request);
  await writeMachineCertificates(machineDir, request.paths, server);
  return { machineDir, server };
}

test("a machine's certificate is for its names, and stands in its folder with the client's", async () => {
  const request = await newRequest();
  const { machineDir, server } = await newMachine(request);
  const certificate = new X509Certificate(server.certificate);
  assert.equal(certificate.subject, "O=ana.web");
  assert.equal(
    certificate.subjectAltName,
    "DNS:docker.example.com, IP Address:198.51.100.1, IP Address:192.0.2.7, DNS:localhost, DNS:web",
  );
  assert.ok(certificate.verify(new X509Certificate(server.ca).publicKey));
  const modes = Object.fromEntries(
    fs.readdirSync(machineDir).map((name) => [name, (fs.statSync(path.join(machineDir, name)).mode & 0o777).toString(8)]),
  );
  assert.deepEqual(modes, { "ca.pem": "644", "cert.pem": "644", "key.pem": "600", "server-key.pem": "600", "server.pem": "644" });
  for (const name of ["ca.pem", "cert.pem", "key.pem"])
    assert.equal(
      fs.readFileSync(path.join(machineDir, name), "utf8"),
      fs.readFileSync(path.join(request.paths.certsDir, name), "utf8"),
    );
});

test("a pair that still serves is kept as it is", async () => {
  const request = await newRequest();
  const { machineDir, server } = await newMachine(request);
  assert.deepEqual(await loadServerCertificate(machineDir, request), server);
  assert.deepEqual(await loadServerCertificate(machineDir, { ...request, extraNames: [] }), server);
  assert.deepEqual(await loadServerCertificate(machineDir, { ...request, clock: afterDays(1000) }), server);
});

test("a pair that does not serve any more is not", async () => {
  const request = await newRequest();
  const { machineDir } = await newMachine(request);
  const load = async (changed: Partial<ServerCertificateRequest>): Promise<ServerCertificate | undefined> =>
    await loadServerCertificate(machineDir, { ...request, ...changed });
  const changes: Readonly<Record<string, Partial<ServerCertificateRequest>>> = {
    "another address": { addresses: ["192.0.2.8"] },
    "another name": { machineName: "db" },
    "a further name": { extraNames: ["docker.example.org"] },
    "a swarm master is a client too": { isSwarmMaster: true },
    "it is about to expire": { clock: afterDays(1060) },
    "it has expired": { clock: afterDays(1100) },
    "it is not valid yet": { clock: afterDays(-1) },
    "another CA": { paths: (await newRequest()).paths },
    "no CA": { paths: authorityPaths(temporaryFolder()) },
  };
  for (const [what, change] of Object.entries(changes)) assert.equal(await load(change), undefined, what);
});

test("a swarm master's pair serves a swarm master", async () => {
  const request = { ...(await newRequest()), isSwarmMaster: true };
  const { machineDir, server } = await newMachine(request);
  assert.deepEqual(await loadServerCertificate(machineDir, request), server);
});

test("halves that do not belong together, or cannot be read, are not kept", async () => {
  const request = await newRequest();
  const other = await createServerCertificate(request);
  for (const text of ["", "rubbish", other.key]) {
    const { machineDir } = await newMachine(request);
    fs.writeFileSync(path.join(machineDir, "server-key.pem"), text);
    assert.equal(await loadServerCertificate(machineDir, request), undefined);
  }
  const { machineDir } = await newMachine(request);
  fs.writeFileSync(path.join(machineDir, "server.pem"), other.certificate);
  assert.equal(await loadServerCertificate(machineDir, request), undefined);
  fs.rmSync(path.join(machineDir, "server.pem"));
  assert.equal(await loadServerCertificate(machineDir, request), undefined);
});
