/**
 * Much at once at a real database: colleagues who change the same machines, programs that read a folder as 0.16.2 and a CI's
 * runner do, an editor of records, a full disk, a command that is interrupted.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, renameSync, statfsSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { newRecord } from "../../src/store/testing/records.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { TeamStore } from "../../src/team/team-store.ts";
import { openCommandLine } from "../cli/command-line.ts";
import { buildProgram, isFullRun, Rig } from "../safety/rig.ts";
import { SmallFileSystem } from "../support/small-file-system.ts";
import { Etcd, etcdMissing } from "./etcd.ts";
import { putMachines } from "./many-machines.ts";
import { Relay } from "./relay.ts";
import { teamOf, type Colleague } from "./team-rig.ts";

const skip = etcdMissing("3.5");
const request = { purpose: "test", waitMs: 60_000 };
// Of the whole file: etcd ends where it misses its own at its look each half minute.
const folder = temporaryFolder();
let etcd: Etcd;
before(async () => {
  if (skip === false) etcd = await Etcd.start(folder, { release: "3.5" });
});
after(async () => await etcd?.[Symbol.asyncDispose]());

async function people(team: string, names: readonly string[], folder = temporaryFolder()): Promise<Colleague[]> {
  return await teamOf(folder, { url: etcd.url(team) }, names);
}

function storeOf({ context }: Colleague): TeamStore {
  return TeamStore.open({ ...context, reachOf: async () => "everybody" });
}

async function create(who: Colleague, name: string): Promise<void> {
  const store = storeOf(who);
  await using _lock = await store.lockMachine(name, request);
  await store.create(newRecord(name, { driverName: "fakecloud", driverConfigText: '{"Count":0}' }));
}

async function count(who: Colleague, name: string): Promise<void> {
  const store = storeOf(who);
  await using _lock = await store.lockMachine(name, request);
  const record = await store.load(name);
  const { Count } = JSON.parse(record.driverConfigText) as { Count: number };
  await store.save({ ...record, driverConfigText: JSON.stringify({ Count: Count + 1 }) });
}

function recordOf({ storePath }: Colleague, name: string): { Driver: { Count: number } } {
  return JSON.parse(readFileSync(path.join(storePath, "machines", name, "config.json"), "utf8")) as { Driver: { Count: number } };
}

test(
  "programs of many colleagues change the same machines and lose nothing, and who reads a folder sees whole records",
  { skip },
  async (context) => {
    const team = await people(
      "count",
      Array.from({ length: isFullRun ? 32 : 8 }, (_, index) => `person-${index}`),
    );
    const [alice, bob] = team;
    assert.ok(alice !== undefined && bob !== undefined);
    const machines = Array.from({ length: 8 }, (_, index) => `web-${index}`);
    for (const name of machines) await create(alice, name);
    assert.equal((await storeOf(bob).list()).length, machines.length);
    const changes = isFullRun ? 20 : 8;
    const done = new AbortController();
    let reads = 0;
    // As 0.16.2 and GitLab's runner find machines: by the folders' names.
    const reading = (async () => {
      while (!done.signal.aborted) {
        for (const name of readdirSync(path.join(bob.storePath, "machines")).filter((each) => !each.startsWith("."))) {
          assert.equal(typeof recordOf(bob, name).Driver.Count, "number");
          reads += 1;
        }
        await delay(5);
      }
    })();
    await using rig = await Rig.open(buildProgram());
    const working = team.map(async ({ name, storePath }) => {
      const { status, stderr } = await rig.run("count", [machines.join(","), String(changes)], {}, storePath);
      assert.equal(status, 0, `${name}: ${stderr}`);
    });
    await Promise.all(working).finally(() => done.abort());
    await reading;
    const counted = async (who: Colleague): Promise<number> => {
      await storeOf(who).list();
      return machines.reduce((sum, name) => sum + recordOf(who, name).Driver.Count, 0);
    };
    const made = team.length * changes;
    for (const who of team) assert.equal(await counted(who), made, who.name);
    context.diagnostic(`${made} changes by ${team.length} programs, ${reads} reads of a folder`);
  },
);

test("of many who make one name one does, and the others are told that it is there", { skip }, async () => {
  const team = await people("name", ["alice", "bob", "carol", "dave"]);
  const made = await Promise.allSettled(team.map(async (who, index) => await create(who, index % 2 === 0 ? "web" : "WEB")));
  const failures = made.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
  assert.equal(failures.length, team.length - 1);
  for (const error of failures) assert.ok(isMachineError(error, "machine-exists"), String(error));
  const lists = await Promise.all(team.map(async (who) => await storeOf(who).list()));
  assert.equal(new Set(lists.map(String)).size, 1);
});

test("a record that 0.16.2 wrote meanwhile is pushed by the next command", { skip }, async () => {
  const [alice, bob] = await people("original", ["alice", "bob"]);
  assert.ok(alice !== undefined && bob !== undefined);
  await create(alice, "web");
  await storeOf(bob).list();
  // It writes a file beside it and renames that.
  const file = path.join(bob.storePath, "machines/web/config.json");
  writeFileSync(`${file}.tmp`, readFileSync(file, "utf8").replace('"Count": 0', '"Count": 41'));
  renameSync(`${file}.tmp`, file);
  await storeOf(bob).list();
  assert.equal(recordOf(bob, "web").Driver.Count, 41, "a look does not take it back");
  await count(bob, "web");
  await storeOf(alice).list();
  assert.equal(recordOf(alice, "web").Driver.Count, 42);
});

for (const machines of [3, 60])
  test(`a disk that is full when ${machines} machines arrive: they are there once it is not`, { skip }, async (context) => {
    const small = SmallFileSystem.mount(64 * 1_024);
    if (typeof small === "string") return context.skip(small);
    using mounted = small;
    const [alice, bob] = await people(`full${machines}`, ["alice", "bob"], mounted.folder);
    assert.ok(alice !== undefined && bob !== undefined);
    await storeOf(bob).list();
    await putMachines(alice, machines);
    const { blocks, bfree, bsize } = statfsSync(mounted.folder);
    mounted.resize(Math.ceil(((blocks - bfree) * bsize) / 1_024) + 24 + 10 * machines);
    await assert.rejects(storeOf(bob).list(), { code: "disk-full" });
    mounted.resize(64 * 1_024);
    assert.equal((await storeOf(bob).list()).length, machines);
    const dirs = readdirSync(path.join(bob.storePath, "machines"));
    assert.deepEqual(
      dirs.filter((name) => name.startsWith(".")),
      [],
    );
    await using _lock = await storeOf(bob).lockMachine("machine-1", request);
  });

for (const command of ["push", "pull"])
  test(`store ${command} that is interrupted leaves the machine as it was, and nobody waits for it`, { skip }, async () => {
    await using relay = await Relay.start(etcd.clientPorts[0] ?? 0);
    await using alice = await openCommandLine();
    await alice.ok(`store init etcd+http://127.0.0.1:${relay.port}/interrupted-${command} --name alice`);
    await alice.ok("create -d none --url tcp://127.0.0.1:1 web");
    const record = await alice.recordText("web");
    relay.delayMs = 300;
    const [asked, child] = [relay.untilAsked("lease/grant"), alice.start(["store", command, "web"])];
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.stdout.resume();
    child.stderr.resume();
    await asked;
    child.kill("SIGINT");
    assert.equal(await ended, 130);
    relay.delayMs = 0;
    assert.equal(await alice.recordText("web"), record);
    const started = performance.now();
    await alice.ok("label web team=a");
    assert.ok(performance.now() - started < 10_000, "its lock was free");
    assert.match(await alice.ok("label web"), /team=a/u);
  });
