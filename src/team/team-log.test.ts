import assert from "node:assert/strict";
import { test } from "node:test";
import type { LockRequest } from "../store/store.ts";
import { newRecord } from "../store/testing/records.ts";
import { FakeClock } from "../system/fake-clock.ts";
import { MemoryLedger } from "./memory-ledger.ts";
import { removeMember } from "./membership.ts";
import { TeamScene, type Person } from "./testing/team-scene.ts";
import { logDays, logPrefix, mostLogEntries, pruneLog, prunes, readLog } from "./team-log.ts";

const never = new AbortController().signal;

async function work(
  person: Person,
  command: string,
  change: "make" | "save" | "remove" | "nothing",
  journal = "",
): Promise<void> {
  const request: LockRequest = { purpose: `${command} web`, waitMs: 0 };
  const store = person.open();
  await using _lock = await store.lockMachine("web", request);
  if (change === "make") await store.create(newRecord("web", { driverName: "cloud" }), { "journal.ndjson": journal });
  if (change === "save") {
    await store.save({ ...(await store.load("web")), driverName: `${command} by ${person.context.by}` });
    await store.publish("web");
  }
  if (change === "remove") await store.remove("web");
}

async function told(person: Person): Promise<string[]> {
  return (await readLog(person.context, never)).map(
    ({ member, command, outcome, step, signature }) => `${member}: ${command}, ${outcome} ${step ?? ""} ${signature}`,
  );
}

test("each change is told of by whom and how far it came; who changed nothing is not told of", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  await work(
    alice,
    "create",
    "make",
    '{"command":"create","step":"record"}\n{"command":"create","step":"ssh","state":"begun"}\n',
  );
  await work(bob, "doctor", "nothing");
  await work(bob, "label", "save");
  await work(alice, "rm", "remove");
  assert.deepEqual(await told(bob), [
    "alice: store init, done  good",
    "alice: store add bob, done  good",
    "alice: create web, unfinished ssh good",
    "bob: label web, unfinished ssh good",
    "alice: rm web, removed  good",
  ]);
});

test("an entry that was changed, or put by one who is no member, is told as such; a newcomer is told what cannot be known", async () => {
  const scene = new TeamScene();
  const [alice] = [await scene.person("alice"), await scene.person("bob")];
  await removeMember(alice.context, "bob", never);
  const ledger = new MemoryLedger(scene.database);
  const [entry] = scene.database.read(logPrefix, 0).filter(({ value }) => value?.includes("store add bob") === true);
  const value = (entry?.value ?? "").replace("store add bob", "store add eve");
  const forged = { token: crypto.randomUUID(), require: [], put: [{ key: entry?.key ?? "", value }], remove: [] };
  await ledger.commit(forged, never);
  const moved = { key: `${logPrefix}2026-01-01T00:00:00.000Z-00000001/`, value: entry?.value ?? "" };
  await ledger.commit(
    { token: crypto.randomUUID(), require: [], put: [moved, { key: `${logPrefix}x/`, value: "{" }], remove: [] },
    never,
  );
  const lines = await told(alice);
  assert.deepEqual(
    lines.map((line) => line.replace(/,.* /u, " ")),
    ["alice: store add bob bad", "alice: store init good", "alice: store add eve bad", "alice: store remove bob good"],
  );
  const carol = await scene.person("carol");
  assert.match((await told(carol))[1] ?? "", /store init, done {2}unknown/u, "the key of that time is not hers");
});

test("what is old goes, and the oldest of too many", async () => {
  const clock = new FakeClock();
  const scene = new TeamScene(clock);
  const alice = await scene.person("alice");
  const ledger = new MemoryLedger(scene.database);
  const at = (index: number): string => `${logPrefix}${new Date(clock.now().getTime() - index).toISOString()}-${index}/`;
  const put = Array.from({ length: mostLogEntries + 3 }, (_, index) => ({ key: at(index), value: "" }));
  await ledger.commit({ token: crypto.randomUUID(), require: [], put, remove: [] }, never);
  assert.equal(await pruneLog(ledger, clock.now(), never), 4, "one is of the founding");
  assert.equal(await pruneLog(ledger, new Date(clock.now().getTime() + (logDays + 1) * 86_400_000), never), mostLogEntries);
  assert.deepEqual(await told(alice), []);
  const ids = Array.from({ length: 512 }, (_, index) => index.toString(16).padStart(8, "0"));
  const pruning = ids.filter((id) => prunes({ key: `${logPrefix}2026-01-01-${id}/`, at: "", command: "", machine: "" }));
  assert.deepEqual(pruning, ["00000000", "00000100"]);
});
