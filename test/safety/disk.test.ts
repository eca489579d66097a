/** Disks that are full or cannot be written, as real file systems in memory: one clear sentence, and what was there stays. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test, type TestContext } from "node:test";
import { FileStore } from "../../src/store/file-store.ts";
import { newRecord } from "../../src/store/testing/records.ts";
import { systemClock } from "../../src/system/clock.ts";
import { authorityPaths } from "../../src/tls/authority-files.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";

/** A file system of some pages of 4 KiB, or the reason why there can be none. */
function mount(context: TestContext, pages: number): { folder: string } | { skip: string } {
  const folder = fs.mkdtempSync(path.join(tmpdir(), "docker-machine-test-"));
  context.after(() => {
    spawnSync("umount", ["-l", folder]);
    fs.rmdirSync(folder);
  });
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${pages * 4}k`, "docker-machine-test", folder], {
    encoding: "utf8",
  });
  if (status !== 0) return { skip: `no file system can be mounted here: ${stderr.trim()}` };
  return { folder };
}

/** Leaves no byte free. */
function fill(folder: string): void {
  const file = fs.openSync(path.join(folder, "filler"), "w");
  try {
    for (;;) fs.writeSync(file, Buffer.alloc(4096));
  } catch {
    // That was the last one.
  } finally {
    fs.closeSync(file);
  }
}

function filesIn(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .toSorted();
}

async function ensure(store: FileStore): Promise<void> {
  await ensureAuthority({
    paths: authorityPaths(store.certsDir),
    userName: "tester",
    keyType: "ecdsa",
    clock: systemClock,
    report: () => {},
    lock: async () => await store.lockCertificates({ purpose: "create", waitMs: 0 }),
  });
}

test("a full disk", async (context) => {
  const mounted = mount(context, 64);
  if ("skip" in mounted) return context.skip(mounted.skip);
  const store = new FileStore(path.join(mounted.folder, "store"), systemClock);
  await store.create(newRecord("web"));
  await (await store.lockMachine("web", { purpose: "start", waitMs: 0 })).release();
  fill(mounted.folder);
  const before = filesIn(mounted.folder);
  const full = { code: "disk-full", message: /^Cannot (write|create) .*: no space left$/u, hint: /Free some space/u };

  await assert.rejects(store.save(newRecord("web", { driverConfigText: JSON.stringify({ Filler: "x".repeat(5000) }) })), full);
  await assert.rejects(store.create(newRecord("db")), full);
  await assert.rejects(ensure(store), full);
  assert.deepEqual(filesIn(mounted.folder), [...before, "certificates.lock"].toSorted(), "no half files are left");
  assert.deepEqual(await store.list(), ["web"]);
  assert.equal((await store.load("web")).driverName, "none");

  await (await store.lockMachine("web", { purpose: "rm", waitMs: 0 })).release();
  await store.remove("web");
  assert.deepEqual(await store.list(), [], "removing needs no space");
  await store.create(newRecord("db"));
});

test("a disk that fills while certificates are made leaves none or all", async (context) => {
  const mounted = mount(context, 24);
  if ("skip" in mounted) return context.skip(mounted.skip);
  const filler = path.join(mounted.folder, "filler");
  for (let free = 0; free <= 10; free += 1) {
    const store = new FileStore(path.join(mounted.folder, `store${free}`), systemClock);
    fs.mkdirSync(store.root);
    await (await store.lockCertificates({ purpose: "test", waitMs: 0 })).release();
    fill(mounted.folder);
    fs.truncateSync(filler, fs.statSync(filler).size - free * 4096);
    const outcome = await ensure(store).then(
      () => "made",
      (error: { code?: string }) => error.code,
    );
    fs.truncateSync(filler, 0);
    if (outcome !== "made") assert.equal(outcome, "disk-full");
    const found = fs.existsSync(store.certsDir) ? filesIn(store.certsDir) : [];
    if (!found.includes("pending.json")) assert.ok(found.length === 0 || found.length === 4, found.join());
    await ensure(store);
    assert.deepEqual(filesIn(store.certsDir), ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"]);
    fs.rmSync(store.root, { recursive: true });
  }
});

test("a disk that cannot be written", async (context) => {
  const mounted = mount(context, 64);
  if ("skip" in mounted) return context.skip(mounted.skip);
  const store = new FileStore(path.join(mounted.folder, "store"), systemClock);
  await store.create(newRecord("web"));
  await ensure(store);
  assert.equal(spawnSync("mount", ["-o", "remount,ro", mounted.folder]).status, 0);
  const readOnly = {
    code: "store-unusable",
    message: /^Cannot (write|create|remove) .*: the file system is read-only$/u,
    hint: /--storage-path/u,
  };

  await assert.rejects(store.save(newRecord("web", { driverName: "generic" })), readOnly);
  await assert.rejects(store.create(newRecord("db")), readOnly);
  await assert.rejects(store.remove("web"), readOnly);
  await assert.rejects(store.lockMachine("web", { purpose: "start", waitMs: 0 }), readOnly);
  await store.save(await store.load("web"));
  await ensure(store);
  assert.deepEqual(await store.list(), ["web"], "reading goes on");
});
