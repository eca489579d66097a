/**
 * A process that is killed before its first, second, third, … file operation: whatever it was doing to the store, the
 * store is as it was or as it was to be, and the next command leaves nothing of the interrupted one.
 */
import assert from "node:assert/strict";
import { X509Certificate, createPrivateKey } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileStore } from "../../src/store/file-store.ts";
import { fixtureText, newRecord } from "../../src/store/testing/records.ts";
import { systemClock } from "../../src/system/clock.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { TestProcess } from "../../src/system/testing/test-process.ts";
import { authorityPaths, readAuthority } from "../../src/tls/authority-files.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";

const program = path.join(import.meta.dirname, "crash-program.ts");
/** Far more operations than any of these things takes. */
const mostOperations = 100;
const atOnce = 4;

interface Scene {
  readonly store: FileStore;
  /** What is right after a kill, before any other command. */
  check(): Promise<void>;
}

/** Plays a scene again and again, each time killed one operation later, until the thing is done without being killed. */
async function killAtEveryStep(thing: string, prepare: () => Promise<Scene>): Promise<number> {
  for (let first = 1; first < mostOperations; first += atOnce) {
    const results = await Promise.all(
      Array.from({ length: atOnce }, async (_, index) => await killOnce(thing, first + index, prepare)),
    );
    const done = results.indexOf("done");
    if (done >= 0) return first + done - 1;
  }
  return assert.fail("it never ended");
}

async function killOnce(thing: string, operation: number, prepare: () => Promise<Scene>): Promise<"killed" | "done"> {
  const scene = await prepare();
  const args = [scene.store.root, thing, String(operation)];
  const end = await new TestProcess({ name: "node", program: process.execPath }, program, args).finish();
  assert.equal(end.stderr, "");
  await scene.check();
  await assertNothingLeft(scene.store);
  return end.signal === "SIGKILL" ? "killed" : "done";
}

/** The next commands on the machines and the certificates clean up. */
async function assertNothingLeft(store: FileStore): Promise<void> {
  for (const name of ["web", "old"]) await (await store.lockMachine(name, { purpose: "next", waitMs: 0 })).release();
  await (await store.lockCertificates({ purpose: "next", waitMs: 0 })).release();
  const files = fs.readdirSync(store.root, { recursive: true, encoding: "utf8" });
  assert.deepEqual(
    files.filter((file) => file.includes(".tmp-") || file.includes("-journal")),
    [],
  );
  await store.create(newRecord("another"));
}

async function stepOf(store: FileStore): Promise<unknown> {
  return (JSON.parse((await store.load("web")).driverConfigText) as { Step?: unknown }).Step;
}

async function openStore(): Promise<FileStore> {
  return new FileStore(path.join(temporaryFolder(), "store"), systemClock);
}

test("create: the machine is there with its record, or not at all", async () => {
  const operations = await killAtEveryStep("create", async () => {
    const store = await openStore();
    const check = async (): Promise<void> => {
      if (await store.has("web")) assert.equal(await stepOf(store), "created");
      else assert.deepEqual(await store.list(), []);
    };
    return { store, check };
  });
  assert.ok(operations >= 5, `${operations} operations`);
});

test("save: the record is the old or the new one", async () => {
  const operations = await killAtEveryStep("save", async () => {
    const store = await openStore();
    await store.create(newRecord("web", { driverConfigText: '{"Step":"old"}' }));
    const check = async (): Promise<void> => assert.match(String(await stepOf(store)), /^(old|saved)$/u);
    return { store, check };
  });
  assert.ok(operations >= 3, `${operations} operations`);
});

test("migrate: the old bytes are in one of the two files", async () => {
  const old = fixtureText("version-1");
  const operations = await killAtEveryStep("migrate", async () => {
    const store = await openStore();
    const file = path.join(store.machineDir("old"), "config.json");
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, old);
    const check = async (): Promise<void> => {
      const { driverName } = await store.load("old");
      const kept = driverName === "generic" ? `${file}.bak` : file;
      assert.equal(fs.readFileSync(kept, "utf8"), old);
    };
    return { store, check };
  });
  assert.ok(operations >= 5, `${operations} operations`);
});

test("remove: the machine is whole or gone", async () => {
  const operations = await killAtEveryStep("remove", async () => {
    const store = await openStore();
    await store.create(newRecord("web", { driverConfigText: '{"Step":"old"}' }));
    fs.writeFileSync(path.join(store.machineDir("web"), "id_rsa"), "key");
    const check = async (): Promise<void> => {
      if (!(await store.has("web"))) return assert.deepEqual(await store.list(), []);
      assert.equal(await stepOf(store), "old");
      assert.deepEqual(fs.readdirSync(store.machineDir("web")).toSorted(), ["config.json", "id_rsa"]);
    };
    return { store, check };
  });
  assert.ok(operations >= 2, `${operations} operations`);
});

test("certificates: whoever reads sees none or all, and the next command has all in place", async () => {
  const operations = await killAtEveryStep("certificates", async () => {
    const store = await openStore();
    const paths = authorityPaths(store.certsDir);
    const check = async (): Promise<void> => {
      const { isPending, ...texts } = await readAuthority(paths);
      const found = Object.values(texts).filter((text) => text !== undefined);
      assert.ok(found.length === 0 || found.length === 4, `${found.length} files, ${isPending ? "pending" : "not pending"}`);
      const lock = async (): Promise<AsyncDisposable> => await store.lockCertificates({ purpose: "next", waitMs: 0 });
      await ensureAuthority({ paths, userName: "next", keyType: "ecdsa", clock: systemClock, report: () => {}, lock });
      assertWhole(store.certsDir);
      if (found.length === 4)
        assert.equal(fs.readFileSync(paths.caCertPath, "utf8"), texts.caCert, "what was begun was finished");
    };
    return { store, check };
  });
  assert.ok(operations >= 8, `${operations} operations`);
});

function assertWhole(certsDir: string): void {
  assert.deepEqual(fs.readdirSync(certsDir).toSorted(), ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"]);
  const read = (name: string): string => fs.readFileSync(path.join(certsDir, name), "utf8");
  const [ca, client] = [new X509Certificate(read("ca.pem")), new X509Certificate(read("cert.pem"))];
  assert.ok(ca.checkPrivateKey(createPrivateKey(read("ca-key.pem"))));
  assert.ok(client.checkPrivateKey(createPrivateKey(read("key.pem"))));
  assert.ok(client.verify(ca.publicKey));
}
