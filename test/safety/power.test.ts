/**
 * The power fails: what a command was told to be stored is there afterwards, and what it had announced before it did it.
 * On a real file system that keeps nothing but what was fsynced.
 */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test, type TestContext } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { Journal, readJournal } from "../../src/machine/interruption/journal.ts";
import { FileStore } from "../../src/store/file-store.ts";
import { newRecord } from "../../src/store/testing/records.ts";
import { systemClock } from "../../src/system/clock.ts";
import { syncDirectory } from "../../src/system/files.ts";
import { authorityPaths, readAuthority } from "../../src/tls/authority-files.ts";
import { ensureAuthority } from "../../src/tls/authority.ts";
import { FragileDisk } from "./fragile-disk.ts";
import { buildProgram, Rig } from "./rig.ts";

function openDisk(context: TestContext): FragileDisk | undefined {
  const disk = FragileDisk.open();
  if (typeof disk !== "string") return disk;
  context.skip(disk);
  return undefined;
}

test("what was stored is there after the power failed", async (context) => {
  using disk = openDisk(context);
  if (disk === undefined) return;
  const store = new FileStore(path.join(disk.folder, "store"), systemClock);
  const stepOf = async (): Promise<unknown> => JSON.parse((await store.load("web")).driverConfigText) as unknown;

  await store.create(newRecord("web", { driverConfigText: '{"Step":"created"}' }));
  disk.cutPower();
  assert.deepEqual(await stepOf(), { Step: "created" });

  await store.save(newRecord("web", { driverConfigText: '{"Step":"saved"}' }));
  disk.cutPower();
  assert.deepEqual(await stepOf(), { Step: "saved" });

  await store.remove("web");
  disk.cutPower();
  assert.deepEqual(await store.list(), []);
});

test("a record that was being replaced is the old or the new one, at whichever write the power failed", async (context) => {
  using disk = openDisk(context);
  if (disk === undefined) return;
  const store = new FileStore(path.join(disk.folder, "store"), systemClock);
  await store.create(newRecord("web", { driverConfigText: '{"Count":0}' }));
  for (let count = 1; count <= 12; count += 1) {
    const saving = store.save(newRecord("web", { driverConfigText: `{"Count":${count}}` })).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
    // What others write makes the folder durable at a time of its own.
    await syncDirectory(store.machineDir("web"));
    await saving;
    disk.cutPower();
    assert.match((await store.load("web")).driverConfigText, /^\{"Count":\d+\}$/u);
  }
});

test("an intent stands before its effect, a result after it", async (context) => {
  using disk = openDisk(context);
  if (disk === undefined) return;
  const machineDir = path.join(disk.folder, "web");
  fs.mkdirSync(machineDir);
  disk.sync();
  const journal = await Journal.open({
    machineDir,
    command: "create",
    createId: "one",
    by: "",
    publish: async () => {},
    clock: systemClock,
  });
  await journal.step("instance", async () => {
    disk.cutPower();
    assert.equal((await readJournal(machineDir))?.has("instance", "begun"), true);
  });
  disk.cutPower();
  assert.equal((await readJournal(machineDir))?.has("instance", "done"), true);
});

test("certificates that were made are there, all of them", async (context) => {
  using disk = openDisk(context);
  if (disk === undefined) return;
  const store = new FileStore(path.join(disk.folder, "store"), systemClock);
  const paths = authorityPaths(store.certsDir);
  const lock = async (): Promise<AsyncDisposable> => await store.lockCertificates({ purpose: "test", waitMs: 0 });
  await ensureAuthority({ paths, userName: "t", keyType: "ecdsa", clock: systemClock, report: () => {}, lock });
  disk.cutPower();
  const { isPending, ...texts } = await readAuthority(paths);
  assert.deepEqual(
    Object.values(texts).map((text) => text?.startsWith("-----BEGIN")),
    [true, true, true, true],
  );
  assert.equal(isPending, false);
});

test("create, the power cut before each change: no instance is lost, and the same create makes no second", async (context) => {
  using disk = openDisk(context);
  if (disk === undefined) return;
  await using rig = await Rig.open(buildProgram(), disk.folder);
  await rig.create("first");
  await rig.remove("first");
  rig.keep();
  const instants = await rig.instantsOf("create", ["web"]);
  for (let at = 1; at <= instants; at += 1) {
    disk.sync();
    assert.equal((await rig.run("create", ["web"], { at })).killed, true, `instant ${at} of ${instants} was not reached`);
    disk.cutPower();
    await rig.assertAllLoad();
    await rig.assertAllFound();
    await rig.create("web").catch((error: unknown) => {
      if (!isMachineError(error, "machine-exists")) throw error;
    });
    assert.equal((await rig.ours()).length, 1, `after instant ${at}`);
    assert.deepEqual(rig.strays(), [], `after instant ${at}`);
    rig.reset();
  }
});
