import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { systemClock } from "../system/clock.ts";
import { FileStore } from "./file-store.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { fixtureText, goldenText, newRecord } from "./testing/records.ts";
import { describeStoreContract } from "./testing/store-contract.ts";

function openStore(): FileStore {
  return new FileStore(path.join(temporaryFolder(), "deep", "store"), systemClock);
}

function plant(store: FileStore, machine: string, text: string, file = "config.json"): string {
  fs.mkdirSync(store.machineDir(machine), { recursive: true });
  const target = path.join(store.machineDir(machine), file);
  fs.writeFileSync(target, text);
  return target;
}

function modeOf(file: string): string {
  return (fs.statSync(file).mode & 0o777).toString(8);
}

/** A process id that was some process's a moment ago. */
function deadPid(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

describeStoreContract("FileStore", async () => {
  const store = openStore();
  return {
    store,
    plant: async (machine, text) => void plant(store, machine, text),
    stored: async (machine, file = "config.json") => {
      const target = path.join(store.machineDir(machine), file);
      return fs.existsSync(target) ? fs.readFileSync(target, "utf8") : undefined;
    },
  };
});

test("nothing is made before something is written", async () => {
  const store = openStore();
  await store.list();
  await store.has("web");
  await store.load("web").catch(() => {});
  await store.remove("web");
  await store.sweep();
  assert.equal(fs.existsSync(path.dirname(store.root)), false);
});

test("folders and files are private, also under a generous umask", async () => {
  const store = openStore();
  const umask = process.umask(0o000);
  try {
    await store.create(newRecord("web"));
    await store.save(newRecord("web", { driverName: "generic" }));
    await using _lock = await store.lockMachine("web", { purpose: "test", waitMs: 0 });
  } finally {
    process.umask(umask);
  }
  const folders = [store.root, path.join(store.root, "machines"), store.machineDir("web"), path.join(store.root, "locks")];
  assert.deepEqual(folders.map(modeOf), ["700", "700", "700", "700"]);
  assert.equal(modeOf(path.join(store.machineDir("web"), "config.json")), "600");
});

test("a file is written only when the record changed", async () => {
  const store = openStore();
  const file = plant(store, "alpha", goldenText("alpha"));
  const before = fs.statSync(file);
  await store.save(await store.load("alpha"));
  assert.equal(fs.statSync(file).ino, before.ino);
  assert.equal(fs.statSync(file).mtimeMs, before.mtimeMs);
  await store.save({ ...(await store.load("alpha")), driverName: "generic" });
  assert.notEqual(fs.statSync(file).ino, before.ino);
  assert.equal(modeOf(file), "600");
});

test("the backup of a migrated record holds its very bytes, also such as are no UTF-8", async () => {
  const store = openStore();
  const bytes = Buffer.from(fixtureText("version-1").replace('"Boot2DockerURL": ""', '"Boot2DockerURL": "\u00ff"'), "latin1");
  const file = plant(store, "dev", "");
  fs.writeFileSync(file, bytes);
  await store.save(await store.load("dev"));
  assert.deepEqual(fs.readFileSync(`${file}.bak`), bytes);
});

test("an empty folder is no machine and no obstacle", async () => {
  const store = openStore();
  fs.mkdirSync(store.machineDir("web"), { recursive: true });
  assert.deepEqual(await store.list(), []);
  assert.deepEqual(await store.facts(({ name }) => name), []);
  assert.equal(await store.has("web"), false);
  await assert.rejects(store.load("web"), { code: "machine-not-found" });
  await store.create(newRecord("web"));
  assert.equal((await store.load("web")).name, "web");
});

test("a folder without config.json is a machine that cannot be read, and is not taken over", async () => {
  const store = openStore();
  plant(store, "web", "key", "id_rsa");
  assert.deepEqual(await store.list(), ["web"]);
  await assert.rejects(store.load("web"), {
    code: "record-unreadable",
    message: `config.json of machine "web" is missing in ${store.machineDir("web")}`,
    hint: "Restore it from a backup, or remove what is left of the machine with: docker-machine rm -f web",
  });
  await assert.rejects(store.create(newRecord("web")), { code: "machine-exists" });
  assert.deepEqual(fs.readdirSync(store.machineDir("web")), ["id_rsa"]);
});

test("a machine that is removed and made again while it is read is there or not, but never without its record", async (context) => {
  const store = openStore();
  await store.create(newRecord("web"));
  const stop = new AbortController();
  context.after(() => stop.abort());
  const churning = (async () => {
    while (!stop.signal.aborted) {
      await store.remove("web");
      await store.create(newRecord("web"));
    }
  })();
  const outcomes = new Set<string>();
  // Both must have been met, however the two take turns.
  for (let count = 0; count < 500 || outcomes.size < 2; count += 1)
    await store.load("web").then(
      () => outcomes.add("there"),
      (error: { code: string }) => outcomes.add(error.code),
    );
  stop.abort();
  await churning;
  assert.deepEqual([...outcomes].toSorted(), ["machine-not-found", "there"]);
});

test("two machines that differ in case, which 0.16.2 could make on Linux, are two machines", async () => {
  const store = openStore();
  plant(store, "Foo", goldenText("alpha"));
  plant(store, "foo", goldenText("beta2"));
  assert.deepEqual((await store.list()).toSorted(), ["Foo", "foo"]);
  assert.match((await store.load("Foo")).driverConfigText, /127\.0\.0\.10/u);
  assert.match((await store.load("foo")).driverConfigText, /127\.0\.0\.11/u);
});

test("files, links and hidden folders in machines/ are no machines", async () => {
  const store = openStore();
  await store.create(newRecord("web"));
  const machines = path.join(store.root, "machines");
  fs.writeFileSync(path.join(machines, "notes.txt"), "");
  fs.symlinkSync(store.machineDir("web"), path.join(machines, "link"));
  fs.cpSync(store.machineDir("web"), path.join(machines, ".git"), { recursive: true });
  assert.deepEqual(await store.list(), ["web"]);
});

test("locks are kept out of machines/, and a removed machine's lock file goes with it", async () => {
  const store = openStore();
  await store.create(newRecord("web"));
  const kept = await store.lockMachine("web", { purpose: "start", waitMs: 0 });
  await kept.release();
  assert.deepEqual(fs.readdirSync(path.join(store.root, "locks")), ["machine-web.lock"]);
  const last = await store.lockMachine("web", { purpose: "rm", waitMs: 0 });
  await store.remove("web");
  await last.release();
  assert.deepEqual(fs.readdirSync(path.join(store.root, "locks")), []);
  assert.deepEqual(fs.readdirSync(path.join(store.root, "machines")), []);
});

test("what a killed command left is removed by the next one on that machine, and nothing else is", async () => {
  const store = openStore();
  await store.create(newRecord("web"));
  await store.create(newRecord("db"));
  const dead = deadPid();
  const leftovers = [
    `machines/web/config.json.tmp-${dead}-0123abcd`,
    `machines/.web.tmp-${dead}-0123abcd/config.json`,
    `machines/.gone.tmp-${dead}-0123abcd/id_rsa`,
  ];
  const kept = [
    `machines/web/config.json.tmp-${process.ppid}-0123abcd`,
    `machines/web/disk.tmp-image`,
    `machines/web/config.json.tmp-${dead}-short`,
    `machines/.other.tmp-${process.ppid}-0123abcd/config.json`,
    `machines/db/config.json.tmp-${dead}-0123abcd`,
  ];
  for (const each of [...leftovers, ...kept]) {
    fs.mkdirSync(path.dirname(path.join(store.root, each)), { recursive: true });
    fs.writeFileSync(path.join(store.root, each), "");
  }
  const existing = (files: readonly string[]): string[] => files.filter((file) => fs.existsSync(path.join(store.root, file)));

  await (await store.lockMachine("web", { purpose: "start", waitMs: 0 })).release();
  assert.deepEqual(existing(leftovers), leftovers.slice(2), "web's are gone, another machine's is its own command's");
  assert.deepEqual(existing(kept), kept);

  await using held = await store.lockMachine("db", { purpose: "start", waitMs: 0 });
  fs.writeFileSync(path.join(store.root, kept.at(-1) ?? ""), "");
  await store.sweep();
  assert.deepEqual(existing(leftovers), []);
  assert.deepEqual(existing(kept), kept, "a command is at work on db");
  await held.release();
  await store.sweep();
  assert.deepEqual(existing(kept), kept.slice(0, -1));
});

test("a temporary that bears our own process id is another's when we do not use it", async () => {
  const store = openStore();
  const file = plant(store, "web", "", `config.json.tmp-${process.pid}-0123abcd`);
  await (await store.lockMachine("web", { purpose: "start", waitMs: 0 })).release();
  assert.equal(fs.existsSync(file), false);
});

test("a store that cannot be a folder is one clear sentence", async () => {
  const file = path.join(temporaryFolder(), "file");
  fs.writeFileSync(file, "");
  const store = new FileStore(path.join(file, "store"), systemClock);
  const expected = {
    code: "store-unusable",
    message: /^Cannot create .*: a part of the path is not a folder$/u,
    hint: /--storage-path/u,
  };
  await assert.rejects(store.create(newRecord("web")), expected);
  await assert.rejects(store.lockMachine("web", { purpose: "create", waitMs: 0 }), expected);
  await assert.rejects(store.list(), {
    code: "store-unusable",
    message: /^Cannot read .*: a part of the path is not a folder$/u,
  });
});

test("a config.json that is a folder is one clear sentence", async () => {
  const store = openStore();
  fs.mkdirSync(path.join(store.machineDir("web"), "config.json"), { recursive: true });
  await assert.rejects(store.load("web"), { code: "store-unusable", message: /^Cannot read .*: it is a folder$/u });
});

/** Permissions bind root not at all, so these are done as somebody else. */
async function asNobody(store: FileStore, work: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return await work();
  const nobody = 65_534;
  const top = path.dirname(path.dirname(store.root));
  for (const entry of ["", ...fs.readdirSync(top, { recursive: true, encoding: "utf8" })])
    fs.chownSync(path.join(top, entry), nobody, nobody);
  process.seteuid?.(nobody);
  try {
    await work();
  } finally {
    process.seteuid?.(0);
  }
}

test("a folder that may not be read is a machine that cannot be loaded, and hinders no other", async () => {
  const store = openStore();
  await store.create(newRecord("web"));
  await store.create(newRecord("roots"));
  const locked = store.machineDir("roots");
  // Nobody could not start a program of a project that lies in a private folder.
  const pid = deadPid();
  await asNobody(store, async () => {
    fs.chmodSync(locked, 0o000);
    try {
      assert.deepEqual((await store.list()).toSorted(), ["roots", "web"]);
      assert.equal(await store.has("roots"), true);
      await assert.rejects(store.load("roots"), {
        code: "store-unusable",
        message: `Cannot read ${path.join(locked, "config.json")}: permission denied`,
      });
      assert.equal((await store.load("web")).name, "web");
      await store.create(newRecord("other"));
      await assert.rejects(store.create(newRecord("Roots")), { code: "machine-exists" });
      const dead = `machines/web/config.json.tmp-${pid}-0123abcd`;
      fs.writeFileSync(path.join(store.root, dead), "");
      await store.sweep();
      assert.equal(fs.existsSync(path.join(store.root, dead)), false, "the clean-up went on behind it");
    } finally {
      fs.chmodSync(locked, 0o700);
    }
  });
});

test("a file or a link that leads nowhere blocks its own name only, in one sentence", async () => {
  const store = openStore();
  await store.create(newRecord("web"));
  fs.writeFileSync(store.machineDir("notes"), "");
  fs.symlinkSync("/nowhere", store.machineDir("dangling"));
  fs.symlinkSync(store.machineDir("loop"), store.machineDir("loop"));
  assert.deepEqual(await store.list(), ["web"]);
  await store.sweep();
  for (const name of ["notes", "dangling"])
    await assert.rejects(store.create(newRecord(name)), {
      code: "store-unusable",
      message: `Cannot create ${store.machineDir(name)}: something else of that name exists`,
    });
});

test("a pipe in the place of config.json is not waited for", async () => {
  const store = openStore();
  await store.create(newRecord("web"));
  const file = path.join(store.machineDir("web"), "config.json");
  fs.rmSync(file);
  spawnSync("mkfifo", [file]);
  const failure = { code: "store-unusable", message: `Cannot read ${file}: it is a pipe or a device, not a file` };
  await assert.rejects(store.load("web"), failure);
  await assert.rejects(store.save(newRecord("web")), failure);
  fs.rmSync(file);
  fs.symlinkSync("/dev/zero", file);
  await assert.rejects(store.load("web"), failure);
});

/** A store whose pauses are another program's turns: each does the next step. */
function storeBeside(steps: (() => void)[]): FileStore {
  const sleep = async (): Promise<void> => steps.shift()?.();
  return new FileStore(path.join(temporaryFolder(), "store"), { ...systemClock, sleep });
}

test("a record that 0.16.2 is about to rename into its place is there, and keeps what only the old text holds", async () => {
  const steps: (() => void)[] = [];
  const store = storeBeside(steps);
  const file = plant(store, "alpha", goldenText("alpha").replace('"DriverName"', '"Future": 1,\n    "DriverName"'));
  const removeAndLater = (): void => {
    fs.renameSync(file, `${file}.tmp123456`);
    steps.push(
      () => {},
      () => fs.renameSync(`${file}.tmp123456`, file),
    );
  };
  removeAndLater();
  const record = await store.load("alpha");
  removeAndLater();
  await store.save({ ...record, driverName: "generic" });
  assert.match(fs.readFileSync(file, "utf8"), /"Future": 1,\n {4}"DriverName": "generic"/u);
});

test("a first record that 0.16.2 is writing is not called damaged", async () => {
  const text = goldenText("alpha");
  const steps: (() => void)[] = [];
  const store = storeBeside(steps);
  const file = plant(store, "alpha", "");
  steps.push(
    () => fs.writeFileSync(file, text.slice(0, 100)),
    () => fs.writeFileSync(file, text),
  );
  assert.equal((await store.load("alpha")).name, "alpha");
});

test("what was damaged long ago is told after a second look", async () => {
  let looks = 0;
  const store = storeBeside(Array.from({ length: 9 }, () => () => void (looks += 1)));
  const file = plant(store, "alpha", '{"ConfigVersion": 3');
  for (const each of [file, path.dirname(file)]) fs.utimesSync(each, 1, 1);
  await assert.rejects(store.load("alpha"), { code: "record-unreadable" });
  assert.equal(looks, 1);
});

test("of a record that 0.16.2 was killed with, the way back is named and works", async () => {
  const store = openStore();
  const file = plant(store, "alpha", goldenText("alpha"));
  fs.renameSync(file, `${file}.tmp123456`);
  const error = await store.load("alpha").then(
    () => assert.fail("it was read"),
    (thrown: { message: string; hint: string }) => thrown,
  );
  assert.equal(error.message, `config.json of machine "alpha" is missing in ${store.machineDir("alpha")}`);
  const command = /with: (mv .*)$/u.exec(error.hint)?.[1] ?? "";
  spawnSync("sh", ["-c", command]);
  assert.equal((await store.load("alpha")).name, "alpha");
});
