/** A team's store over a database in memory: what is the same for all engines. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { MachineError } from "../errors/machine-error.ts";
import { newRecord } from "../store/testing/records.ts";
import { describeStoreContract } from "../store/testing/store-contract.ts";
import { FakeClock } from "../system/fake-clock.ts";
import { findTeam, removeMember } from "./membership.ts";
import { SyncState } from "./sync-state.ts";
import { changed, create, found, put, request, TeamScene, type Person } from "./testing/team-scene.ts";
import { headKey } from "./team-ledger.ts";

const never = new AbortController().signal;

describeStoreContract("TeamStore", async () => {
  const alice = await new TeamScene().person("alice");
  const store = alice.open();
  const fileOf = (machine: string, file: string): string => path.join(store.machineDir(machine), file);
  return {
    store,
    plant: async (machine, text) => {
      mkdirSync(store.machineDir(machine), { recursive: true });
      writeFileSync(fileOf(machine, "config.json"), text);
    },
    stored: async (machine, file = "config.json") =>
      existsSync(fileOf(machine, file)) ? readFileSync(fileOf(machine, file), "utf8") : undefined,
  };
});

test("a machine that one makes is the other's, equal but for the folder, with its secrets and its own key", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = alice.open();
  {
    await using _lock = await store.lockMachine("web", request);
    const driverConfigText = JSON.stringify({ StorePath: store.root, Key: `${store.machineDir("web")}/id_ed25519` });
    await store.create(newRecord("web", { driverName: "cloud", driverConfigText }), {
      "secrets.json": '{"token":"canary-token"}',
    });
    put(alice, "machines/web/id_ed25519", "canary-machine-key");
    put(alice, "machines/web/id_ed25519.pub", "ssh-ed25519 AAAA docker-machine web\n");
    put(alice, "machines/web/known_hosts", "web ssh-ed25519 AAAA\n");
  }
  assert.deepEqual(await bob.open().list(), ["web"]);
  for (const file of ["secrets.json", "id_ed25519", "id_ed25519.pub", "known_hosts"])
    assert.equal(found(bob, `machines/web/${file}`), found(alice, `machines/web/${file}`), file);
  const config = found(alice, "machines/web/config.json") ?? "";
  assert.ok(config.includes(alice.root));
  assert.equal(found(bob, "machines/web/config.json"), config.replaceAll(alice.root, bob.root));
  const kept = JSON.stringify(scene.database.read("", 0));
  assert.ok(kept.includes("s/machines/web/"));
  assert.doesNotMatch(kept, /canary|ssh-ed25519 AAAA|StorePath/u, "the database has nothing that can be read");
});

test("a person's own key and client certificate stay on their computer, and those of the other stand in their place", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  for (const [person, who] of [
    [alice, "alice"],
    [bob, "bob"],
  ] as const)
    for (const file of ["cert.pem", "key.pem"]) put(person, `certs/${file}`, `${who}'s ${file}`);
  const store = await create(alice);
  {
    await using _lock = await store.lockMachine("web", request);
    put(alice, "machines/web/server.pem", "server");
    for (const file of ["key", "id_rsa", "id_rsa.pub", "key.pem", "cert.pem"])
      put(alice, `machines/web/${file}`, `alice's own ${file}`);
  }
  await bob.open().list();
  assert.equal(found(bob, "machines/web/server.pem"), "server");
  for (const file of ["key", "id_rsa", "id_rsa.pub"]) assert.equal(found(bob, `machines/web/${file}`), undefined, file);
  assert.equal(found(bob, "machines/web/key.pem"), "bob's key.pem");
});

test("changes, a new name and the end of a machine arrive; what is only here stays", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  await bob.open().create(newRecord("mine", { driverName: "local" }));
  {
    await using _lock = await store.lockMachine("web", request);
    await changed(store, "other");
  }
  assert.equal((await bob.open().load("web")).driverName, "other");
  {
    await using _lock = await store.lockMachine("web", request);
    await using _second = await store.lockMachine("www", request);
    await store.rename("web", "www");
  }
  assert.deepEqual((await bob.open().list()).toSorted(), ["mine", "www"]);
  {
    const theirs = bob.open();
    await using _lock = await theirs.lockMachine("www", request);
    await theirs.bury("www", "id-1");
  }
  assert.deepEqual(await alice.open().list(), []);
  assert.deepEqual(await alice.open().buried.list(), ["www.id-1"]);
  await alice.open().buried.remove("www.id-1");
  assert.deepEqual(await bob.open().buried.list(), []);
  assert.deepEqual(await bob.open().list(), ["mine"]);
});

test("a machine is one person's at a time, and who waits is told whose", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  const lock = await store.lockMachine("web", { purpose: "upgrade web", waitMs: 0 });
  const theirs = bob.open();
  assert.equal(await theirs.isLocked("web"), true);
  await assert.rejects(theirs.lockMachine("web", request), (error: Error) => {
    assert.match(error.message, /^machine "web" is in use by docker-machine upgrade web \(alice@alice-pc, since 2\d{3}-/u);
    return true;
  });
  await lock.release();
  assert.equal(await bob.open().isLocked("web"), false);
  await using _lock = await theirs.lockMachine("web", request);
});

test("two who make one name: the second has it already", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const theirs = bob.open();
  assert.deepEqual(await theirs.list(), []);
  await create(alice, "web");
  await using _lock = await theirs.lockMachine("WEB", request);
  assert.deepEqual(await theirs.list(), ["web"], "the lock brought it");
  await assert.rejects(theirs.create(newRecord("WEB", { driverName: "cloud" })), { code: "machine-exists" });
});

test("while nobody answers, what is known is shown with its age, and changes are refused before any effect", async () => {
  const clock = new FakeClock();
  const scene = new TeamScene(clock);
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  await create(alice);
  await bob.open().list();
  await bob.open().create(newRecord("mine", { driverName: "local" }));
  await clock.advance(180_000);
  scene.database.failure = new MachineError("store-unreachable", "no answer within 2 s");
  const store = bob.open();
  assert.deepEqual((await store.list()).toSorted(), ["mine", "web"]);
  assert.equal((await store.load("web")).driverName, "cloud");
  assert.deepEqual(bob.said, ["The team's store is away, what is shown is 3 min old (no answer within 2 s)"]);
  await assert.rejects(store.lockMachine("web", request), { code: "store-unreachable" });
  await assert.rejects(store.lockMachine("new", request), { code: "store-unreachable" });
  await using _mine = await store.lockMachine("mine", request);
  // For half a minute nobody is asked.
  scene.database.failure = new Error("asked too soon");
  await bob.open().list();
  assert.match(bob.said[1] ?? "", /it did not answer a moment ago/u);
  await clock.advance(31_000);
  scene.database.failure = undefined;
  await bob.open().list();
  assert.equal(bob.said.length, 2);
});

test("who loses the lock changes nothing any more, and finds what the other made of it", async () => {
  const clock = new FakeClock();
  const scene = new TeamScene(clock);
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  const lock = await store.lockMachine("web", request);
  // As a laptop that sleeps: the database's time goes on, and hers stands still.
  scene.database.expireAll();
  const theirs = bob.open();
  {
    await using _lock = await theirs.lockMachine("web", request);
    await changed(theirs, "bob's");
  }
  await assert.rejects(changed(store, "alice's"), { code: "lock-lost" });
  await clock.advance(6_000);
  assert.equal((lock.lost.reason as { code?: string }).code, "lock-lost");
  await lock.release();
  assert.equal((await bob.open().load("web")).driverName, "bob's");
  assert.equal((await alice.open().load("web")).driverName, "bob's");
});

test("what a killed command left here is newer until somebody else went on with it", async () => {
  const clock = new FakeClock();
  const scene = new TeamScene(clock);
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  const killed = async (): Promise<void> => {
    const { releaseLocksBelow } = await import("../system/file-lock.ts");
    await store.lockMachine("web", request);
    await store.save({ ...(await store.load("web")), driverName: "left behind" });
    await releaseLocksBelow(alice.root);
    scene.database.expireAll();
  };
  await killed();
  {
    const again = alice.open();
    await using _lock = await again.lockMachine("web", request);
  }
  assert.equal((await bob.open().load("web")).driverName, "left behind");
  await killed();
  {
    const theirs = bob.open();
    await using _lock = await theirs.lockMachine("web", request);
    await changed(theirs, "bob's");
  }
  assert.equal((await alice.open().load("web")).driverName, "bob's");
});

test("what another program changed here is pushed, unless somebody else changed it as well: then both are named", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  await bob.open().list();
  const edit = (person: Person, to: string): void => {
    const text = found(person, "machines/web/config.json") ?? "";
    put(person, "machines/web/config.json", text.replace(/"DriverName": "[^"]*"/u, `"DriverName": "${to}"`));
  };
  edit(bob, "edited");
  {
    const theirs = bob.open();
    await using _lock = await theirs.lockMachine("web", request);
  }
  assert.equal((await alice.open().load("web")).driverName, "edited");
  edit(bob, "edited again");
  {
    const again = alice.open();
    await using _lock = await again.lockMachine("web", request);
    await changed(again, "alice's");
  }
  assert.equal((await bob.open().load("web")).driverName, "edited again");
  assert.match(bob.said.at(-1) ?? "", /"web" of the team is not shown as the team has it: it was changed here as well/u);
  await assert.rejects(bob.open().lockMachine("web", request), {
    code: "store-conflict",
    message: /^"web" was changed on this computer, and alice@alice-pc changed "web" in the team's store at 2/u,
  });
  assert.equal((await store.load("web")).driverName, "alice's");
});

test("the team has one certificate authority", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  {
    await using _lock = await alice.open().lockCertificates(request);
    put(alice, "certs/ca.pem", "ca");
    put(alice, "certs/ca-key.pem", "canary-ca-key");
    put(alice, "certs/key.pem", "alice's");
  }
  {
    await using _lock = await bob.open().lockCertificates(request);
    assert.deepEqual(
      ["ca.pem", "ca-key.pem", "key.pem"].map((file) => found(bob, `certs/${file}`)),
      ["ca", "canary-ca-key", undefined],
    );
  }
  assert.doesNotMatch(JSON.stringify(scene.database.read("", 0)), /canary/u);
});

test("who was removed opens nothing that is written since, nothing old that stands, and cannot change the list", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  assert.deepEqual(await bob.open().list(), ["web"]);
  assert.equal(await removeMember(alice.context, "bob", never), 1);
  {
    await using _lock = await store.lockMachine("web", request);
    await changed(store, "since");
  }
  await assert.rejects(bob.open().load("web"), { code: "team-key-missing" });
  await assert.rejects(removeMember(bob.context, "alice", never), { code: "team-key-missing" });
  await using ledger = await alice.context.openLedger();
  assert.deepEqual(Object.keys((await findTeam(ledger, never))?.members ?? {}), ["alice"]);
  const carol = await scene.person("carol");
  assert.equal((await carol.open().load("web")).driverName, "since");
});

test("nobody removes themselves, and the list is as it was", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  await create(alice);
  await assert.rejects(removeMember(alice.context, "alice", never), { code: "usage", message: /^alice is you/u });
  await using ledger = await alice.context.openLedger();
  assert.deepEqual(Object.keys((await findTeam(ledger, never))?.members ?? {}), ["alice", "bob"]);
  assert.deepEqual([await alice.open().list(), await bob.open().list()], [["web"], ["web"]]);
});

test("who is no member sees nothing, and a value that was put under another's name is not believed", async () => {
  const scene = new TeamScene();
  const alice = await scene.person("alice");
  await create(alice, "web");
  await assert.rejects((await scene.stranger("eve")).open().list(), { code: "team-key-missing" });
  const [entry] = scene.database.read("s/machines/web/", 0);
  scene.database.commit({
    token: "t",
    require: [],
    put: [
      { key: "s/machines/db/", value: entry?.value ?? "" },
      { key: headKey, value: "2" },
    ],
    remove: [],
  });
  assert.deepEqual(await alice.open().list(), ["web"]);
  assert.match(alice.said.at(-1) ?? "", /s\/machines\/db\/ was not put there by a member/u);
});

test("all that is known here can be had anew", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  await bob.open().list();
  rmSync(new SyncState(bob.root).folder, { recursive: true });
  rmSync(path.join(bob.root, "machines"), { recursive: true });
  await using _lock = await store.lockMachine("web", request);
  await changed(store, "new");
  assert.equal((await bob.open().load("web")).driverName, "new");
});

test("a command that goes on sees what others do meanwhile, and is told once that nobody answers", async () => {
  const clock = new FakeClock();
  const scene = new TeamScene(clock);
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const watching = bob.open();
  assert.deepEqual(await watching.list(), []);
  await create(alice);
  assert.deepEqual(await watching.list(), [], "not at each look");
  await clock.advance(5_000);
  assert.deepEqual(await watching.list(), ["web"]);
  scene.database.failure = new MachineError("store-unreachable", "no answer");
  for (let round = 0; round < 10; round += 1) {
    await clock.advance(5_000);
    assert.deepEqual(await watching.list(), ["web"]);
  }
  assert.equal(bob.said.length, 1);
  scene.database.failure = undefined;
  await clock.advance(31_000);
  {
    const theirs = alice.open();
    await using _lock = await theirs.lockMachine("web", request);
    await changed(theirs, "other");
  }
  assert.equal((await watching.load("web")).driverName, "other", "after it came back");
});
