/** Which machines are the team's, and by which versions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newRecord } from "../store/testing/records.ts";
import { changed, create, request, TeamScene } from "./testing/team-scene.ts";

test("a machine of a plugin is shared once somebody says so, and then as every other", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = alice.open();
  {
    await using _lock = await store.lockMachine("web", request);
    await store.create(newRecord("web", { driverName: "plugin" }));
  }
  assert.match(alice.said.join("\n"), /"web" is of this computer alone.+docker-machine store push web$/u);
  assert.deepEqual(await bob.open().list(), []);
  await alice.open().push("web", request);
  assert.equal((await bob.open().load("web")).driverName, "plugin");
  {
    const theirs = bob.open();
    await using _lock = await theirs.lockMachine("web", request);
    await theirs.remove("web");
  }
  assert.deepEqual(await alice.open().list(), []);
});

test("a store that a newer version made is left alone, by who is in the team and by who joins", async () => {
  const scene = new TeamScene();
  const [alice, bob] = [await scene.person("alice"), await scene.person("bob")];
  const store = await create(alice);
  await bob.open().list();
  const [entry] = scene.database.read("team/", 0);
  const value = JSON.parse(entry?.value ?? "") as { roster: string };
  const newer = { ...value, roster: value.roster.replace('"version":1', '"version":2') };
  scene.database.commit({
    token: "newer",
    require: [],
    put: [{ key: "team/", value: JSON.stringify(newer) }],
    remove: [],
  });
  {
    const lock = await store.lockMachine("web", request);
    await assert.rejects(changed(store, "older"), { code: "record-from-future", hint: "Update docker-machine." });
    await lock.release();
  }
  await assert.rejects(scene.person("carol"), { code: "record-from-future" });
  assert.equal((await bob.open().load("web")).driverName, "cloud");
});
