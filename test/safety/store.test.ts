/**
 * Many processes on one store, of both runtimes, and processes that are killed at any instant. Each case is short; with
 * DOCKER_MACHINE_LONG_TESTS=1 it runs with the counts that the promises are stated with.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { isLongRun, runtimes } from "../../src/system/testing/runtimes.ts";
import { TestProcess } from "../../src/system/testing/test-process.ts";
import { authorityPaths } from "../../src/tls/authority-files.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { newRecord } from "../../src/store/testing/records.ts";
import { openssl } from "../support/openssl.ts";

const program = path.join(import.meta.dirname, "store-program.ts");

function openStore(): FileStore {
  return new FileStore(path.join(temporaryFolder(), "store"), systemClock);
}

/** A process on a store; each next one of another runtime. */
function startOne(index: number, root: string, ...args: readonly string[]): TestProcess {
  const runtime = runtimes[index % runtimes.length];
  assert.ok(runtime);
  return new TestProcess(runtime, program, [root, ...args]);
}

function start(count: number, root: string, ...args: readonly string[]): TestProcess[] {
  return Array.from({ length: count }, (_, index) => startOne(index, root, ...args));
}

async function outputsOf(processes: readonly TestProcess[]): Promise<string[]> {
  const ends = await Promise.all(processes.map((each) => each.finish()));
  for (const end of ends) assert.deepEqual({ status: end.status, stderr: end.stderr }, { status: 0, stderr: "" });
  return ends.map((end) => end.stdout);
}

/** All four files are there, belong together, and nothing else is there. */
function assertWholeAuthority(certsDir: string): void {
  assert.deepEqual(fs.readdirSync(certsDir).toSorted(), ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"]);
  const file = (name: string): string => path.join(certsDir, name);
  assert.equal(
    openssl("verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", file("ca.pem"), file("cert.pem")),
    `${file("cert.pem")}: OK`,
  );
  for (const [certificate, key] of [
    ["ca.pem", "ca-key.pem"],
    ["cert.pem", "key.pem"],
  ] as const) {
    const certified = openssl("x509", "-noout", "-pubkey", "-in", file(certificate));
    assert.match(certified, /^-----BEGIN PUBLIC KEY-----/u);
    assert.equal(openssl("pkey", "-pubout", "-in", file(key)), certified);
  }
}

test("readers never fail beside writers", async () => {
  const [writers, readers, reads] = isLongRun ? [4, 4, 2_500] : [2, 2, 150];
  const store = openStore();
  await store.create(newRecord("web"));
  const writing = start(writers, store.root, "write", "web");
  for (const writer of writing) await writer.started();
  try {
    await outputsOf(start(readers, store.root, "read", "web", String(reads)));
  } finally {
    for (const writer of writing) await writer.kill();
  }
  const { Count } = JSON.parse((await store.load("web")).driverConfigText) as { Count: number };
  assert.ok(Count > 0, "there was writing meanwhile");
});

test("a process that is killed while it writes loses nothing and leaves nothing", async () => {
  const kills = isLongRun ? 3_000 : 10;
  const store = openStore();
  await store.create(newRecord("web"));
  for (let round = 0; round < kills; round += 1) {
    const writer = startOne(round, store.root, "write", "web");
    await writer.started();
    await delay(Math.random() * 12);
    await writer.kill();
    assert.equal((await store.load("web")).name, "web");
    await (await store.lockMachine("web", { purpose: "test", waitMs: 0 })).release();
    assert.deepEqual(fs.readdirSync(store.machineDir("web")), ["config.json"]);
    assert.deepEqual(fs.readdirSync(path.join(store.root, "machines")), ["web"]);
  }
});

test("of many processes that create one name, one wins", async () => {
  const [processes, rounds] = isLongRun ? [32, 20] : [4, 1];
  const store = openStore();
  for (let round = 0; round < rounds; round += 1) {
    const outputs = await outputsOf(start(processes, store.root, "create", `web${round}`));
    const outcomes = outputs.map((output) => output.replace("ready\n", "").trim()).toSorted();
    assert.deepEqual(outcomes, [...Array<string>(processes - 1).fill("machine-exists"), "won"]);
    assert.equal((await store.load(`web${round}`)).name, `web${round}`);
  }
  assert.equal(fs.readdirSync(path.join(store.root, "machines")).length, rounds);
});

test("many first processes make one whole set of certificates", async () => {
  const [sizes, rounds, keyType] = isLongRun ? [[8, 32, 64], 20, "rsa"] : [[4], 1, "ecdsa"];
  for (const size of sizes) {
    for (let round = 0; round < rounds; round += 1) {
      const store = openStore();
      const outputs = await outputsOf(start(size, store.root, "authority", keyType));
      const makers = outputs.filter((output) => output.includes("creating-ca"));
      assert.equal(makers.length, 1, "only one process makes them");
      assertWholeAuthority(store.certsDir);
    }
  }
});

test("certificates are whole after the next command, whenever their maker was killed", async () => {
  const kills = isLongRun ? 500 : 6;
  let interrupted = 0;
  for (let round = 0; round < kills; round += 1) {
    const root = temporaryFolder();
    const maker = startOne(round, root, "authorities", "ecdsa");
    await maker.started();
    await delay(Math.random() * 100);
    await maker.kill();
    for (const name of fs.readdirSync(root)) {
      const store = new FileStore(path.join(root, name), systemClock);
      const before = fs.existsSync(store.certsDir) ? fs.readdirSync(store.certsDir).length : 0;
      if (before !== 4) interrupted += 1;
      const lock = (): Promise<AsyncDisposable> => store.lockCertificates({ purpose: "test", waitMs: 0 });
      await ensureAuthority({
        paths: authorityPaths(store.certsDir),
        userName: "t",
        keyType: "ecdsa",
        clock: systemClock,
        report: () => {},
        lock,
      });
      if (before !== 4 || !isLongRun) assertWholeAuthority(store.certsDir);
    }
  }
  assert.ok(interrupted > 0 || !isLongRun, "some were killed at work");
});
