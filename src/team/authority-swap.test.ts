/** Another authority takes the place of a store's: whose engines believe the one before go on with that. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileStore } from "../store/file-store.ts";
import { newRecord } from "../store/testing/records.ts";
import { systemClock } from "../system/clock.ts";
import { temporaryFolder } from "../system/testing/folder.ts";
import { bringBackAuthority, swapAuthority } from "./authority-swap.ts";
import { create, found, put, request, TeamScene, type Person } from "./testing/team-scene.ts";

const files = ["ca.pem", "ca-key.pem", "cert.pem", "key.pem"];

/** As `lockCertificates` of whoever makes an authority leaves it. */
async function makeAuthority(person: Person, what: string): Promise<void> {
  await using _lock = await person.open().lockCertificates(request);
  for (const file of files) put(person, `certs/${file}`, `${what} ${file}`);
}

/** Where a machine's record says that its authority is. */
async function certDirOf(store: FileStore, name: string): Promise<string> {
  return path.relative(store.root, (await store.load(name)).hostOptions.AuthOptions.CertDir);
}

function recordIn(root: string, name: string) {
  const record = newRecord(name, { driverName: "local" });
  const at = (file: string): string => path.join(root, "certs", file);
  const auth = { CertDir: path.join(root, "certs"), CaCertPath: at("ca.pem"), ClientCertPath: at("cert.pem") };
  const { AuthOptions } = record.hostOptions;
  return { ...record, hostOptions: { ...record.hostOptions, AuthOptions: { ...AuthOptions, ...auth } } };
}

test("a member who makes another authority for the team leaves machines of the others' own with the one that they have", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  await makeAuthority(alice, "first");
  await bob.open().list();
  const store = new FileStore(bob.root, systemClock);
  await store.create(recordIn(bob.root, "mine"));
  for (const file of ["cert.pem", "key.pem"]) put(bob, `certs/${file}`, `bob's ${file}`);
  await create(alice);
  await makeAuthority(alice, "second");
  {
    // Whoever works on the machine has its record in memory.
    await using _lock = await store.lockMachine("mine", request);
    assert.deepEqual(await bob.open().list(), ["mine"]);
    assert.deepEqual([found(bob, "certs/ca.pem"), await certDirOf(store, "mine")], ["first ca.pem", "certs"]);
  }
  assert.deepEqual((await bob.open().list()).toSorted(), ["mine", "web"]);
  assert.deepEqual([found(bob, "certs/ca.pem"), await certDirOf(store, "mine")], ["second ca.pem", "certs-of-memory"]);
  assert.equal(found(bob, "certs-of-memory/ca-key.pem"), "first ca-key.pem");
  assert.equal(found(bob, "certs-of-memory/cert.pem"), "bob's cert.pem");
  assert.match(bob.said.join("\n"), /kept in \S+certs-of-memory, and mine goes on with it/u);
});

test("cut off at any machine all have an authority that is there, and the next one finishes it, there and back", async () => {
  const names = ["one", "three", "two"];
  for (let cut = 0; cut <= names.length; cut += 1) {
    const store = new FileStore(path.join(temporaryFolder(), "store"), systemClock);
    const person = { root: store.root } as Person;
    for (const file of files) put(person, `certs/${file}`, `own ${file}`);
    for (const name of names) await store.create(recordIn(store.root, name));
    const cutting = async (work: () => Promise<unknown>): Promise<void> => {
      const save = store.save.bind(store);
      let left = cut;
      store.save = async (record) => {
        if (left === 0) throw new Error("cut off");
        left -= 1;
        await save(record);
      };
      await (cut < names.length ? assert.rejects(work(), /cut off/u) : work());
      store.save = save;
      for (const name of names) assert.ok(existsSync((await store.load(name)).hostOptions.AuthOptions.CaCertPath));
    };
    const join = async () => {
      const next = { certificate: "team's", key: "team's key" };
      const keepIn = path.join(store.root, "certs-before-fleet");
      return await swapAuthority(store, next, { keepIn, stays: async () => true, lock: request });
    };
    await cutting(join);
    await join();
    assert.deepEqual(
      await Promise.all(names.map((name) => certDirOf(store, name))),
      names.map(() => "certs-before-fleet"),
    );
    assert.deepEqual([found(person, "certs/ca.pem"), found(person, "certs-before-fleet/key.pem")], ["team's", "own key.pem"]);
    await cutting(() => bringBackAuthority(store, "fleet", request));
    await bringBackAuthority(store, "fleet", request);
    assert.deepEqual(
      await Promise.all(names.map((name) => certDirOf(store, name))),
      names.map(() => "certs"),
    );
    for (const file of files) assert.equal(found(person, `certs/${file}`), `own ${file}`);
    assert.equal(existsSync(path.join(store.root, "certs-before-fleet")), false);
  }
});
